import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { after, before, beforeEach, describe, test } from 'node:test';
import revgrid, * as all from 'revgrid';
import {
  Rev, RevAbortError, RevAuthenticationError, RevConfigError, RevConflictError, RevConnectionError, RevError, RevInvalidRequestError, RevNotFoundError,
  RevPermissionError, RevRateLimitError, RevServerError, RevTimeoutError,
} from 'revgrid';
import { FakeRev, problem } from '../support/fake-rev.mjs';

let server;
const rev = (more) => new Rev({ apiKey: 'rg_test_key', baseUrl: server.url, timeout: 2000, ...more });
const call = { agent_id: 'a', action: 'email.sent', tokens_input: 1200, tokens_output: 340 };

before(async () => { server = await new FakeRev().start(); });
after(() => server.stop());
beforeEach(() => { server.before = null; server.requests = []; server.calls.clear(); });

/** Answers the given oddities first, then as usual. */
function first(...odd) {
  server.before = () => odd.shift() ?? null;
}

describe('One line of code', () => {
  test('The default instance reads the environment at its first call, and not before', async () => {
    const { REV_API_KEY, REV_BASE_URL } = process.env;
    delete process.env.REV_API_KEY;
    process.env.REV_BASE_URL = server.url;
    await assert.rejects(revgrid.meter(call), (e) => e instanceof RevConfigError && e.code === 'client.not_configured');
    process.env.REV_API_KEY = ' rg_test_key\n';
    const { outcome_id } = await revgrid.meter({ ...call, outcome: 'pending', expires_at: new Date(Date.now() + 60_000) });
    assert.match(outcome_id, /^out_/);
    const resolved = await all.resolveOutcome(outcome_id, { outcome: 'success', metadata: { reply_received: true } });
    assert.equal(resolved.outcome_id, outcome_id);
    assert.deepEqual(server.requests.map((r) => r.url), ['/v1/meter', `/v1/outcomes/${outcome_id}/resolve`]);
    assert.throws(() => revgrid.configure({ timeout: 1 }), RevConfigError);
    Object.assign(process.env, { REV_API_KEY: REV_API_KEY ?? '', REV_BASE_URL: REV_BASE_URL ?? '' });
  });

  test('ES modules and CommonJS share one default instance and one RevError', () => {
    const required = createRequire(import.meta.url)('revgrid');
    assert.equal(required.revgrid, revgrid);
    assert.equal(required.default, revgrid);
    assert.equal(required.RevError, RevError);
    assert.equal(typeof required.meter, 'function');
    assert.equal(all.revgrid, revgrid);
  });

  test('A request has the key, the content type, an idempotency key and who sends it', async () => {
    await rev().meter(call);
    const { headers, body } = server.requests[0];
    assert.equal(headers.authorization, 'Bearer rg_test_key');
    assert.equal(headers['content-type'], 'application/json');
    assert.match(headers['user-agent'], /^revgrid-node\/\d/);
    assert.match(headers['idempotency-key'], /^[0-9a-f-]{36}$/);
    assert.deepEqual(body, call);
  });

  test('The key is not shown by inspecting or printing an instance', async () => {
    const one = rev({ apiKey: 'rg_test_key' });
    await one.meter(call);
    assert.doesNotMatch(inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one), /rg_test_key/);
  });

  test('An address that is none and a key that is none are told before anything is sent', async () => {
    for (const baseUrl of ['localhost:5080', 'ftp://x', 'http://u:p@x', 'x', 'http://x/?a=1']) assert.throws(() => new Rev({ baseUrl }), RevConfigError, baseUrl);
    await assert.rejects(rev({ apiKey: 'rg_test_ü' }).meter(call), RevConfigError);
    assert.equal(server.requests.length, 0);
    await rev({ baseUrl: `${server.url}///` }).meter(call);
    assert.equal(server.requests[0].url, '/v1/meter');
  });
});

