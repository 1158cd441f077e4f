# What the Ruby clients' programs share: where the service is, and the lines that run.mjs reads.

require 'net/http'
require 'uri'

HOST = ENV.fetch('CLIENT_HOST')
MEMCACHED_PORT = ENV.fetch('CLIENT_MEMCACHED_PORT').to_i
BOUND_PORT = ENV.fetch('CLIENT_BOUND_PORT').to_i
HTTP_PORT = ENV.fetch('CLIENT_HTTP_PORT').to_i
PROJECT = ENV.fetch('CLIENT_PROJECT')
TOKEN = ENV.fetch('CLIENT_TOKEN')
CACHE = ENV.fetch('CLIENT_CACHE')
SOURCES = ENV.fetch('CLIENT_SOURCES')

SIGN_IN = "#{TOKEN} #{PROJECT} #{CACHE}".freeze
WRONG_SIGN_IN = "wrong-token #{PROJECT} #{CACHE}".freeze
ALL_BYTES = (0..255).to_a.pack('C*').freeze
LARGE = (ALL_BYTES * 3600)[0, 900 * 1024].freeze
MANY = (0...100).to_h { |i| ["many-#{i}", "value #{i}"] }.freeze

$stdout.sync = true

def say(*words)
  puts(words.map { |word| word.to_s.scrub.split.join(' ') }.join("\t"))
end

# Runs the block and says how that went.
def operation(name)
  yield
  say('passed', name)
rescue StandardError => e
  say('failed', name, "#{e.class}: #{e.message}"[0, 300])
end

def absent(name, reason = '')
  say('absent', name, reason)
end

def missing(reason)
  say('missing', reason)
  exit(0)
end

def same(found, expected)
  return if found == expected

  raise "#{found.inspect[0, 80]} instead of #{expected.inspect[0, 80]} in line #{caller_locations(1, 1).first.lineno}"
end

# The block must raise one of these errors.
def refused(*errors)
  result = yield
rescue *errors
  nil
else
  raise "#{result.inspect[0, 80]} instead of an error"
end

# The item's bytes, as the other door has them.
def by_rest(key)
  names = [CACHE, key].map { |name| URI.encode_www_form_component(name).gsub('+', '%20') }
  uri = URI("http://#{HOST}:#{HTTP_PORT}/1/projects/#{PROJECT}/caches/#{names[0]}/items/#{names[1]}")
  headers = { 'Authorization' => "OAuth #{TOKEN}", 'Accept' => 'application/octet-stream' }
  response = Net::HTTP.get_response(uri, headers)
  raise "#{response.code} #{response.body}" unless response.code == '200'

  response.body.b
end
