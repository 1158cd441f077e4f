# The official client iron_cache_ruby, with iron_core_ruby and rest, from checkouts in --sources or gems.

require_relative 'checks'

%w[rest iron_core_ruby iron_cache_ruby].each do |checkout|
  library = File.join(SOURCES, checkout, 'lib')
  $LOAD_PATH.unshift(library) if SOURCES != '' && File.directory?(library)
end
begin
  require 'iron_cache'
rescue LoadError => e
  missing(e.message)
end
say('version', IronCache::VERSION)

def connect(token = TOKEN)
  client = IronCache::Client.new(token: token, project_id: PROJECT, scheme: 'http', host: HOST, port: HTTP_PORT)
  client.logger.level = Logger::FATAL
  client
end

Rest.logger.level = Logger::FATAL
client = connect
cache = client.cache(CACHE)

operation('put, get') do
  same(cache.put('key', 'value').msg, 'Stored.')
  item = cache.get('key')
  same([item.key, item.value, item['cache']], ['key', 'value', CACHE])
  same(cache.get('not-there'), nil)
  cache.put('empty', '')
  same(cache.get('empty').value, '')
end

operation('types') do
  ['text', 'ä ☃ 𝄞', '42', 42, -7, 2**60, 1.5, true, false, [1, { 'a' => nil }]].each do |value|
    cache.put('typed', value)
    same(cache.get('typed').value, value)
  end
end

operation('wrong token') do
  refused(Rest::HttpError) { connect('wrong').cache(CACHE).get('key') }
end

operation('add, replace') do
  same(cache.put('added', '1', add: true).msg, 'Stored.')
  same(cache.put('added', '2', add: true).msg, 'Not stored.')
  same(cache.put('added', '3', replace: true).msg, 'Stored.')
  same(cache.put('not-there', '4', replace: true).msg, 'Not stored.')
  same(cache.get('added').value, '3')
end

operation('cas') do
  cache.put('cas', '1')
  cas = cache.get('cas')['cas']
  same(cache.put('cas', '2', cas: cas).msg, 'Stored.')
  same(cache.put('cas', '3', cas: cas).msg, 'Not stored.')
  same(cache.get('cas').value, '2')
end

operation('increment') do
  cache.put('number', 10)
  same(cache.increment('number', 5).value, 15)
  same(cache.increment('number', -20).value, -5)
  same(cache.increment('new number', 3).value, 3)
  cache.put('text', 'text')
  refused(Rest::HttpError) { cache.increment('text', 1) }
end

operation('900 KB') do
  cache.put('large', 'x' * 900 * 1024)
  same(cache.get('large').value, 'x' * 900 * 1024)
end

operation('expiry') do
  cache.put('expiring', '1', expires_in: 1)
  same(cache.get('expiring').value, '1')
  sleep(2.1)
  same(cache.get('expiring'), nil)
end

operation('delete') do
  same(cache.delete('key').msg, 'Deleted.')
  same(cache.get('key'), nil)
  refused(Rest::HttpError) { cache.delete('key') }
  same(cache.get('added').delete.msg, 'Deleted.')
end

operation('keys with every kind of character') do
  ['a/b', 'a b', 'a%b', 'ä', 'a?b=c&d#e', '[a]', 'a+b', 'a.b'].each do |key|
    cache.put(key, "of #{key}")
    same(cache.get(key).value, "of #{key}")
  end
end

operation('list, info') do
  same(client.caches.list.map(&:name).include?(CACHE), true)
  info = client.caches.get(name: CACHE)
  same(info.name, CACHE)
  same(info.size.positive?, true)
end

operation('clear, remove') do
  same(cache.clear.msg, 'Cleared.')
  same(client.caches.get(name: CACHE).size, 0)
  same(cache.remove.msg, 'Deleted.')
  same(client.caches.list.map(&:name).include?(CACHE), false)
end
