import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Rev, RevInvalidRequestError } from 'revgrid';
import { FakeRev, problem } from '../support/fake-rev.mjs';

let server;
let dir;
const rev = (more) => new Rev({ apiKey: 'rg_test_key', baseUrl: server.url, timeout: 1000, maxRetries: 1, track: { spool: { dir }, flushInterval: 20, onRejected: () => {} }, ...more });
const options = { agentId: 'a', action: 'email.accepted' };
const stored = () => [...server.calls.values()].map(({ call: { idempotency_key: _, ...content } }) => content);
const usage = JSON.parse(readFileSync(new URL('../fixtures/usage/anthropic-cached.json', import.meta.url), 'utf8')).response;
const stream = JSON.parse(readFileSync(new URL('../fixtures/usage/anthropic-stream.events.json', import.meta.url), 'utf8'));

before(async () => { server = await new FakeRev().start(); dir = mkdtempSync(join(tmpdir(), 'rev-run-')); });
after(async () => { await server.stop(); rmSync(dir, { recursive: true }); });
beforeEach(() => { server.before = null; server.refuse = () => null; server.requests = []; server.calls.clear(); });

describe('A run', () => {
  test('is metered with its tokens, its model and what came of it, and answers what the work answers', async () => {
    let kept;
    const receipts = [];
    const result = await rev().run({ ...options, customerId: 'acme', metadata: { campaign: 'q2' }, onMetered: (r) => receipts.push(r) }, async (run) => {
      kept = run;
      run.tokens(usage);
      run.tokens({ prompt_tokens: 100, completion_tokens: 10 });
      run.tokens(7, 3);
      assert.deepEqual(run.counted, { tokens_input: 6320, tokens_output: 516 });
      run.success({ reply_received: true });
      return 'the result';
    });
    assert.equal(result, 'the result');
    const [call] = stored();
    const { occurred_at, ...rest } = call;
    assert.ok(Math.abs(Date.parse(occurred_at) - Date.now()) < 5000);
    assert.deepEqual(rest, {
      agent_id: 'a', action: 'email.accepted', tokens_input: 6320, tokens_output: 516, outcome: 'success', customer_id: 'acme', model: 'claude-sonnet-4-5-20250929',
      metadata: { campaign: 'q2', reply_received: true },
    });
    assert.equal(kept.receipt.event_id, receipts[0].event_id);
    assert.equal(server.requests[0].headers['idempotency-key'], kept.idempotency_key);
  });

  test('that throws is a failure, and the error goes on', async () => {
    const error = new Error('the model is down');
    await assert.rejects(rev().run(options, async (run) => { run.tokens(5, 0); run.success({ sent: true }); throw error; }), (e) => e === error);
    assert.deepEqual([stored()[0].outcome, stored()[0].tokens_input], ['failure', 5]);
  });

  test('does not mind what onMetered throws', async () => {
    const onMetered = () => { throw new Error('mine'); };
    assert.equal(await rev().run({ ...options, onMetered }, () => 1), 1);
    await assert.rejects(rev().run({ ...options, onMetered }, () => { throw new Error('the work’s'); }), /the work’s/);
    assert.equal(server.count, 2);
  });

  test('that throws without waiting is a failure, too', async () => {
    await assert.rejects(rev().run(options, () => { throw new TypeError('x'); }), TypeError);
    assert.equal(stored()[0].outcome, 'failure');
  });

  test('that says nothing tracks no outcome', async () => {
    await rev().run(options, (run) => void run.tokens(5, 1));
    assert.ok(!('outcome' in stored()[0]));
  });

  test('may be pending, with a deadline, and is resolved by its key', async () => {
    const at = new Date(Date.now() + 3_600_000);
    let key;
    await rev().run({ agent_id: 'a', action: 'b', idempotency_key: 'mail-7' }, (run) => { key = run.idempotency_key; run.model('small').pending({ expires_at: at, metadata: { to: 'x' } }); });
    assert.equal(key, 'mail-7');
    assert.deepEqual([stored()[0].outcome, stored()[0].expires_at, stored()[0].model, stored()[0].metadata], ['pending', at.toISOString(), 'small', { to: 'x' }]);
  });

  test('that decides otherwise drops the deadline', async () => {
    await rev().run(options, (run) => { run.pending({ expires_at: new Date(Date.now() + 1000) }); run.failure({ bounced: true }); });
    assert.deepEqual([stored()[0].outcome, stored()[0].expires_at, stored()[0].metadata], ['failure', undefined, { bounced: true }]);
  });

  test('counts an Anthropic stream by its events once', async () => {
    await rev().run(options, (run) => {
      for (const event of stream) if (event.type === 'message_start' || event.type === 'message_delta') run.tokens(event);
      for (const event of stream) if (event.type === 'message_start') run.tokens(event);
      run.tokens({ type: 'message_delta', usage: { input_tokens: 425, cache_read_input_tokens: 1000, output_tokens: 40 } });
      run.tokens({ type: 'message_delta', usage: { output_tokens: 50 } });
    });
    assert.deepEqual([stored()[0].tokens_input, stored()[0].tokens_output, stored()[0].model], [1025 + 1025, 15 + 50, 'claude-sonnet-4-5']);
  });

  test('refuses two streams at once, whose events cannot be told apart', async () => {
    await assert.rejects(rev().run(options, (run) => { run.tokens(stream[0]); run.tokens(stream[0]); }), RevInvalidRequestError);
    assert.equal(stored()[0].outcome, 'failure');
  });

  test('without an agent or an action does not begin', async () => {
    let began = false;
    await assert.rejects(rev().run({ action: 'x' }, () => { began = true; }), RevInvalidRequestError);
    assert.equal(began, false);
  });

  test('under a key that is none does not begin', async () => {
    for (const idempotencyKey of ['', 7, 'x'.repeat(256)]) {
      await assert.rejects(rev().run({ ...options, idempotencyKey }, () => assert.fail('it began')), (e) => e instanceof RevInvalidRequestError && 'idempotency_key' in e.errors);
    }
  });

  test('that is over takes no more: what comes late cannot be charged, and is told', async () => {
    let kept;
    await rev().run(options, (run) => { kept = run; run.tokens(5, 1); });
    for (const late of [() => kept.tokens(7, 1), () => kept.tokens({ usage: { input_tokens: 1, output_tokens: 1 } }), () => kept.success(), () => kept.metadata({ a: 1 }), () => kept.model('m')]) {
      assert.throws(late, (e) => e instanceof RevInvalidRequestError && 'run' in e.errors);
    }
    assert.deepEqual([kept.counted.tokens_input, stored()[0].tokens_input], [5, 5]);
  });

  test('is not told the half of two numbers', async () => {
    await assert.rejects(rev().run(options, (run) => void run.tokens(1200, {}.outputTokens)), (e) => e instanceof RevInvalidRequestError && 'usage' in e.errors);
  });

  test('keeps metadata of any name', async () => {
    await rev().run(options, (run) => void run.metadata(JSON.parse('{"__proto__":{"polluted":true},"a":1}')));
    assert.equal(server.requests[0].text.includes('"__proto__":{"polluted":true}'), true);
    assert.equal({}.polluted, undefined);
  });

  test('keeps its result when what answers is no Rev; its call is sent later, once', async () => {
    const one = rev();
    server.before = () => ({ status: 404, body: '<html>no backend</html>' });
    assert.equal(await one.run(options, () => 42), 42);
    server.before = null;
    const stats = await one.flush();
    assert.deepEqual([server.count, stats.accepted, stats.pending], [1, 1, 0]);
    await one.close();
  });

  test('without a key does not begin', async () => {
    let began = false;
    await assert.rejects(rev({ apiKey: '' }).run(options, () => { began = true; }), (e) => e.code === 'client.not_configured');
    assert.equal(began, false);
  });

  test('keeps its result when Rev is away; its call is sent later, once', async () => {
    const one = rev();
    server.before = () => problem(503, 'service.unavailable');
    assert.equal(await one.run(options, (run) => { run.success(); return 42; }), 42);
    assert.equal(server.count, 0);
    server.before = null;
    const stats = await one.flush();
    assert.deepEqual([server.count, stats.accepted, stats.queued + stats.spooled], [1, 1, 0]);
    await one.close();
  });

  test('whose call was stored before the answer was lost counts once', async () => {
    const one = rev();
    let stored = false;
    server.before = ({ url, headers, body }, response) => {
      if (url !== '/v1/meter') return null;
      if (stored) return problem(500, 'internal.error');
      stored = true;
      server.store(headers['idempotency-key'], body);
      response.destroy();
      return 'done';
    };
    assert.equal(await one.run(options, () => 1), 1);
    const stats = await one.flush();
    assert.deepEqual([server.count, stats.duplicates, stats.accepted], [1, 1, 0]);
    await one.close();
  });

  test('tells a refusal of its call, but never in place of its own error', async () => {
    server.refuse = () => problem(400, 'request.invalid', { errors: { action: ['is bad'] } });
    await assert.rejects(rev().run(options, () => 1), (e) => e instanceof RevInvalidRequestError && e.errors.action[0] === 'is bad');
    const told = [];
    const one = rev({ track: { spool: { dir }, onRejected: (call, error) => told.push([error.code, call.agent_id]) } });
    await assert.rejects(one.run(options, () => { throw new Error('mine'); }), /mine/);
    assert.deepEqual(told, [['request.invalid', 'a']]);
  });

  test('sends what an earlier process could not, though nothing is tracked', async () => {
    const one = rev();
    server.before = () => problem(503, 'service.unavailable');
    await one.run(options, () => 1);
    await one.close({ timeout: 30 });
    assert.equal(one.stats().spooled, 1);
    server.before = null;
    const next = rev();
    await next.run(options, () => 1);
    for (let i = 0; i < 400 && server.count < 2; i++) await new Promise((done) => setTimeout(done, 5));
    assert.equal(server.count, 2);
    await next.close();
  });

  test('in the background does not wait', async () => {
    const one = rev();
    assert.equal(await one.run({ ...options, background: true }, (run) => { run.success(); return 1; }), 1);
    assert.equal(server.count, 0);
    await one.close();
    assert.equal(server.count, 1);
  });

  test('on a machine whose clock is wrong counts when it is received', async () => {
    server.refuse = (c) => (c.occurred_at ? problem(400, 'request.invalid', { errors: { occurred_at: ['must be at most 5 minutes ahead'] } }) : null);
    await rev().run(options, (run) => void run.success());
    assert.deepEqual([server.count, stored()[0].occurred_at], [1, undefined]);
  });
});
