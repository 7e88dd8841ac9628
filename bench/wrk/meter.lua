-- One call per request.
dofile(os.getenv("REV_WRK") .. "/common.lua")

function init() seed() end

function request() return wrk.format("POST", "/v1/meter", headers, event()) end
