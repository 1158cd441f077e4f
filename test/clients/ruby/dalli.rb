# Dalli by its meta protocol (since 3.2; the only one from 5.0 on): the gem that is installed, or the
# checkout in the folder of --sources that is named as the first argument.

require_relative 'checks'

checkout = ARGV.first
begin
  $LOAD_PATH.unshift(File.join(SOURCES, checkout, 'lib')) if checkout
  require 'dalli'
rescue LoadError => e
  missing(e.message)
end
Dalli.logger.level = Logger::FATAL
if Gem::Version.new(Dalli::VERSION) < Gem::Version.new('3.2')
  missing("version #{Dalli::VERSION} speaks the binary protocol only")
end
if Dalli::VERSION.to_i >= 5 && Gem::Version.new(RUBY_VERSION) < Gem::Version.new('3.3')
  missing("version #{Dalli::VERSION} needs Ruby 3.3, this is #{RUBY_VERSION}")
end
say('version', Dalli::VERSION)

def connect(port = MEMCACHED_PORT, **options)
  Dalli::Client.new("#{HOST}:#{port}", protocol: :meta, **options)
end

client = connect

operation('wrong token') do
  refused(Dalli::DalliError) { connect.set('oauth', WRONG_SIGN_IN, 0, raw: true) }
  refused(Dalli::DalliError) { connect.get('key') }
end

operation('sign-in') do
  same(!!client.set('oauth', SIGN_IN, 0, raw: true), true)
end

operation('set, get') do
  same(!!client.set('key', 'value'), true)
  same(client.get('key'), 'value')
  same(client.get('not-there'), nil)
  client.set('empty', '')
  same(client.get('empty'), '')
end

operation('seen by REST') do
  client.set('raw', 'value', 0, raw: true)
  same(by_rest('raw'), 'value')
end

operation('add, replace') do
  same(!!client.add('added', '1'), true)
  same(!!client.add('added', '2'), false)
  same(!!client.replace('added', '3'), true)
  same(!!client.replace('not-there', '4'), false)
  same(client.get('added'), '3')
end

operation('append, prepend') do
  same(!!client.append('raw', '>'), true)
  same(!!client.prepend('raw', '<'), true)
  same(client.get('raw', raw: true) || client.get('raw'), '<value>')
end

operation('delete') do
  same(!!client.delete('key'), true)
  same(!!client.delete('key'), false)
end

operation('incr, decr') do
  client.set('number', '10', 0, raw: true)
  same(client.incr('number'), 11)
  same(client.decr('number', 20), 0)
  same(client.incr('not-there'), nil)
  same(client.incr('created', 5, 0, 100), 100)
  same(client.incr('created', 5, 0, 100), 105)
end

operation('touch') do
  client.set('touched', '1', 100)
  same(!!client.touch('touched', 1), true)
  same(!!client.touch('not-there', 1), false)
end

operation('gat') do
  client.set('gat', '1', 1)
  same(client.gat('gat', 100), '1')
end

operation('multi-get of 100 keys') do
  if client.respond_to?(:set_multi)
    client.set_multi(MANY)
  else
    client.quiet { MANY.each { |key, value| client.set(key, value) } }
  end
  same(client.get_multi(*MANY.keys, 'not-there'), MANY)
  same(client.get_multi_cas(*MANY.keys).size, 100)
  client.delete_multi(MANY.keys) if client.respond_to?(:delete_multi)
end

operation('cas') do
  client.set('cas', '1')
  same(!!client.cas('cas') { |value| value + '2' }, true)
  same(client.get('cas'), '12')
  same(client.cas('not-there') { 'x' }, nil)
  value, cas = client.get_cas('cas')
  same(value, '12')
  same(!!client.set_cas('cas', '3', cas), true)
  same(!!client.set_cas('cas', '4', cas), false)
  same(!!client.replace_cas('cas', '4', cas), false)
  same(!!client.delete_cas('cas', cas), false)
  same(client.get('cas'), '3')
end

operation('flags, types') do
  ['text', 'ä', 42, 2**70, true, nil, 1.5, [1, { 'a' => :b }], 'zipped ' * 10_000].each do |value|
    client.set('typed', value)
    same(client.get('typed'), value)
  end
end

operation('keys in base64') do
  ['ä key', 'a key with spaces', "tab\there"].each do |key|
    client.set(key, key)
    same(client.get(key), key)
    same(client.get_multi(key), { key => key })
  end
end

operation('all byte values') do
  client.set('bytes', ALL_BYTES, 0, raw: true)
  same(by_rest('bytes'), ALL_BYTES)
  same(client.get('bytes').b, ALL_BYTES)
end

operation('900 KB') do
  client.set('large', LARGE, 0, compress: false)
  same(client.get('large').b, LARGE)
end

operation('expiry') do
  client.set('expiring', '1', 1)
  client.set('staying', '1', 100)
  same(client.get('expiring'), '1')
  sleep(2.1)
  same(client.get('expiring'), nil)
  same(client.get('touched'), nil)
  same(client.get('gat'), '1')
  same(client.get('staying'), '1')
end

operation('fetch') do
  same(client.fetch('fetched', 10) { 'made' }, 'made')
  same(client.fetch('fetched', 10) { 'not made' }, 'made')
end

if client.respond_to?(:fetch_with_lock)
  operation('fetch with lock (win, stale, recache)') do
    same(client.fetch_with_lock('locked', ttl: 10, lock_ttl: 5) { 'made' }, 'made')
    same(client.fetch_with_lock('locked', ttl: 10, lock_ttl: 5) { 'not made' }, 'made')
    metadata = client.get_with_metadata('locked', return_hit_status: true)
    same(metadata[:value], 'made')
  end
else
  absent('fetch with lock')
end

operation('stats, version') do
  same(client.stats.values.first['curr_items'].to_i.positive?, true)
  same(client.stats(:settings).values.first.is_a?(Hash), true)
  client.reset_stats
  same(client.version.size, 1)
end

operation('flush') do
  client.set('flushed', '1')
  client.flush
  same(client.get('flushed'), nil)
end

operation('reconnect') do
  client.close
  refused(Dalli::DalliError) { client.get('key') }
  client.close
  same(!!client.set('oauth', SIGN_IN, 0, raw: true), true)
  same(!!client.set('key', 'again'), true)
  same(client.get('key'), 'again')
end

operation('threads, bound listener') do
  threads = Array.new(8) do |t|
    Thread.new do
      own = connect(BOUND_PORT)
      Array.new(25) do |i|
        own.set("pooled-#{t}-#{i}", i)
        own.get("pooled-#{t}-#{i}")
      end
    end
  end
  same(threads.map(&:value), [(0...25).to_a] * 8)
  same(client.get('pooled-3-7'), 7)
end
