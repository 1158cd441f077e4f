# memcache-client (mperham): the gem that is installed, or its checkout in --sources.

require_relative 'checks'

begin
  checkout = File.join(SOURCES, 'memcache-client', 'lib')
  $LOAD_PATH.unshift(checkout) if SOURCES != '' && File.directory?(checkout)
  require 'memcache'
rescue LoadError => e
  missing(e.message)
end
say('version', MemCache::VERSION)

def connect(port = MEMCACHED_PORT)
  MemCache.new("#{HOST}:#{port}")
end

client = connect

operation('wrong token') do
  refused(MemCache::MemCacheError) { connect.set('oauth', WRONG_SIGN_IN, 0, true) }
  refused(MemCache::MemCacheError) { connect.get('key') }
end

operation('sign-in') do
  same(client.set('oauth', SIGN_IN, 0, true), "STORED\r\n")
end

operation('set, get') do
  same(client.set('key', 'value'), "STORED\r\n")
  same(client.get('key'), 'value')
  same(client.get('not-there'), nil)
  client.set('empty', '')
  same(client.get('empty'), '')
end

operation('seen by REST') do
  client.set('raw', 'value', 0, true)
  same(by_rest('raw'), 'value')
end

operation('add, replace') do
  same(client.add('added', '1'), "STORED\r\n")
  same(client.add('added', '2'), "NOT_STORED\r\n")
  same(client.replace('added', '3'), "STORED\r\n")
  same(client.replace('not-there', '4'), "NOT_STORED\r\n")
  same(client.get('added'), '3')
end

operation('append, prepend') do
  same(client.append('raw', '>'), "STORED\r\n")
  same(client.prepend('raw', '<'), "STORED\r\n")
  same(client.get('raw', true), '<value>')
end

operation('delete') do
  same(client.delete('key'), "DELETED\r\n")
  same(client.delete('key'), "NOT_FOUND\r\n")
end

operation('incr, decr') do
  client.set('number', '10', 0, true)
  same(client.incr('number'), 11)
  same(client.decr('number', 20), 0)
  same(client.incr('not-there'), nil)
  client.set('text', 'text', 0, true)
  refused(MemCache::MemCacheError) { client.incr('text') }
end

absent('touch')
absent('gat')

operation('multi-get of 100 keys') do
  MANY.each { |key, value| client.set(key, value) }
  same(client.get_multi(*MANY.keys, 'not-there'), MANY)
end

operation('cas') do
  client.set('cas', '1')
  same(client.cas('cas') { |value| value + '2' }, "STORED\r\n")
  same(client.get('cas'), '12')
  same(client.cas('not-there') { 'x' }, nil)
end

operation('flags, types') do
  ['text', 'ä', 42, 2**70, true, 1.5, [1, { 'a' => :b }]].each do |value|
    client.set('typed', value)
    same(client.get('typed'), value)
  end
end

operation('all byte values') do
  client.set('bytes', ALL_BYTES, 0, true)
  same(client.get('bytes', true).b, ALL_BYTES)
  same(by_rest('bytes'), ALL_BYTES)
end

operation('900 KB') do
  client.set('large', LARGE, 0, true)
  same(client.get('large', true).b, LARGE)
end

operation('expiry') do
  client.set('expiring', '1', 1)
  client.set('staying', '1', 100)
  same(client.get('expiring'), '1')
  sleep(2.1)
  same(client.get('expiring'), nil)
  same(client.get('staying'), '1')
end

operation('fetch') do
  same(client.fetch('fetched', 10) { 'made' }, 'made')
  same(client.fetch('fetched', 10) { 'not made' }, 'made')
end

operation('stats') do
  same(client.stats.values.first['curr_items'].positive?, true)
end

operation('flush') do
  client.set('flushed', '1')
  client.flush_all
  same(client.get('flushed'), nil)
end

operation('reconnect') do
  client.reset
  refused(MemCache::MemCacheError) { client.get('key') }
  same(client.set('oauth', SIGN_IN, 0, true), "STORED\r\n")
  client.set('key', 'again')
  same(client.get('key'), 'again')
end

operation('threads, bound listener') do
  shared = connect(BOUND_PORT)
  threads = Array.new(8) do |t|
    Thread.new do
      Array.new(25) do |i|
        shared.set("pooled-#{t}-#{i}", i)
        shared.get("pooled-#{t}-#{i}")
      end
    end
  end
  same(threads.map(&:value), [(0...25).to_a] * 8)
  same(client.get('pooled-3-7'), 7)
end
