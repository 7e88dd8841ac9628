// Against a running Rev: REV_BASE_URL and REV_API_KEY (of the scope admin). Everything is under agents and customers of its own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Rev, revgrid, RevConflictError, RevInvalidRequestError, RevNotFoundError, RevAuthenticationError, verifyWebhook } from 'revgrid';
import { FaultProxy, faultsBySeed } from '../support/fault-proxy.mjs';

const { REV_BASE_URL, REV_API_KEY } = process.env;
const mark = randomBytes(4).toString('hex');
const agent = (name) => `sdk-${mark}-${name}`;
const call = (name, more) => ({ agent_id: agent(name), action: 'email.accepted', tokens_input: 1200, tokens_output: 340, ...more });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** What Rev has of an agent: every call, by its id. */
async function callsOf(name) {
  const ids = [];
  for await (const event of revgrid.events.list({ agent_id: agent(name), limit: 200 })) ids.push(event.event_id);
  assert.equal(new Set(ids).size, ids.length);
  return ids.length;
}

const dirs = [];
const dir = () => dirs[dirs.push(mkdtempSync(join(tmpdir(), 'rev-e2e-'))) - 1];

describe('A running Rev', { skip: REV_BASE_URL && REV_API_KEY ? false : 'REV_BASE_URL and REV_API_KEY are not set' }, () => {
  let proxy;
  before(async () => { proxy = await new FaultProxy(REV_BASE_URL).start(); });
  after(async () => {
    await proxy.stop();
    for (const one of dirs) rmSync(one, { recursive: true, force: true });
  });

  test('One line of code meters, another one resolves', async () => {
    const { outcome_id, price_charged } = await revgrid.meter({
      agent_id: agent('quick'), action: 'email.accepted', tokens_input: 1200, tokens_output: 340, outcome: 'pending', expires_at: new Date(Date.now() + 7 * 24 * 3600_000),
    });
    const resolution = await revgrid.resolveOutcome(outcome_id, { outcome: 'success', metadata: { reply_received: true } });
    assert.equal(resolution.status, 'succeeded');
    assert.equal(typeof price_charged, 'string');
    assert.deepEqual(await revgrid.resolveOutcome(outcome_id, { outcome: 'success' }), resolution);
    await assert.rejects(revgrid.resolveOutcome(outcome_id, { outcome: 'failure' }), (e) => e instanceof RevConflictError && e.code === 'outcome.already_resolved' && /^[0-9a-f]{32}$/.test(e.request_id));
    const details = await revgrid.outcomes.get(outcome_id);
    assert.deepEqual([details.status, details.transitions.length, details.metadata.reply_received], ['succeeded', 2, true]);
    const reversal = await revgrid.reverseOutcome(outcome_id, 'a refund');
    assert.deepEqual([reversal.status, reversal.reason], ['reversed', 'a refund']);
    assert.deepEqual(await revgrid.reverseOutcome(outcome_id, 'again'), reversal);
  });

  test('A call is resolved by its idempotency key', async () => {
    const idempotency_key = `mail-${mark}`;
    const { outcome_id } = await revgrid.meter(call('key', { outcome: 'pending', idempotency_key }));
    assert.equal((await revgrid.resolveOutcome({ idempotency_key, outcome: 'failure' })).outcome_id, outcome_id);
    const { results } = await revgrid.resolveOutcomes([{ idempotency_key, outcome: 'failure' }, { idempotency_key: 'none', outcome: 'success' }]);
    assert.deepEqual([results[0].status, results[0].outcome_status, results[1].status, results[1].error.code], [200, 'failed', 404, 'outcome.not_found']);
  });

  test('Everything there is to read answers what its type says', async () => {
    const customer = `sdk-${mark}`;
    const tier = await revgrid.tiers.put(`sdk-${mark}`, {
      name: 'SDK', base_fee: 0.01, token_rates: { input_per_million: '3', output_per_million: 15 },
      outcome_bonuses: [{ name: 'reply', when: { field: 'metadata.reply', op: 'eq', value: true }, amount: '2.50' }], pending: { expires_after: 'P3D' }, review_window: 'PT0S',
    });
    assert.deepEqual([tier.version, tier.base_fee, tier.pending.expires_after, tier.archived_at], [1, '0.01', 'P3D', null]);
    assert.equal((await revgrid.tiers.get(tier.key)).key, tier.key);
    assert.equal((await revgrid.tiers.versions(tier.key).page()).data.length, 1);
    assert.equal((await revgrid.customers.put(customer, { name: 'Acme', tier: tier.key, metadata: { plan: 'x' } })).tier, tier.key);
    assert.equal((await revgrid.customers.get(customer)).metadata.plan, 'x');
    assert.equal((await revgrid.agents.put(agent('read'), { name: 'Reader', customer_id: customer })).customer_id, customer);
    assert.equal((await revgrid.agents.get(agent('read'))).name, 'Reader');

    const receipt = await revgrid.meter(call('read', { outcome: 'success', metadata: { reply: true }, model: 'small-1' }));
    assert.deepEqual(receipt.price, { base_fee: '0.01', token_charge: '0.0087', outcome_bonus: '2.5', total: '2.5187' });
    assert.deepEqual([receipt.bonus.name, receipt.customer_id, receipt.model], ['reply', customer, 'small-1']);
    const event = await revgrid.events.get(receipt.event_id);
    assert.equal(event.ledger.length, 3);
    assert.equal((await revgrid.events.list({ agent_id: agent('read'), from: new Date(Date.now() - 60_000) }).page()).data[0].event_id, receipt.event_id);
    assert.equal((await revgrid.outcomes.list({ agent_id: agent('read'), status: 'succeeded' }).page()).data[0].outcome_id, receipt.outcome_id);

    const statement = await revgrid.statement(customer, { from: new Date(Date.now() - 3600_000), to: new Date(Date.now() + 3600_000) });
    assert.equal(statement.currencies[0].total, '2.5187');
    assert.equal((await revgrid.customers.statement(customer)).currencies[0].lines.length, 3);
    const csv = await revgrid.customers.statementCsv(customer);
    assert.match(csv, /^service_at,effective_at,event_id,/);
    assert.equal(csv.trim().split('\n').length, 4);

    const series = await revgrid.analytics.revenue({ agent_id: agent('read'), interval: 'hour', group_by: 'agent' });
    assert.deepEqual([series.totals.calls, series.totals.revenue, series.data[0].group], [1, '2.5187', agent('read')]);
    assert.ok((await revgrid.analytics.summary()).month_to_date.calls >= 1);

    const month = await revgrid.simulate({ tier: tier.key, calls_per_month: 1000, tokens_input: 1200, tokens_output: 340, success_rate: '0.1', bonuses: [{ name: 'reply', share: 1 }], compare: { seat_price: 99, seats: 3 } });
    assert.deepEqual([month.total, month.compare.seats.total], ['268.7', '297']);
    assert.equal((await revgrid.replay({ tier: { name: 'Flat', base_fee: '1' }, customer_id: customer })).replayed.total, '1');
    assert.equal((await revgrid.request('GET', '/v1/account')).currency.length, 3);
  });

  test('A refusal says what to mend', async () => {
    await assert.rejects(revgrid.meter({ ...call('error'), token_input: 5 }), (e) => e instanceof RevInvalidRequestError && e.code === 'request.invalid' && /tokens_input/.test(e.errors.token_input[0]) && e.message.includes(e.request_id));
    await assert.rejects(revgrid.outcomes.get('out_00000000000000000000000000'), RevNotFoundError);
    await assert.rejects(new Rev({ apiKey: 'rg_live_nobody' }).meter(call('error')), RevAuthenticationError);
    await revgrid.meter(call('error'), { idempotencyKey: `k-${mark}` });
    await assert.rejects(revgrid.meter(call('error', { tokens_input: 1 }), { idempotencyKey: `k-${mark}` }), (e) => e.code === 'idempotency.key_reused');
  });

  test('A batch is judged item by item', async () => {
    const answer = await revgrid.meterBatch([call('batch', { outcome: 'success' }), { agent_id: agent('batch') }, call('batch', { outcome: 'pending', expires_at: new Date(Date.now() + 60_000) })]);
    assert.deepEqual([answer.accepted, answer.rejected, answer.results.map((r) => r.status)], [2, 1, [201, 400, 201]]);
    assert.ok('action' in answer.results[1].error.errors);
  });

  test('A run is metered with what it used', async () => {
    let seen;
    await revgrid.run({ agentId: agent('run'), action: 'ticket.closed', onMetered: (receipt) => (seen = receipt) }, async (run) => {
      run.tokens({ model: 'm-1', usage: { input_tokens: 20, cache_read_input_tokens: 80, cache_creation_input_tokens: 0, output_tokens: 10 } });
      run.success({ csat: 5 });
    });
    assert.deepEqual([seen.tokens_input, seen.tokens_output, seen.outcome_status, seen.model], [100, 10, 'succeeded', 'm-1']);
    await assert.rejects(revgrid.run({ agentId: agent('run'), action: 'ticket.closed' }, () => { throw new Error('x'); }), /x/);
    assert.equal((await revgrid.outcomes.list({ agent_id: agent('run'), status: 'failed' }).page()).data.length, 1);
  });

  test('Every metered call counts once, whatever happens between it and Rev', async () => {
    proxy.choose = faultsBySeed(20261127, 0.35);
    proxy.slow = 1400;
    const one = new Rev({ baseUrl: proxy.url, timeout: 1000, maxRetries: 12 });
    const receipts = new Set();
    let next = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (next++ < 240) receipts.add((await one.meter(call('faults'))).event_id);
    }));
    const batch = await one.meterBatch(Array.from({ length: 60 }, () => call('faults')));
    proxy.choose = () => null;
    assert.equal(batch.rejected, 0);
    assert.equal(receipts.size, 240);
    assert.ok(Object.keys(proxy.faults).length >= 6, JSON.stringify(proxy.faults));
    await sleep(1600);
    assert.equal(await callsOf('faults'), 300);
  });

  test('10,000 tracked calls arrive once each, with Rev out of reach in between', async () => {
    const one = new Rev({ baseUrl: proxy.url, timeout: 5000, track: { spool: { dir: dir() }, flushInterval: 50, onRejected: (_, e) => assert.fail(e) } });
    for (let i = 0; i < 10_000; i++) {
      void one.track(call('track', { outcome: i % 3 ? 'success' : undefined, metadata: { i } }));
      if (i === 3000) await proxy.stop();
      if (i === 7000) await proxy.start();
      if (i % 100 === 0) await sleep(2);
    }
    const stats = await one.flush({ timeout: 120_000 });
    await one.close();
    assert.deepEqual([stats.tracked, stats.accepted + stats.duplicates, stats.rejected + stats.lost, stats.pending], [10_000, 10_000, 0, 0]);
    assert.equal(await callsOf('track'), 10_000);
    const { totals } = await revgrid.analytics.revenue({ agent_id: agent('track'), interval: 'day' });
    assert.equal(totals.calls, 10_000);
  });

  test('Tracked calls of a process that was killed while Rev was out of reach are sent by the next, once', async () => {
    const folder = dir();
    await proxy.stop();
    const worker = spawn(process.execPath, [fileURLToPath(new URL('../support/tracker.mjs', import.meta.url)), JSON.stringify({ baseUrl: proxy.url, apiKey: REV_API_KEY, dir: folder, calls: 500, prefix: `kill-${mark}`, then: 'spooled', agent: agent('kill') })], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((done) => { let out = ''; worker.stdout.on('data', (part) => (out += part).includes('spooled ') && done()); });
    worker.kill('SIGKILL');
    await new Promise((done) => worker.on('close', done));
    await proxy.start();
    const one = new Rev({ baseUrl: proxy.url, track: { spool: { dir: folder } } });
    const stats = await one.flush({ timeout: 60_000 });
    await one.close();
    const again = await new Rev({ baseUrl: proxy.url, track: { spool: { dir: folder } } }).flush();
    assert.deepEqual([stats.recovered, stats.accepted + stats.duplicates, again.recovered], [500, 500, 0]);
    assert.equal(await callsOf('kill'), 500);
  });

  test('A webhook that Rev signs is verified', async (context) => {
    const received = [];
    const receiver = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      received.push({ body: Buffer.concat(chunks), headers: request.headers });
      response.end();
    });
    await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
    try {
      let endpoint;
      try {
        endpoint = await revgrid.request('POST', '/v1/webhook_endpoints', { body: { url: `http://127.0.0.1:${receiver.address().port}/hooks`, events: ['outcome.*'] }, idempotencyKey: `wep-${mark}` });
      } catch (error) {
        if (error.code === 'request.invalid') return context.skip('this Rev sends no webhooks to private addresses');
        throw error;
      }
      const delivery = await revgrid.request('POST', `/v1/webhook_endpoints/${endpoint.id}/test`);
      assert.equal(delivery.status, 'delivered');
      const first = verifyWebhook(received[0].body, received[0].headers, endpoint.secret);
      assert.deepEqual([first.type, first.data], ['webhook.test', { endpoint_id: endpoint.id }]);

      const rotated = await revgrid.request('POST', `/v1/webhook_endpoints/${endpoint.id}/rotate`, { body: { grace: 'PT1H' } });
      await revgrid.request('POST', `/v1/webhook_endpoints/${endpoint.id}/test`);
      for (const secret of [endpoint.secret, rotated.secret, [rotated.secret, endpoint.secret]]) verifyWebhook(received[1].body, received[1].headers, secret);
      assert.throws(() => verifyWebhook(received[1].body, received[1].headers, `whsec_${randomBytes(32).toString('base64')}`), (e) => e.reason === 'bad_signature');
      await revgrid.request('DELETE', `/v1/webhook_endpoints/${endpoint.id}`);
    } finally {
      await new Promise((done) => receiver.close(done));
    }
  });
});
