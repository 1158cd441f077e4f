-- GETs or PUTs of many items. Arguments: METHOD, path of the items, token, number of keys, bytes per value.
local requests, next_request = {}, 0

function init(arguments)
  local method, path, token = arguments[1], arguments[2], arguments[3]
  local keys, bytes = tonumber(arguments[4]), tonumber(arguments[5])
  local headers = { Authorization = "OAuth " .. token }
  local body
  if method == "PUT" then
    headers["Content-Type"] = "application/json"
    body = '{"value":"' .. string.rep("v", bytes) .. '"}'
  end
  for i = 0, keys - 1 do
    requests[i] = wrk.format(method, string.format("%s/key-%08d", path, i), headers, body)
  end
end

function request()
  next_request = (next_request + 1) % (#requests + 1)
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  local wrong = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.4f,"requestsPerSecond":%.1f,"wrong":%d,"bytes":%.0f,' ..
    '"p50":%.1f,"p90":%.1f,"p99":%.1f,"p999":%.1f,"max":%.1f}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6), wrong, summary.bytes,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max))
end
