-- Sends the requests of a file one after the other, and again from the start. In the file they are separated by a line of
-- its own; the first line is a text in them that is to be another one in each request, the second a number to begin with.
local SEPARATOR = "\n====\n"
local requests, placeholder, turn, position = {}, "", 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  placeholder = file:read("*l")
  turn = tonumber(file:read("*l"))
  local text, start = file:read("*a"), 1
  file:close()
  while true do
    local first, last = text:find(SEPARATOR, start, true)
    if not first then break end
    requests[#requests + 1] = text:sub(start, first - 1)
    start = last + 1
  end
end

function request()
  position = position % #requests + 1
  local text = requests[position]
  local first, last = text:find(placeholder, 1, true)
  if first then
    turn = turn + 1
    text = text:sub(1, first - 1) .. string.format("%0" .. #placeholder .. "d", turn) .. text:sub(last + 1)
  end
  return text
end

function done(summary, latency, _)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  io.write(string.format("measured %d %d %d %d %d\n", summary.requests, summary.duration, p50, p99, failures))
end
