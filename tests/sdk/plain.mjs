// Rev without an SDK, as a Node program writes it: fetch and nothing else. REV_BASE_URL, REV_API_KEY.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { check } from './checks.mjs';

const { REV_BASE_URL, REV_API_KEY } = process.env;
const agent = `fetch-${randomUUID()}`;
const headers = { Authorization: `Bearer ${REV_API_KEY}`, 'Content-Type': 'application/json' };
const post = (path, body, more) => fetch(`${REV_BASE_URL}${path}`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
let call;

await check('fetch: a pending call is metered, with expires_at as a Date', async () => {
  const answer = await post('/v1/meter', {
    agent_id: agent, action: 'email.sent', tokens_input: 1200, tokens_output: 340, outcome: 'pending', expires_at: new Date(Date.now() + 7 * 24 * 3600_000),
  });
  call = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(call));
  assert.deepEqual([call.outcome_status, call.price_charged], ['pending', '0.00962']);
});

await check('fetch: its outcome is resolved, twice alike', async () => {
  for (let i = 0; i < 2; i++) {
    const answer = await post(`/v1/outcomes/${call.outcome_id}/resolve`, { outcome: 'success', metadata: { reply_received: true } });
    const resolution = await answer.json();
    assert.deepEqual([answer.status, resolution.status, resolution.outcome_bonus, resolution.price_charged], [200, 'succeeded', '0.0025', '0.01212']);
  }
});

await check('fetch: a call that is sent twice under one Idempotency-Key counts once', async () => {
  const once = { 'Idempotency-Key': randomUUID() };
  const body = { agent_id: agent, action: 'email.sent', outcome: 'success' };
  const [first, second] = [await post('/v1/meter', body, once), await post('/v1/meter', body, once)];
  assert.equal((await first.json()).event_id, (await second.json()).event_id);
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.deepEqual([first, second].map((a) => a.headers.get('idempotent-replayed')), [null, 'true']);
});

await check('fetch: the calls are listed', async () => {
  const answer = await fetch(`${REV_BASE_URL}/v1/events?agent_id=${agent}`, { headers });
  const { data } = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal(data.length, 2);
  assert.equal(data[1].event_id, call.event_id);
});

await check('fetch: a month is simulated', async () => {
  const answer = await post('/v1/simulations', { tier: 'default', calls_per_month: 1000, tokens_input: 1200, tokens_output: 340, success_rate: '0.5' });
  const month = await answer.json();
  assert.deepEqual([answer.status, month.total, month.successes], [200, '10.87', '500'], JSON.stringify(month));
});

await check('fetch: a misspelt field is refused with the nearest name', async () => {
  const answer = await post('/v1/meter', { agent_id: agent, action: 'email.sent', token_input: 1200 });
  const problem = await answer.json();
  assert.deepEqual([answer.status, problem.code, answer.headers.get('content-type')], [400, 'request.invalid', 'application/problem+json']);
  assert.match(problem.errors.token_input[0], /tokens_input/);
  assert.equal(problem.request_id, answer.headers.get('x-request-id'));
});

await check('fetch: an unknown key is refused', async () => {
  const answer = await post('/v1/meter', { agent_id: agent, action: 'email.sent' }, { Authorization: 'Bearer rg_live_nobody' });
  assert.deepEqual([answer.status, (await answer.json()).code], [401, 'auth.invalid_key']);
});
