// Every tracked call of an agent is there, once: node counted.mjs AGENT CALLS NAME. REV_BASE_URL, REV_API_KEY.
import assert from 'node:assert/strict';
import { ask, check, eventsOf, nanos } from './checks.mjs';

const [agent, text, name] = process.argv.slice(2);
const calls = Number(text);

let events = [];
await check(`${name}: the events API has ${text} calls, each once`, async () => {
  events = await eventsOf(agent);
  assert.equal(events.length, calls);
  assert.equal(new Set(events.map((e) => e.event_id)).size, calls);
  const numbers = new Set(events.map((e) => e.metadata.i));
  for (let i = 0; i < calls; i++) assert.ok(numbers.has(i), `call ${i} is missing`);
});

await check(`${name}: and so have the figures`, async () => {
  const { status, json } = await ask('GET', `/v1/analytics/revenue?interval=day&agent_id=${agent}`);
  assert.deepEqual([status, json.totals.calls], [200, calls]);
});

// scripts/sdk.sh gives the agent a customer of its name. A day around now, should the month have turned meanwhile.
await check(`${name}: and the customer's statement bills ${text} calls, for the sum of what they were told`, async () => {
  const [from, to] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
  const { status, json } = await ask('GET', `/v1/customers/${agent}/statement?from=${from}&to=${to}`);
  assert.deepEqual([status, json.currencies.map((c) => c.currency)], [200, ['usd']]);
  const [{ total, lines }] = json.currencies;
  const base = lines.filter((l) => l.component === 'base');
  assert.deepEqual([base.map((l) => l.agent_id), base.reduce((sum, l) => sum + l.quantity, 0)], [[agent], calls]);
  const told = events.reduce((sum, e) => sum + nanos(e.price_charged), 0n);
  assert.ok(told > 0n);
  assert.deepEqual([nanos(total), lines.reduce((sum, l) => sum + nanos(l.amount), 0n)], [told, told]);
});
