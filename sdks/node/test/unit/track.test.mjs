import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Rev, RevTrackError } from 'revgrid';
import { FakeRev, problem } from '../support/fake-rev.mjs';
import { FaultProxy, faultsBySeed } from '../support/fault-proxy.mjs';

const { targetOf, fingerprint, Spool } = createRequire(import.meta.url)('../../dist/spool.js');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const call = { agent_id: 'a', action: 'email.accepted', tokens_input: 1200, tokens_output: 340 };

let server;
let dir;
let open = [];

before(async () => { server = await new FakeRev().start(); });
after(() => server.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rev-track-'));
  Object.assign(server, { before: null, refuse: () => null, requests: [], keys: new Set(['rg_test_key']) });
  server.calls.clear();
});
afterEach(async () => {
  for (const rev of open) await rev.close({ timeout: 0 });
  open = [];
  rmSync(dir, { recursive: true, force: true });
});

function rev(track = {}, more = {}) {
  const one = new Rev({ apiKey: 'rg_test_key', baseUrl: server.url, timeout: 2000, ...more, track: { flushInterval: 20, onRejected: () => {}, ...track, spool: track.spool === false ? false : { dir, ...track.spool } } });
  open.push(one);
  return one;
}

/** Every call is somewhere. */
function balanced(stats) {
  assert.equal(stats.tracked + stats.recovered, stats.accepted + stats.duplicates + stats.rejected + stats.lost + stats.handed_over + stats.pending, JSON.stringify(stats));
  return stats;
}

const folder = (key = 'rg_test_key', url = server.url) => join(dir, targetOf(url, fingerprint(key)));
const orphanLine = (key) => `{"k":"${key}","s":1,"o":1,"c":${JSON.stringify({ ...call, occurred_at: new Date(), idempotency_key: key })}}\n`;

/** A file that a dead process left. */
function orphan(keys, id = 'bb') {
  mkdirSync(folder(), { recursive: true });
  const path = join(folder(), `rev-00000000000000${id}.00000001.jsonl`);
  writeFileSync(path, keys.map(orphanLine).join(''));
  return path;
}

const files = (where = folder()) => (existsSync(where) ? readdirSync(where).filter((n) => n.endsWith('.jsonl') && n !== 'rejected.jsonl') : []);
const lines = (where = folder()) => files(where).flatMap((n) => readFileSync(join(where, n), 'utf8').split('\n').filter(Boolean));
const keysOf = () => [...server.calls.keys()];

