-- What the load scripts share: a random key in every request, 1,000 agents of 200 customers, 5 actions.
local actions = { "email.sent", "ticket.solved", "lead.found", "call.booked", "report.made" }
local threads = {}

function setup(thread) table.insert(threads, thread) end

function seed()
  local random = io.open("/dev/urandom", "rb")
  local a, b, c, d = random:read(4):byte(1, 4)
  random:close()
  math.randomseed(a + b * 256 + c * 65536 + d * 16777216)
end

local function hex() return string.format("%04x%04x", math.random(0, 65535), math.random(0, 65535)) end

function event()
  local agent = math.random(0, 999)
  return '{"agent_id":"agent-' .. agent .. '","action":"' .. actions[agent % 5 + 1] .. '","tokens_input":1200,"tokens_output":340,"outcome":"success","customer_id":"customer-'
    .. agent % 200 .. '","metadata":{"recipient":"prospect@company.com","campaign":"q2"},"idempotency_key":"' .. hex() .. hex() .. hex() .. hex() .. '"}'
end

headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. (os.getenv("REV_KEY") or "none") }

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"max":%d,"status":%d,"socket":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
