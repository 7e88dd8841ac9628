// CloudEvents in, with plain HTTP: structured, batch and binary. REV_BASE_URL, REV_API_KEY.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ask, check, eventsOf, mark } from './checks.mjs';

const agent = `cloudevents-${mark}`;
const source = `/agents/${agent}`;
const data = (outcome = 'success') => ({ agent_id: agent, action: 'email.sent', tokens_input: 1200, tokens_output: 340, outcome });
const time = new Date(Date.now() - 3600_000).toISOString();
const event = (id, more) => ({ specversion: '1.0', type: 'rev.call', source, id, data: data(), ...more });
const send = (type, body, headers) => ask('POST', '/v1/events:ingest', body, { 'content-type': type, ...headers });
const structured = (one) => send('application/cloudevents+json', one);
const batch = (events) => send('application/cloudevents-batch+json', events);
const binary = (id, body) => send('application/json', body, { 'ce-specversion': '1.0', 'ce-type': 'rev.call', 'ce-source': source, 'ce-id': id });

await check('CloudEvents: a structured event is a priced call', async () => {
  const { status, json } = await structured(event('one', { time }));
  assert.deepEqual([status, json.accepted, json.results[0].status, json.results[0].price_charged], [200, 1, 201, '0.01212'], JSON.stringify(json));
  assert.equal(Date.parse(json.results[0].occurred_at), Date.parse(time));
});

await check('CloudEvents: a batch is judged event by event', async () => {
  const { status, json } = await batch([event('two'), event('three', { type: 'rev.refund' }), event('four', { data: data('pending') })]);
  assert.deepEqual([status, json.accepted, json.rejected, json.results.map((r) => r.status)], [200, 2, 1, [201, 400, 201]], JSON.stringify(json));
  assert.equal(json.results[2].price_charged, '0.00962');
});

await check('CloudEvents: an event in binary mode is a priced call', async () => {
  const { status, json } = await binary('five', data());
  assert.deepEqual([status, json.accepted, json.results[0].price_charged], [200, 1, '0.01212'], JSON.stringify(json));
});

await check('CloudEvents: an event that comes again, in any mode, counts once', async () => {
  for (const { status, json } of [await structured(event('five')), await batch([event('five'), event('one', { time }), event('two')]), await binary('two', data())]) {
    assert.equal(status, 200, JSON.stringify(json));
    assert.deepEqual([json.accepted, json.rejected, json.results.every((r) => r.replayed)], [0, 0, true]);
  }
  const other = await structured(event('two', { data: data('failure') }));
  assert.deepEqual([other.status, other.json.code], [409, 'idempotency.key_reused']);
});

await check('CloudEvents: a pending outcome is resolved by source and id', async () => {
  const idempotency_key = `ce:${createHash('sha256').update(`${source}\nfour`).digest('hex')}`;
  const { status, json } = await ask('POST', '/v1/outcomes/resolve', { idempotency_key, outcome: 'success' });
  assert.deepEqual([status, json.price_charged], [200, '0.01212'], JSON.stringify(json));
});

await check('CloudEvents: the events API has each once', async () => {
  const events = await eventsOf(agent);
  assert.deepEqual(events.map((e) => e.price_charged), Array(4).fill('0.01212'));
});