async function until(what, ms = 20_000) {
  const end = Date.now() + ms;
  while (!(await what())) {
    if (Date.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await sleep(5);
  }
}

function child(options, { environment = {} } = {}) {
  const process_ = spawn(process.execPath, [fileURLToPath(new URL('../support/tracker.mjs', import.meta.url)), JSON.stringify({ baseUrl: server.url, dir, ...options })], { env: { ...process.env, ...environment } });
  const one = { process: process_, out: '', err: '' };
  process_.stdout.on('data', (part) => (one.out += part));
  process_.stderr.on('data', (part) => (one.err += part));
  one.ended = new Promise((done) => process_.on('close', (code, signal) => done({ code, signal })));
  one.says = (word) => until(() => one.out.includes(`${word} `) || (process_.exitCode !== null && assert.fail(one.err)));
  return one;
}

describe('Tracked calls', () => {
  test('are sent in the background, each under the key that was answered, with its own time', async () => {
    const one = rev();
    const begun = Date.now();
    const { idempotency_key } = await one.track(call);
    assert.equal(server.requests.length, 0);
    assert.deepEqual([one.stats().tracked, one.stats().queued], [1, 1]);
    await until(() => server.count === 1);
    await until(() => one.stats().accepted === 1);
    const stored = server.calls.get(idempotency_key).call;
    assert.ok(Date.parse(stored.occurred_at) >= begun && Date.parse(stored.occurred_at) <= Date.now());
    assert.equal(stored.tokens_input, 1200);
    balanced(one.stats());
  });

  test('wait for each other: one batch per interval, or when one is full', async () => {
    const one = rev({ maxBatch: 100, flushInterval: 500 });
    for (let i = 0; i < 40; i++) await one.track(call);
    await until(() => one.stats().accepted === 40);
    assert.equal(server.requests.length, 1);
    for (let i = 0; i < 250; i++) await one.track(call);
    await until(() => one.stats().accepted === 290);
    const sizes = server.requests.slice(1).map((r) => r.body.events.length);
    assert.ok(Math.max(...sizes) <= 100 && sizes.length <= 4, String(sizes));
  });

  test('make batches of so many bytes at most', async () => {
    const one = rev({ maxBatchBytes: 4096, flushInterval: 10_000 });
    for (let i = 0; i < 60; i++) await one.track({ ...call, metadata: { text: 'x'.repeat(200) } });
    await one.flush();
    assert.equal(server.count, 60);
    for (const request of server.requests) assert.ok(request.text.length <= 4200, String(request.text.length));
  });

  test('keep a time and a key of yours', async () => {
    const one = rev();
    await one.track({ ...call, occurred_at: new Date('2026-11-23T12:00:00Z'), idempotency_key: 'mine' });
    await one.flush();
    assert.equal(server.calls.get('mine').call.occurred_at, '2026-11-23T12:00:00.000Z');
  });

  test('flush answers at once when there is nothing, and close takes no more', async () => {
    const one = rev();
    assert.equal((await one.flush()).tracked, 0);
    await one.track(call);
    const stats = balanced(await one.close());
    assert.deepEqual([stats.accepted, files().length], [1, 0]);
    await assert.rejects(one.track(call), (e) => e instanceof RevTrackError && e.code === 'client.closed');
    assert.deepEqual(balanced(one.stats()).failed_by, { 'client.closed': 1 });
  });

  test('that are malformed are refused, counted and told, and an ignored promise ends nothing', async () => {
    const told = [];
    const one = rev({ onRejected: (_, error) => told.push(error.code) });
    void one.track({ ...call, tokens_input: NaN });
    void one.track(null);
    await sleep(20);
    assert.deepEqual(told, ['client.invalid', 'client.invalid']);
    assert.deepEqual(balanced(one.stats()).failed_by, { 'client.invalid': 2 });
  });

  test('under a key that is none are refused: a random one in its place would not protect from counting twice', async () => {
    const one = rev();
    for (const idempotency_key of ['', 7, 'x'.repeat(256), 'a\nb', '\ud83d', {}]) {
      await assert.rejects(one.track({ ...call, idempotency_key }), (e) => e.code === 'client.invalid' && 'idempotency_key' in e.errors, String(idempotency_key));
    }
    await one.track({ ...call, idempotency_key: null });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.rejected, stats.accepted], [6, 1]);
  });

  test('that come while it is closed do not end the sending of those that were taken', async () => {
    let asked = 0;
    server.before = () => sleep(50).then(() => (asked++ === 0 ? problem(503, 'service.overloaded') : null));
    const one = rev({ spool: false, maxBatch: 1, flushInterval: 5000 });
    for (let i = 0; i < 5; i++) await one.track(call);
    const closing = one.close();
    for (let i = 0; i < 10; i++) await assert.rejects(one.track(call), (e) => e.code === 'client.closed');
    const stats = balanced(await closing);
    assert.deepEqual([stats.accepted, stats.lost, stats.failed_by], [5, 10, { 'client.closed': 10 }]);
  });

  test('have options that are checked where they are set', async () => {
    for (const track of [{ flushInterval: NaN }, { flushInterval: -1 }, { maxBatch: 0 }, { maxBatch: 1001 }, { maxQueue: NaN }, { whenFull: 'block' }, { spool: { maxBytes: NaN } }, { flushOnExit: { timeout: NaN } }]) {
      assert.throws(() => new Rev({ track }), (e) => e.code === 'client.invalid', JSON.stringify(track));
      assert.throws(() => new Rev().configure({ track }), (e) => e.code === 'client.invalid');
    }
    const warnings = [];
    const listen = (w) => warnings.push(w.name);
    process.on('warning', listen);
    const one = rev();
    await assert.rejects(one.flush({ timeout: NaN }), (e) => e.code === 'client.invalid');
    await one.track(call);
    assert.equal((await one.flush({ timeout: Infinity })).accepted, 1);
    await assert.rejects(one.close({ timeout: -1 }), (e) => e.code === 'client.invalid');
    await sleep(10);
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  });

  test('without a key are refused and told', async () => {
    const before = process.env.REV_API_KEY;
    delete process.env.REV_API_KEY;
    const one = rev({}, { apiKey: undefined });
    await assert.rejects(one.track(call), (e) => e.code === 'client.not_configured');
    if (before !== undefined) process.env.REV_API_KEY = before;
  });
});