describe('What is sent', () => {
  test('Dates become RFC 3339, also within metadata', async () => {
    const at = new Date('2026-11-23T12:00:00.123Z');
    await rev().meter({ ...call, outcome: 'pending', expires_at: at, occurred_at: '2026-11-23T11:00:00Z', metadata: { seen: at } });
    const { body } = server.requests[0];
    assert.equal(body.expires_at, '2026-11-23T12:00:00.123Z');
    assert.equal(body.occurred_at, '2026-11-23T11:00:00Z');
    assert.equal(body.metadata.seen, '2026-11-23T12:00:00.123Z');
  });

  test('What JSON would turn into null in silence is refused: NaN tokens, an invalid Date', async () => {
    for (const [odd, field] of [[{ tokens_input: NaN }, 'tokens_input'], [{ expires_at: new Date('never') }, 'expires_at'], [{ metadata: { value: Infinity } }, 'value']]) {
      await assert.rejects(rev().meter({ ...call, ...odd }), (e) => e instanceof RevInvalidRequestError && e.code === 'client.invalid' && field in e.errors && !e.retryable);
    }
    for (const odd of [() => 1, Symbol('x')]) await assert.rejects(rev().meter({ ...call, metadata: { odd } }), (e) => e.code === 'client.invalid' && 'odd' in e.errors);
    const circle = {};
    circle.circle = circle;
    await assert.rejects(rev().meter({ ...call, metadata: circle }), (e) => e.code === 'client.invalid');
    await assert.rejects(rev().meter(undefined), (e) => e.code === 'client.invalid');
    assert.equal(server.requests.length, 0);
  });

  test('A bigint is a number, half an emoji is U+FFFD, and undefined is absent', async () => {
    await rev().meter({ ...call, tokens_input: 12n, model: undefined, metadata: { text: 'ok \ud83d' } });
    const { body } = server.requests[0];
    assert.equal(body.tokens_input, 12);
    assert.equal(body.metadata.text, 'ok \ufffd');
    assert.ok(!('model' in body));
  });

  test('An idempotency key of yours goes where it can: the header, or the body if it is no ASCII', async () => {
    await rev().meter(call, { idempotencyKey: 'mail-1' });
    await rev().meter({ ...call, idempotency_key: 'mail-2' });
    await rev().meter({ ...call, idempotency_key: 'Größe' });
    assert.deepEqual(server.requests.map((r) => [r.headers['idempotency-key'], r.body.idempotency_key]), [['mail-1', undefined], ['mail-2', undefined], [undefined, 'Größe']]);
    await assert.rejects(rev().meter({ ...call, idempotency_key: 'a' }, { idempotencyKey: 'b' }), (e) => e.code === 'client.invalid');
  });

  test('A key that is none is refused, and so is what no request can hold', async () => {
    for (const key of ['', 7, 'x'.repeat(256), 'a\u0000']) {
      await assert.rejects(rev().meter({ ...call, idempotency_key: key }), (e) => e.code === 'client.invalid' && 'idempotency_key' in e.errors, String(key));
      await assert.rejects(rev().meter(call, { idempotencyKey: key }), (e) => e.code === 'client.invalid');
      await assert.rejects(rev().meterBatch([call], { idempotencyKey: key === 7 ? 'ü' : key }), (e) => e.code === 'client.invalid');
      await assert.rejects(rev().request('POST', '/v1/api_keys', { idempotencyKey: key === 7 ? 'ü' : key }), (e) => e.code === 'client.invalid');
    }
    await assert.rejects(rev().request('GET', '/v1/account', { body: {} }), (e) => e.code === 'client.invalid' && 'body' in e.errors);
    assert.equal(server.requests.length, 0);
  });

  test('Times and counts that are none are refused: NaN would be no timeout, and repeats without end', async () => {
    for (const odd of [{ timeout: NaN }, { timeout: 0 }, { timeout: -1 }, { maxRetries: NaN }, { maxRetries: -1 }, { timeout: '5' }]) {
      assert.throws(() => rev(odd), (e) => e.code === 'client.invalid', JSON.stringify(odd));
      assert.throws(() => new Rev().configure(odd), (e) => e.code === 'client.invalid');
      await assert.rejects(rev().meter(call, odd), (e) => e.code === 'client.invalid' && Object.keys(odd)[0] in e.errors);
    }
    assert.equal(server.requests.length, 0);
  });

  test('A replay says so', async () => {
    const one = await rev().meter(call, { idempotencyKey: 'k' });
    const two = await rev().meter(call, { idempotencyKey: 'k' });
    assert.equal(one.replayed, undefined);
    assert.equal(two.replayed, true);
    assert.equal(one.event_id, two.event_id);
  });

  test('An id that is none never reaches another address', async () => {
    for (const id of [undefined, null, '', '.', '..', 7]) {
      await assert.rejects(rev().resolveOutcome(id, { outcome: 'success' }), (e) => e.code === 'client.invalid', String(id));
      await assert.rejects(rev().outcomes.get(id), (e) => e.code === 'client.invalid');
    }
    await rev().customers.get('a/b?c');
    assert.equal(server.requests[0].url, '/v1/customers/a%2Fb%3Fc');
  });

  test('Outcomes are resolved by their call, too, and reversed with a reason', async () => {
    await assert.rejects(rev().resolveOutcome({ idempotency_key: 'mail-1', outcome: 'success' }), RevNotFoundError);
    assert.deepEqual([server.requests[0].url, server.requests[0].body], ['/v1/outcomes/resolve', { idempotency_key: 'mail-1', outcome: 'success' }]);
    await rev().reverseOutcome('out_1', 'refund');
    await rev().reverseOutcome('out_1', { reason: 'refund' });
    assert.deepEqual(server.requests.slice(1).map((r) => r.body), [{ reason: 'refund' }, { reason: 'refund' }]);
  });

  test('Queries leave out what is absent and write dates', async () => {
    await rev().analytics.revenue({ from: new Date('2026-11-01T00:00:00Z'), to: undefined, group_by: 'agent' });
    assert.equal(server.requests[0].url, '/v1/analytics/revenue?from=2026-11-01T00%3A00%3A00.000Z&group_by=agent');
    await assert.rejects(rev().analytics.revenue({ from: new Date(NaN) }), (e) => e.code === 'client.invalid');
  });

  test('A simulation with a tier given in full needs no key', async () => {
    const bare = new Rev({ apiKey: '', baseUrl: server.url });
    first({ status: 200, body: { total: '10' } });
    assert.equal((await bare.simulate({ tier: { name: 'x' }, calls_per_month: 1 })).total, '10');
    assert.equal(server.requests[0].headers.authorization, undefined);
  });
});

