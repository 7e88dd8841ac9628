-- REV_BATCH calls per request.
dofile(os.getenv("REV_WRK") .. "/common.lua")
local size = tonumber(os.getenv("REV_BATCH"))

function init() seed() end

function request()
  local events = {}
  for i = 1, size do events[i] = event() end
  return wrk.format("POST", "/v1/meter/batch", headers, '{"events":[' .. table.concat(events, ",") .. "]}")
end
