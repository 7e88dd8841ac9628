// A process that tracks, for tests that end it: node tracker.mjs '{"baseUrl":…,"dir":…,"calls":…,"then":…}'
import { Rev } from 'revgrid';

const { baseUrl, apiKey = 'rg_test_key', dir, calls, prefix = 'k', agent = 'a', track = {}, then } = JSON.parse(process.argv[2]);
const rev = new Rev({ apiKey, baseUrl, timeout: 2000, track: { flushInterval: 30, ...track, spool: track.spool === false ? false : { dir, ...track.spool } } });
process.on('warning', () => {});

const taken = [];
for (let i = 0; i < calls; i++) taken.push(rev.track({ agent_id: agent, action: 'x', idempotency_key: `${prefix}-${i}`, metadata: { i } }));
await Promise.all(taken);
const say = (word) => process.stdout.write(`${word} ${JSON.stringify(rev.stats())}\n`);
say('taken');
if (then === 'end') {
  // The loop is empty.
} else if (then === 'exit') process.exit(0);
else if (then === 'throw') throw new Error('a crash');
else if (then === 'close') say(`closed ${JSON.stringify(await rev.close({ timeout: 3000 }))}`);
else if (then === 'go on') {
  for (let i = calls; ; i++) {
    const { idempotency_key } = await rev.track({ agent_id: agent, action: 'x', idempotency_key: `${prefix}-${i}` });
    process.stdout.write(`key ${idempotency_key}\n`);
  }
} else if (then === 'spooled') {
  while (rev.stats().queued > 0) await new Promise((done) => setTimeout(done, 5));
  say('spooled');
  setInterval(() => {}, 1000);
} else setInterval(() => {}, 1000);
