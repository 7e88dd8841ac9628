// Every tracked call of an agent is there, once: node counted.mjs AGENT CALLS NAME. REV_BASE_URL, REV_API_KEY.
import assert from 'node:assert/strict';
import { ask, check, eventsOf } from './checks.mjs';

const [agent, text, name] = process.argv.slice(2);
const calls = Number(text);

await check(`${name}: the events API has ${text} calls, each once`, async () => {
  const events = await eventsOf(agent);
  assert.equal(events.length, calls);
  assert.equal(new Set(events.map((e) => e.event_id)).size, calls);
  const numbers = new Set(events.map((e) => e.metadata.i));
  for (let i = 0; i < calls; i++) assert.ok(numbers.has(i), `call ${i} is missing`);
});

await check(`${name}: and so have the figures`, async () => {
  const { status, json } = await ask('GET', `/v1/analytics/revenue?interval=day&agent_id=${agent}`);
  assert.deepEqual([status, json.totals.calls], [200, calls]);
});