describe('Lists', () => {
  test('Items come through all pages, pages one by one', async () => {
    const list = rev().outcomes.list({ status: 'pending', limit: 50 });
    assert.equal(server.requests.length, 0);
    const ids = [];
    for await (const outcome of list) ids.push(outcome.outcome_id);
    assert.equal(ids.length, 120);
    assert.equal(new Set(ids).size, 120);
    assert.deepEqual(server.requests.map((r) => r.url), ['/v1/outcomes?status=pending&limit=50', '/v1/outcomes?status=pending&limit=50&cursor=50', '/v1/outcomes?status=pending&limit=50&cursor=100']);
    const page = await list.page();
    assert.equal(page.data.length, 50);
    assert.equal((await list.page(page.next_cursor)).data[0].outcome_id, 'out_50');
    assert.equal((await rev().outcomes.list({ cursor: '100' }).page()).data.length, 20);
    const sizes = [];
    for await (const { data } of list.pages()) sizes.push(data.length);
    assert.deepEqual(sizes, [50, 50, 20]);
  });

  test('A loop that ends early asks for no further page', async () => {
    for await (const _ of rev().outcomes.list()) break;
    assert.equal(server.requests.length, 1);
  });
});

describe('Errors', () => {
  test('They are typed, with the code, the status, the request and the fields', async () => {
    const kinds = [
      [400, RevInvalidRequestError], [401, RevAuthenticationError], [403, RevPermissionError], [404, RevNotFoundError], [405, RevInvalidRequestError],
      [409, RevConflictError], [413, RevInvalidRequestError], [415, RevInvalidRequestError], [429, RevRateLimitError], [500, RevServerError], [503, RevServerError],
    ];
    for (const [status, kind] of kinds) {
      first(problem(status, 'some.code', { errors: { tokens_input: ['must be at least 0'] } }));
      const error = await rev({ maxRetries: 0 }).meter(call, { idempotencyKey: 'k' }).then(() => null, (e) => e);
      assert.ok(error instanceof kind && error instanceof RevError && error instanceof Error, String(status));
      assert.deepEqual([error.code, error.status, error.request_id, error.errors, error.idempotency_key], ['some.code', status, 'req-0', { tokens_input: ['must be at least 0'] }, 'k']);
      assert.equal(error.retryable, status === 429 || status >= 500);
      assert.match(error.message, /Detail of some\.code\. \(some\.code, request req-0\)/);
      assert.equal(error.name, kind.name);
    }
  });

  test('An answer that is not Rev’s is told as such', async () => {
    first({ status: 404, body: '<html>nothing here</html>' });
    await assert.rejects(rev().meter(call), (e) => e instanceof RevNotFoundError && e.code === 'http.404' && /nothing here/.test(e.message) && e.request_id === 'req-1');
    first({ status: 200, body: '<html>sign in to this network</html>' }, { status: 200, body: '{"hello":1}' });
    await assert.rejects(rev({ maxRetries: 0 }).meter(call), (e) => e instanceof RevConnectionError && e.code === 'client.unreadable_answer' && e.retryable);
    await assert.rejects(rev({ maxRetries: 0 }).meter(call), (e) => e.code === 'client.unreadable_answer');
  });

  test('Lists and batches whose answer is no list are told, and asked no further', async () => {
    const odd = [{}, { results: null }, { results: [null] }, { results: [{ status: 201 }] }, { results: [{ status: 400 }] }, { results: [] }];
    for (const body of odd) {
      first({ status: 200, body });
      await assert.rejects(rev().meterBatch([call]), (e) => e instanceof RevConnectionError && e.code === 'client.unreadable_answer', JSON.stringify(body));
    }
    first({ status: 200, body: {} }, { status: 200, body: {} });
    await assert.rejects(async () => { for await (const _ of rev().outcomes.list()) assert.fail(); }, (e) => e.code === 'client.unreadable_answer');
    await assert.rejects(rev().outcomes.list().page(), (e) => e.code === 'client.unreadable_answer');
  });

  test('A redirect is not followed: a POST would become a GET, and the key would travel', async () => {
    first({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' });
    await assert.rejects(rev().meter(call), (e) => e.code === 'http.302' && !e.retryable);
    assert.equal(server.requests.length, 1);
  });
});

describe('Retries', () => {
  const quick = { timeout: 600 };

  test('A call is sent again with the same key and the same bytes, and counts once', async () => {
    first(problem(500, 'internal.error'), problem(503, 'service.overloaded'), problem(429, 'rate.limited'), problem(408, 'http.timeout'));
    const receipt = await rev().meter(call);
    assert.match(receipt.event_id, /^evt_/);
    assert.equal(server.requests.length, 5);
    assert.equal(new Set(server.requests.map((r) => r.headers['idempotency-key'] + r.text)).size, 1);
    assert.equal(server.count, 1);
  });

  test('A connection that breaks before or after the call was stored is tried again', async () => {
    let number = 0;
    server.before = async (request, response) => {
      number++;
      if (number === 1) { response.destroy(); return 'done'; }
      if (number === 2) { response.writeHead(200, { 'content-length': '500' }); response.write('{"event_id":'); response.destroy(); return 'done'; }
      return null;
    };
    assert.match((await rev().meter(call)).event_id, /^evt_/);
    assert.equal(server.requests.length, 3);
    assert.equal(server.count, 1);
  });

  test('Nobody listens: the error says where, and may be retried', async () => {
    const error = await rev({ baseUrl: 'http://127.0.0.1:9', maxRetries: 1 }).meter(call).then(() => null, (e) => e);
    assert.ok(error instanceof RevConnectionError && error.retryable && error.status === null && error.code === 'client.connection_failed');
    assert.match(error.message, /127\.0\.0\.1:9/);
    assert.match(error.idempotency_key, /^[0-9a-f-]{36}$/);
  });

  test('Each attempt has its own timeout', async () => {
    let number = 0;
    server.before = async () => { if (++number < 3) await new Promise((done) => setTimeout(done, 900)); return null; };
    assert.match((await rev(quick).meter(call)).event_id, /^evt_/);
    assert.ok(number >= 3);
    assert.equal(server.count, 1);
    number = 0;
    await assert.rejects(rev({ ...quick, maxRetries: 0 }).meter(call), (e) => e instanceof RevTimeoutError && e instanceof RevConnectionError && e.code === 'client.timeout' && e.retryable);
    await new Promise((done) => setTimeout(done, 400));
  });

  test('Refusals are not tried again', async () => {
    for (const status of [400, 401, 403, 404, 409, 413]) {
      server.requests = [];
      first(problem(status, 'some.code'));
      await assert.rejects(rev().meter(call));
      assert.equal(server.requests.length, 1, String(status));
    }
  });

  test('Retry-After is waited for: seconds and a date by the server’s clock', async () => {
    for (const after of [{ 'retry-after': '1' }, { 'retry-after': 'Mon, 23 Nov 2026 12:00:02 GMT', date: 'Mon, 23 Nov 2026 12:00:01 GMT' }]) {
      first({ ...problem(429, 'rate.limited'), headers: after });
      const begun = Date.now();
      await rev().meter(call);
      const took = Date.now() - begun;
      assert.ok(took >= 990 && took < 8000, `${took} ms`);
    }
  });

  test('A Retry-After of more than a minute is left to the caller', async () => {
    first({ ...problem(429, 'rate.limited'), headers: { 'retry-after': '3600' } });
    await assert.rejects(rev().meter(call), (e) => e.retry_after === 3600 && e.retryable);
    assert.equal(server.requests.length, 1);
  });

  test('The wait before a repeat is exponential with full jitter', async () => {
    const { delay, retryAfter } = createRequire(import.meta.url)('../../dist/http.js');
    const most = (attempt) => Math.max(...Array.from({ length: 400 }, () => delay(attempt, null)));
    const least = (attempt) => Math.min(...Array.from({ length: 400 }, () => delay(attempt, null)));
    for (const [attempt, limit] of [[0, 500], [1, 1000], [2, 2000], [4, 8000], [9, 8000]]) {
      assert.ok(most(attempt) <= limit && most(attempt) > limit * 0.8 && least(attempt) < limit * 0.2, String(attempt));
    }
    assert.ok(delay(0, 7) >= 7000 && delay(0, 7) <= 7500);
    assert.deepEqual([retryAfter('3', null), retryAfter(null, null), retryAfter('soon', null), retryAfter('Mon, 23 Nov 2020 12:00:02 GMT', null)], [3, null, null, 0]);
  });

  test('A signal ends a call while it is sent and while it waits', async () => {
    server.before = async () => { await new Promise((done) => setTimeout(done, 300)); return null; };
    const sending = new AbortController();
    setTimeout(() => sending.abort(new Error('enough')), 50);
    await assert.rejects(rev().meter(call, { signal: sending.signal }), (e) => e instanceof RevAbortError && e.name === 'AbortError' && e.code === 'client.aborted' && e.cause.message === 'enough' && !e.retryable);
    first({ ...problem(429, 'rate.limited'), headers: { 'retry-after': '5' } });
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(), 100);
    const begun = Date.now();
    await assert.rejects(rev().meter(call, { signal: waiting.signal }), RevAbortError);
    assert.ok(Date.now() - begun < 4500);
    server.before = null;
    server.requests = [];
    await assert.rejects(rev().meter(call, { signal: AbortSignal.abort() }), RevAbortError);
    assert.equal(server.requests.length, 0);
  });

  test('Resolutions, reversals, simulations and reads are repeated; they cannot count twice', async () => {
    for (const ask of [(r) => r.resolveOutcome('out_1', { outcome: 'success' }), (r) => r.reverseOutcome('out_1', 'x'), (r) => r.simulate({ tier: 'default', calls_per_month: 1 }), (r) => r.tiers.get('default'), (r) => r.tiers.put('t', { name: 'T' })]) {
      server.requests = [];
      first(problem(503, 'service.overloaded'));
      await ask(rev());
      assert.equal(server.requests.length, 2);
    }
  });

  test('A POST without an idempotency key is sent once only', async () => {
    for (const method of ['POST', 'PATCH']) {
      server.requests = [];
      first(problem(503, 'service.overloaded'));
      await assert.rejects(rev().request(method, '/v1/api_keys', { body: { name: 'x', mode: 'test' } }), (e) => e.status === 503 && !e.retryable);
      assert.equal(server.requests.length, 1);
    }
    server.requests = [];
    first(problem(503, 'service.overloaded'));
    await assert.rejects(rev().request('POST', '/v1/api_keys', { body: { name: 'x', mode: 'test' }, idempotencyKey: 'k' }), RevNotFoundError);
    assert.equal(server.requests.length, 2);
  });

  test('A fetch of yours is used', async () => {
    const seen = [];
    const one = rev({ fetch: (url, init) => { seen.push(url); return fetch(url, init); } });
    await one.meter(call);
    assert.deepEqual(seen, [`${server.url}/v1/meter`]);
  });

  test('A server that closes idle connections costs no call', async () => {
    const impolite = createServer((request, response) => {
      request.resume();
      response.setHeader('connection', 'keep-alive');
      response.end('{"event_id":"evt_1"}');
      setTimeout(() => request.socket.destroy(), 5);
    });
    await new Promise((done) => impolite.listen(0, '127.0.0.1', done));
    const one = rev({ baseUrl: `http://127.0.0.1:${impolite.address().port}` });
    for (let i = 0; i < 20; i++) {
      assert.equal((await one.meter(call)).event_id, 'evt_1');
      await new Promise((done) => setTimeout(done, i % 3 ? 4 : 6));
    }
    await new Promise((done) => impolite.close(done));
  });
});

describe('Batches', () => {
  test('Each item has its result, in order, and one bad item spoils no other', async () => {
    server.refuse = (c) => (c.agent_id === 'bad' ? problem(400, 'request.invalid', { errors: { agent_id: ['is bad'] } }) : null);
    const answer = await rev().meterBatch([call, { ...call, agent_id: 'bad' }, { ...call, outcome: 'success' }]);
    server.refuse = () => null;
    assert.deepEqual([answer.accepted, answer.replayed, answer.rejected], [2, 0, 1]);
    assert.deepEqual(answer.results.map((r) => r.status), [201, 400, 201]);
    assert.equal(answer.results[1].error.errors.agent_id[0], 'is bad');
  });

  test('A batch whose answer was lost is repeated under the same key', async () => {
    let number = 0;
    server.before = async (request, response) => {
      if (++number > 1) return null;
      server.before = null;
      const answer = await fetch(server.url + request.url, { method: 'POST', headers: { authorization: request.headers.authorization, 'idempotency-key': request.headers['idempotency-key'] }, body: request.text });
      await answer.text();
      response.destroy();
      return 'done';
    };
    const answer = await rev().meterBatch([call, call, call]);
    assert.deepEqual([answer.accepted, answer.replayed, answer.rejected], [0, 3, 0]);
    assert.equal(server.count, 3);
  });

  test('Items that Rev could not take are sent again; what was answered stays as it was', async () => {
    let busy = 2;
    server.refuse = (c) => (c.action === 'late' && busy-- > 0 ? problem(503, 'service.overloaded') : null);
    const answer = await rev().meterBatch([call, { ...call, action: 'late' }, call]);
    server.refuse = () => null;
    assert.deepEqual([answer.accepted, answer.replayed, answer.rejected], [3, 0, 0]);
    assert.equal(server.count, 3);
    assert.equal(server.requests.length, 3);
  });

  test('Items that Rev still cannot take after all retries are told', async () => {
    server.refuse = () => problem(503, 'service.overloaded');
    const answer = await rev({ maxRetries: 1 }).meterBatch([call]);
    server.refuse = () => null;
    assert.deepEqual([answer.rejected, answer.results[0].status, server.requests.length], [1, 503, 2]);
  });
});