describe('What Rev says of an item', () => {
  test('A refusal is final: counted by code, told with its call, kept in rejected.jsonl; others go on', async () => {
    server.refuse = (c) => (c.agent_id === 'bad' ? problem(400, 'request.invalid', { errors: { agent_id: ['is bad'] } }) : c.agent_id === 'huge' ? problem(409, 'amount.too_large') : null);
    const told = [];
    const one = rev({ onRejected: (c, error) => told.push([error.code, error.errors, c.agent_id]) });
    for (const agent_id of ['a', 'bad', 'b', 'huge', 'c']) await one.track({ ...call, agent_id });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.rejected, stats.failed_by], [3, 2, { 'request.invalid': 1, 'amount.too_large': 1 }]);
    assert.deepEqual(told, [['request.invalid', { agent_id: ['is bad'] }, 'bad'], ['amount.too_large', null, 'huge']]);
    const kept = readFileSync(join(folder(), 'rejected.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    assert.deepEqual(kept.map((k) => [k.code, k.call.agent_id]), [['request.invalid', 'bad'], ['amount.too_large', 'huge']]);
    assert.equal(server.requests.length, 1);
  });

  test('What it could not take (503) is sent again under the same key, and only that', async () => {
    let busy = 2;
    server.refuse = (c) => (c.agent_id === 'late' && busy-- > 0 ? problem(503, 'service.overloaded') : null);
    const one = rev();
    for (const agent_id of ['a', 'late', 'b']) await one.track({ ...call, agent_id });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.duplicates, stats.rejected + stats.lost, server.count], [3, 0, 0, 3]);
    assert.deepEqual(server.requests.map((r) => r.body.events.length), [3, 1, 1]);
  });

  test('A call that was stored before and archived since counts as stored', async () => {
    server.refuse = () => problem(409, 'event.archived');
    const one = rev();
    await one.track(call);
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.duplicates, stats.rejected + stats.lost], [1, 0]);
  });

  test('A key of yours that was used for something else is a failure', async () => {
    server.store('mine', { agent_id: 'other' });
    const one = rev();
    await one.track({ ...call, idempotency_key: 'mine' });
    assert.deepEqual(balanced(await one.flush()).failed_by, { 'idempotency.key_reused': 1 });
  });

  test('A clock that is wrong costs no call: it is sent again without the time that this package gave it', async () => {
    server.refuse = (c) => (c.occurred_at ? problem(400, 'request.invalid', { errors: { occurred_at: ['must be at most 5 minutes ahead'] } }) : null);
    const one = rev();
    await one.track(call);
    await one.track({ ...call, occurred_at: new Date() });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.rejected, server.count], [1, 1, 1]);
  });

  test('… also when the answer to that was lost and another process sends the file', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev();
    const { idempotency_key } = await one.track(call);
    await one.close({ timeout: 50 });
    const { occurred_at: _, ...content } = JSON.parse(lines()[0]).c;
    server.store(idempotency_key, content);
    server.before = null;
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.duplicates, stats.rejected + stats.lost, server.count], [1, 1, 0, 1]);
  });

  test('… also under a key of yours', async () => {
    const one = rev();
    const text = JSON.stringify(call);
    server.store('mine', JSON.parse(text));
    await one.track({ ...call, idempotency_key: 'mine' });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.duplicates, stats.rejected, server.count], [1, 0, 1]);
  });

  test('One call that makes Rev refuse the whole body is found and given up; the others arrive', async () => {
    server.before = ({ text }) => (text.includes('poison') ? problem(400, 'body.malformed_json') : null);
    const one = rev();
    for (let i = 0; i < 20; i++) await one.track({ ...call, action: i === 13 ? 'poison' : 'ok' });
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.failed_by], [19, { 'body.malformed_json': 1 }]);
  });

  for (const [where, spool] of [['on disk', {}], ['in memory', false]]) {
    test(`A call over which Rev fails for ever holds up no other, and is not given up (${where})`, async () => {
      server.before = ({ text }) => (text.includes('fatal') ? problem(500, 'internal.error') : null);
      const one = rev({ maxBatch: 8, spool });
      for (let i = 0; i < 30; i++) await one.track({ ...call, action: i === 3 ? 'fatal' : 'ok' });
      await until(() => one.stats().accepted === 29, 60_000);
      assert.deepEqual([balanced(one.stats()).pending, one.stats().rejected + one.stats().lost, server.count], [1, 0, 29]);
      server.before = null;
      const stats = balanced(await one.flush());
      assert.deepEqual([stats.accepted, stats.duplicates, stats.pending], [30, 0, 0]);
      await until(() => files().length === 0);
    });
  }

  test('A batch that is too large for what stands before Rev is halved', async () => {
    server.before = ({ body }) => (body.events.length > 3 ? { status: 413, body: '<html>too large</html>' } : null);
    const one = rev();
    for (let i = 0; i < 20; i++) await one.track(call);
    assert.equal(balanced(await one.flush()).accepted, 20);
  });
});

