// A proxy in front of REV_BASE_URL in which half of the requests meet a fault: drops before and after, 500, 503, 429, half an answer, a slow one.
// Prints its address, and at the end of its input how often each fault came.
import { FaultProxy, faultsBySeed } from '../../sdks/node/test/support/fault-proxy.mjs';

const proxy = await new FaultProxy(process.env.REV_BASE_URL).start();
proxy.choose = faultsBySeed(7, 0.5);
console.log(proxy.url);
process.on('SIGTERM', () => {
  console.log(JSON.stringify(proxy.faults));
  process.exit(0);
});