describe('While Rev is away', () => {
  const away = [
    ['an overloaded service', () => problem(503, 'service.overloaded')], ['a failing one', () => problem(500, 'internal.error')], ['a proxy without a backend', () => ({ status: 502, body: '<html>' })],
    ['a page that is no Rev', () => ({ status: 200, body: '<html>' })], ['a revoked key', () => problem(401, 'auth.invalid_key')], ['a key without the scope', () => problem(403, 'auth.missing_scope')],
    ['a wrong address', () => ({ status: 404, body: 'nothing' })], ['an odd 400', () => ({ status: 400, body: 'Bad Request' })], ['a broken proxy', () => problem(400, 'request.malformed')],
    ['answers without what was stored', ({ body }) => ({ status: 200, body: { results: body.events.map(() => ({ status: 200 })) } })],
    ['refusals that are not Rev’s', ({ body }) => ({ status: 200, body: { results: body.events.map(() => ({ status: 400 })) } })],
    ['answers that do not fit', ({ body }) => ({ status: 200, body: { results: [null, ...body.events.slice(1).map(() => ({ status: 201 }))] } })],
  ];
  for (const [name, answer] of away) {
    test(`calls wait on disk and are sent later: ${name}`, async () => {
      server.before = answer;
      const one = rev();
      for (let i = 0; i < 30; i++) await one.track(call);
      await one.flush({ timeout: 100 });
      await until(() => one.stats().spooled === 30);
      const between = balanced(one.stats());
      assert.deepEqual([between.spooled, between.queued, between.away, between.accepted, between.rejected + between.lost], [30, 0, true, 0, 0]);
      assert.equal(lines().length, 30);
      assert.ok(between.last_error.code);
      server.before = null;
      const stats = balanced(await one.flush());
      assert.deepEqual([stats.accepted, stats.spooled, stats.away, server.count, files().length], [30, 0, false, 30, 0]);
    });
  }

  test('it is asked again by itself, and what comes meanwhile keeps its order', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = rev({ maxBatch: 10 });
    for (let i = 0; i < 25; i++) await one.track({ ...call, metadata: { i } });
    await until(() => one.stats().spooled === 25);
    server.before = null;
    for (let i = 25; i < 40; i++) { await one.track({ ...call, metadata: { i } }); await sleep(1); }
    await until(() => one.stats().accepted === 40);
    assert.deepEqual([...server.calls.values()].map((c) => c.call.metadata.i), Array.from({ length: 40 }, (_, i) => i));
    await until(() => files().length === 0);
    balanced(one.stats());
  });

  test('Retry-After is waited for', async () => {
    let asked = 0;
    server.before = () => (++asked === 1 ? { ...problem(429, 'rate.limited'), headers: { 'retry-after': '1' } } : null);
    const one = rev();
    await one.track(call);
    await until(() => asked === 1);
    const begun = Date.now();
    await until(() => one.stats().accepted === 1);
    assert.ok(Date.now() - begun > 900);
  });

  test('an absurd Retry-After silences it for a minute, not for ever', async () => {
    server.before = () => ({ ...problem(503, 'service.overloaded'), headers: { 'retry-after': '99999999999' } });
    const warnings = [];
    const listen = (w) => warnings.push(w.name);
    process.on('warning', listen);
    const one = rev();
    await one.track(call);
    await until(() => one.stats().away);
    server.before = null;
    await sleep(50);
    const { now } = performance;
    performance.now = () => now.call(performance) + 61_000;
    await one.track(call);
    await until(() => one.stats().accepted === 2);
    delete performance.now;
    process.off('warning', listen);
    assert.ok(!warnings.includes('TimeoutOverflowWarning'));
  });

  test('a clock that is set back stops nothing', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = rev();
    await one.track(call);
    await until(() => one.stats().away);
    server.before = null;
    const { now } = Date;
    Date.now = () => now() - 86_400_000;
    try {
      for (let i = 0; i < 800 && one.stats().accepted < 1; i++) await sleep(5);
    } finally {
      Date.now = now;
    }
    assert.equal(one.stats().accepted, 1);
  });

  test('files that somebody removes are lost, and told', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const told = [];
    const one = rev({ maxBatch: 4, onRejected: (_, e) => told.push(e.code) });
    for (let i = 0; i < 10; i++) await one.track(call);
    await until(() => one.stats().spooled === 10);
    await sleep(20);
    rmSync(dir, { recursive: true });
    await one.track(call);
    server.before = null;
    const stats = balanced(await one.flush());
    assert.equal(stats.pending, 0);
    assert.equal(stats.handed_over, 0);
    assert.equal(stats.accepted + stats.lost, 11);
    assert.ok(stats.accepted >= 1 && stats.lost >= 6, JSON.stringify(stats));
    assert.equal(told.length, stats.lost);
  });

  test('calls stay in memory without a spool; when that is full they are refused, counted and told', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const told = [];
    const one = rev({ spool: false, maxQueue: 10, onRejected: (_, e) => told.push(e.code) });
    for (let i = 0; i < 10; i++) await one.track(call);
    await assert.rejects(one.track(call), (e) => e instanceof RevTrackError && e.code === 'client.queue_full');
    assert.deepEqual(told, ['client.queue_full']);
    await sleep(60);
    server.before = null;
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.failed_by, stats.folder], [10, { 'client.queue_full': 1 }, null]);
  });

  test('with whenFull: wait the caller is held up instead', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = rev({ spool: false, maxQueue: 10, whenFull: 'wait' });
    let taken = 0;
    const all = Promise.all(Array.from({ length: 25 }, () => one.track(call).then(() => taken++)));
    await sleep(60);
    assert.equal(taken, 10);
    assert.equal(balanced(one.stats()).queued, 25);
    server.before = null;
    const stats = balanced(await one.flush());
    await all;
    assert.deepEqual([stats.accepted, stats.rejected + stats.lost, taken], [25, 0, 25]);
  });

  test('close without a spool tells of what was lost', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const told = [];
    const one = rev({ spool: false, onRejected: (c, error) => told.push([error.code, c.agent_id]) });
    await one.track(call);
    const stats = balanced(await one.close({ timeout: 50 }));
    assert.deepEqual([stats.failed_by, told], [{ 'track.unsent': 1 }, [['track.unsent', 'a']]]);
  });

  test('a disk that cannot be written leaves them in memory, and says so', async () => {
    const blocked = join(dir, 'file');
    writeFileSync(blocked, '');
    server.before = () => problem(503, 'service.overloaded');
    const one = rev({ spool: { dir: blocked } });
    for (let i = 0; i < 5; i++) await one.track(call);
    await one.flush({ timeout: 80 });
    await until(() => one.stats().spool_error !== null);
    const between = balanced(one.stats());
    assert.equal(between.queued, 5);
    assert.match(between.spool_error, /ENOTDIR|EEXIST/);
    server.before = null;
    assert.equal(balanced(await one.flush()).accepted, 5);
  });

  test('a spool that is full leaves them in memory, and then refuses', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = rev({ maxQueue: 20, spool: { maxBytes: 2000 } });
    for (let i = 0; i < 10; i++) await one.track(call);
    await until(() => one.stats().spooled === 10);
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => one.track(call)));
    assert.equal(outcomes.filter((o) => o.status === 'fulfilled').length, 20);
    server.before = null;
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.failed_by], [30, { 'client.queue_full': 20 }]);
  });

  test('more calls at once than memory may hold go to disk at once, and all arrive', async () => {
    const one = rev({ maxQueue: 1000, maxBatch: 500 });
    for (let i = 0; i < 5500; i++) void one.track(call);
    assert.ok(one.stats().queued <= 1000);
    assert.ok(one.stats().spooled >= 4500);
    const stats = balanced(await one.flush());
    assert.deepEqual([stats.accepted, stats.duplicates, server.count], [5500, 0, 5500]);
  });

  test('every tracked call arrives once through faults of all kinds', async () => {
    const proxy = await new FaultProxy(server.url).start();
    proxy.slow = 700;
    proxy.choose = faultsBySeed(7, 0.4);
    const one = rev({ maxBatch: 40 }, { baseUrl: proxy.url, timeout: 400 });
    for (let i = 0; i < 800; i++) { void one.track({ ...call, metadata: { i } }); if (i % 50 === 0) await sleep(5); }
    const stats = balanced(await one.flush({ timeout: 60_000 }));
    await one.close();
    await proxy.stop();
    assert.deepEqual([stats.accepted + stats.duplicates, stats.rejected + stats.lost, server.count], [800, 0, 800]);
    assert.ok(Object.keys(proxy.faults).length >= 5, JSON.stringify(proxy.faults));
    assert.ok(stats.duplicates > 0);
  });
});

describe('Processes', () => {
  test('kill -9 loses nothing that was spooled: the next process sends it, once, under the same keys', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = child({ calls: 700, then: 'spooled' });
    await one.says('spooled');
    one.process.kill('SIGKILL');
    await one.ended;
    assert.equal(lines().length, 700);
    server.before = null;
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.accepted, server.count, files().length], [700, 700, 700, 0]);
    assert.deepEqual(keysOf().sort(), Array.from({ length: 700 }, (_, i) => `k-${i}`).sort());
  });

  test('with writeAhead kill -9 loses nothing that track answered, also while Rev can be reached', async () => {
    server.before = () => new Promise(() => {}); // it never answers
    const one = child({ calls: 50, track: { spool: { writeAhead: true } } });
    await one.says('taken');
    one.process.kill('SIGKILL');
    await one.ended;
    server.before = null;
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.accepted, server.count], [50, 50, 50]);
  });

  test('with writeAhead a healthy service is still sent batches', async () => {
    const one = rev({ flushInterval: 500, spool: { writeAhead: true } });
    await Promise.all(Array.from({ length: 30 }, () => one.track(call)));
    assert.equal(lines().length, 30);
    await until(() => one.stats().accepted === 30);
    assert.equal(server.requests.length, 1);
    await until(() => files().length === 0);
  });

  test('while an answer is awaited, what comes meanwhile goes to disk', async () => {
    let answer;
    server.before = () => new Promise((done) => (answer = done));
    const one = rev({ flushInterval: 30 });
    await one.track(call);
    await until(() => answer);
    await sleep(60);
    await one.track(call);
    await until(() => one.stats().spooled === 1);
    server.before = null;
    answer(null);
    await until(() => one.stats().accepted === 2);
    balanced(one.stats());
  });

  test('killed again and again at any moment, what track answered arrives once', async () => {
    const proxy = await new FaultProxy(server.url).start();
    proxy.choose = faultsBySeed(3, 0.4, ['drop-before', 'drop-after', '500', '500-after', '503']);
    const taken = new Set();
    for (let round = 0; round < 6; round++) {
      const one = child({ baseUrl: proxy.url, calls: 1, prefix: `r${round}`, then: 'go on', track: { maxBatch: 20, spool: { writeAhead: true } } });
      await until(() => one.out.split('\nkey ').length > 4 + round * 5);
      one.process.kill('SIGKILL');
      await one.ended;
      for (const [, key] of one.out.matchAll(/^key (\S+)$/gm)) taken.add(key);
    }
    const last = rev({}, { baseUrl: proxy.url });
    const stats = balanced(await last.flush());
    await last.close();
    await proxy.stop();
    assert.deepEqual([stats.pending, stats.rejected + stats.lost], [0, 0]);
    assert.ok(taken.size >= 90, String(taken.size));
    for (const key of taken) assert.ok(server.calls.has(key), key);
    assert.equal(files(folder('rg_test_key', proxy.url)).length, 0);
  });

  for (const [then, code] of [['exit', 0], ['throw', 1], ['end', 0]]) {
    test(`a process that ends (${then}) leaves what it did not send to the next`, async () => {
      const one = child({ calls: 20, then, track: { flushInterval: 60_000 } });
      assert.equal((await one.ended).code, code);
      assert.equal(server.count, 0);
      assert.equal(lines().length, 20);
      assert.ok(!readdirSync(folder()).some((n) => n.endsWith('.lock')));
      const stats = balanced(await rev().flush());
      assert.deepEqual([stats.accepted, server.count], [20, 20]);
    });
  }

  test('a process that ends without a spool says what is lost', async () => {
    const one = child({ calls: 20, then: 'exit', track: { flushInterval: 60_000, spool: false } });
    await one.ended;
    assert.match(one.err, /20 tracked calls were not sent and could not be kept/);
  });

  test('flushOnExit sends when the loop is empty', async () => {
    const one = child({ calls: 20, then: 'end', track: { flushInterval: 60_000, flushOnExit: true } });
    assert.equal((await one.ended).code, 0);
    assert.deepEqual([server.count, files().length], [20, 0]);
  });

  test('flushOnExit without a spool does not hold up the end for ever', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = child({ calls: 3, then: 'end', track: { spool: false, flushOnExit: { timeout: 300 } } });
    const begun = Date.now();
    await one.ended;
    assert.ok(Date.now() - begun < 15_000);
    assert.match(one.err, /3 tracked calls/);
  });

  test('flushOnExit sends on SIGTERM, and the process still ends by it', async () => {
    const one = child({ calls: 20, track: { flushInterval: 60_000, flushOnExit: true } });
    await one.says('taken');
    one.process.kill('SIGTERM');
    assert.deepEqual(await one.ended, { code: null, signal: 'SIGTERM' });
    assert.equal(server.count, 20);
  });

  test('SIGTERM while Rev is away leaves the calls on disk', async () => {
    server.before = () => problem(503, 'service.overloaded');
    const one = child({ calls: 20, track: { flushOnExit: { timeout: 200 } } });
    await one.says('taken');
    one.process.kill('SIGTERM');
    assert.equal((await one.ended).signal, 'SIGTERM');
    assert.equal(lines().length, 20);
  });

  test('the files of a living process are its own', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = child({ calls: 10, then: 'spooled' });
    await one.says('spooled');
    const stats = await rev().flush({ timeout: 100 });
    assert.equal(stats.recovered, 0);
    assert.equal(lines().length, 10);
    one.process.kill('SIGKILL');
    await one.ended;
  });

  test('of several that start at once each file is taken by one', async () => {
    server.before = () => problem(503, 'service.unavailable');
    for (let i = 0; i < 3; i++) {
      const one = child({ calls: 100, prefix: `p${i}`, then: 'spooled' });
      await one.says('spooled');
      one.process.kill('SIGKILL');
      await one.ended;
    }
    server.before = null;
    const all = await Promise.all(Array.from({ length: 4 }, () => rev().flush()));
    all.forEach(balanced);
    assert.equal(all.reduce((sum, s) => sum + s.recovered, 0), 300);
    assert.deepEqual([all.reduce((sum, s) => sum + s.accepted, 0), server.count, files().length], [300, 300, 0]);
  });

  test('a living process whose file is taken nevertheless loses nothing', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev();
    for (let i = 0; i < 5; i++) await one.track({ ...call, idempotency_key: `a${i}` });
    await until(() => one.stats().spooled === 5);
    for (const name of files()) renameSync(join(folder(), name), join(folder(), 'rev-00000000000000aa.00000001.jsonl'));
    for (let i = 0; i < 5; i++) await one.track({ ...call, idempotency_key: `b${i}` });
    await until(() => one.stats().queued === 0);
    assert.equal(new Set(lines().map((l) => JSON.parse(l).k)).size, 10);
    server.before = null;
    const stats = balanced(await one.flush());
    const rest = balanced(await rev().flush());
    assert.equal(stats.accepted + rest.accepted, 10);
    assert.equal(server.count, 10);
  });

  test('half a line at the end was not taken over; one in the middle is told and kept', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev();
    for (let i = 0; i < 4; i++) await one.track(call);
    await one.close({ timeout: 50 });
    const file = join(folder(), files()[0]);
    const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [first, '{"k":"broken', ...rest].join('\n'));
    appendFileSync(file, '{"k":"torn","c":{"agent');
    server.before = null;
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.accepted, stats.failed_by], [5, 4, { 'track.spool_corrupt': 1 }]);
    assert.match(readFileSync(join(folder(), 'rejected.jsonl'), 'utf8'), /broken/);
  });

  test('calls of one key are never sent with another; a rotated key is named', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev();
    await one.track(call);
    await one.close({ timeout: 50 });
    server.before = null;
    server.keys = new Set(['rg_test_new']);
    const warnings = [];
    const listen = (w) => warnings.push(w.message);
    process.on('warning', listen);
    const other = balanced(await rev({}, { apiKey: 'rg_test_new' }).flush());
    await sleep(10);
    process.off('warning', listen);
    assert.deepEqual([other.recovered, other.foreign, server.count], [0, 1, 0]);
    assert.ok(warnings.some((w) => w.includes('previousApiKeys')));
    const stats = balanced(await rev({ spool: { previousApiKeys: ['rg_test_key'] } }, { apiKey: 'rg_test_new' }).flush());
    assert.deepEqual([stats.recovered, stats.accepted, stats.foreign], [1, 1, 0]);
  });

  test('a name for the account does the same across keys', async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev({ spool: { account: 'acme-live' } });
    await one.track(call);
    await one.close({ timeout: 50 });
    server.before = null;
    server.keys = new Set(['rg_test_new']);
    const stats = balanced(await rev({ spool: { account: 'acme-live' } }, { apiKey: 'rg_test_new' }).flush());
    assert.deepEqual([stats.recovered, stats.accepted], [1, 1]);
  });

  test('the key is not on disk, and the files are the user’s alone', { skip: process.platform === 'win32' }, async () => {
    server.before = () => problem(503, 'service.unavailable');
    const one = rev({}, { apiKey: 'rg_test_key' });
    await one.track(call);
    await until(() => one.stats().spooled === 1);
    const { statSync } = await import('node:fs');
    for (const name of readdirSync(folder())) {
      assert.doesNotMatch(readFileSync(join(folder(), name), 'utf8'), /rg_test_key/);
      assert.equal(statSync(join(folder(), name)).mode & 0o077, 0, name);
    }
    assert.equal(statSync(folder()).mode & 0o077, 0);
  });

  test('a file that cannot be read is left where it is, and keeps no other from being sent', async () => {
    orphan(['one']);
    mkdirSync(join(folder(), 'rev-00000000000000aa.00000001.jsonl'));
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.accepted], [1, 1]);
    assert.ok(existsSync(join(folder(), 'rev-00000000000000aa.00000001.jsonl')));
  });

  test('a file that is written on after it was taken over is sent to its end', async () => {
    orphan(['one']);
    const spool = new Spool(dir, targetOf(server.url, fingerprint('rg_test_key')), [], { segmentCount: 500, segmentBytes: 1 << 20, maxBytes: 1 << 20 }, {});
    await spool.adopt();
    appendFileSync(join(folder(), files()[0]), orphanLine('two'));
    const { segment, entries, missing } = await spool.oldest();
    assert.deepEqual([entries.map((e) => e.key), missing, segment.count, spool.count, spool.recovered], [['one', 'two'], 0, 2, 2, 2]);
    spool.release();
  });

  test('a lock that names no process is none once it is old', async () => {
    for (const [id, text] of [['aa', 'null'], ['bb', '7'], ['cc', '{"pid":"x","host":"y"}']]) {
      orphan([`k-${id}`], id);
      const lock = join(folder(), `rev-00000000000000${id}.lock`);
      writeFileSync(lock, text);
      utimesSync(lock, new Date(0), new Date(0));
    }
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, stats.accepted], [3, 3]);
  });

  test('what was tracked with a test key is never sent with a live one', async () => {
    server.before = () => problem(503, 'service.unavailable');
    for (const spool of [{ account: 'acme' }, {}]) {
      const one = rev({ spool });
      await one.track(call);
      await one.close({ timeout: 50 });
    }
    server.before = null;
    server.keys = new Set(['rg_live_key']);
    for (const spool of [{ account: 'acme' }, { previousApiKeys: ['rg_test_key'] }]) {
      const stats = balanced(await rev({ spool }, { apiKey: 'rg_live_key' }).flush());
      assert.deepEqual([stats.recovered, server.count], [0, 0]);
    }
  });

  test('a lock of a pid that another process has now is no lock', { skip: process.platform !== 'linux' }, async () => {
    mkdirSync(folder(), { recursive: true });
    const line = `{"k":"old","s":1,"o":1,"c":${JSON.stringify({ ...call, occurred_at: new Date(), idempotency_key: 'old' })}}\n`;
    writeFileSync(join(folder(), 'rev-00000000000000bb.00000001.jsonl'), line);
    const { hostname } = await import('node:os');
    writeFileSync(join(folder(), 'rev-00000000000000bb.lock'), JSON.stringify({ pid: process.pid, host: hostname(), boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), start: '1' }));
    writeFileSync(join(folder(), 'rev-00000000000000cc.00000001.jsonl'), line.replaceAll('"old"', '"elsewhere"'));
    writeFileSync(join(folder(), 'rev-00000000000000cc.lock'), JSON.stringify({ pid: 1, host: 'another-machine', boot: 'x', start: '1' }));
    const stats = balanced(await rev().flush());
    assert.deepEqual([stats.recovered, keysOf()], [1, ['old']]);
    assert.ok(existsSync(join(folder(), 'rev-00000000000000cc.lock')));
    assert.ok(!existsSync(join(folder(), 'rev-00000000000000bb.lock')));
  });
});
