// What is published: packed, installed into empty projects, run by both module systems and checked by the compiler.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeRev } from '../support/fake-rev.mjs';

const home = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

const dir = mkdtempSync(join(tmpdir(), 'rev-pack-'));
const project = join(dir, 'empty project');
const installed = join(project, 'node_modules', 'revgrid');
let server;

function command(program, args, cwd) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

function program(name, source) {
  writeFileSync(join(project, name), source);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [name], { cwd: project, env: { ...process.env, REV_API_KEY: 'rg_test_key', REV_BASE_URL: server.url, REV_SPOOL_DIR: join(dir, 'spool') } });
    let out = '';
    child.stdout.on('data', (part) => (out += part));
    child.stderr.on('data', (part) => (out += part));
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(out))));
  });
}

const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)]));

describe('The package', () => {
  before(async () => {
    server = await new FakeRev().start();
    mkdirSync(project);
    command(npm, ['pack', '--silent', '--pack-destination', dir], home);
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
    command(npm, ['install', '--offline', '--no-audit', '--no-fund', join(dir, `revgrid-${manifest.version}.tgz`)], project);
  });
  after(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('has what is needed and nothing else, and no dependency', () => {
    const names = files(installed).map((f) => relative(installed, f).replaceAll('\\', '/'));
    for (const name of names) assert.match(name, /^(package\.json|README\.md|LICENSE|dist\/[a-z]+\.(js|mjs|d\.ts|d\.mts))$/);
    for (const name of ['LICENSE', 'README.md', 'dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/index.d.mts']) assert.ok(names.includes(name), name);
    const { dependencies, peerDependencies, license } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    assert.deepEqual([dependencies, peerDependencies, license], [undefined, undefined, 'MIT']);
    for (const file of files(installed)) assert.ok(!readFileSync(file, 'utf8').includes(home), `${file} has a path of this machine`);
    assert.ok(files(installed).reduce((sum, f) => sum + readFileSync(f).length, 0) < 250_000);
  });

  test('meters and resolves from an ES module', async () => {
    const out = await program('module.mjs', `
      import { revgrid, Rev, RevError, verifyWebhook } from 'revgrid';
      import byDefault from 'revgrid';
      import * as all from 'revgrid';
      import { createRequire } from 'node:module';
      const { outcome_id } = await revgrid.meter({ agent_id: 'a', action: 'email.sent', tokens_input: 1200, tokens_output: 340, outcome: 'pending', expires_at: new Date(Date.now() + 60_000) });
      const { status } = await revgrid.resolveOutcome(outcome_id, { outcome: 'success', metadata: { reply_received: true } });
      await byDefault.track({ agent_id: 'a', action: 'x' });
      const { accepted } = await all.close();
      console.log(status, accepted, byDefault === revgrid, createRequire(import.meta.url)('revgrid').revgrid === revgrid, new Rev() instanceof Rev, typeof verifyWebhook, new RevError({ message: '', code: 'x' }).name);
    `);
    assert.equal(out.trim(), 'succeeded 1 true true true function RevError');
  });

  test('meters and resolves from CommonJS, in either spelling', async () => {
    const out = await program('common.cjs', `
      const whole = require('revgrid');
      const { revgrid, Rev } = require('revgrid');
      (async () => {
        const { outcome_id } = await revgrid.meter({ agent_id: 'a', action: 'email.sent', outcome: 'pending', expires_at: new Date(Date.now() + 60_000) });
        const { status } = await whole.resolveOutcome(outcome_id, { outcome: 'success' });
        console.log(status, (await new Rev({ apiKey: 'rg_test_key' }).meter({ agent_id: 'a', action: 'x' })).outcome_id, (await import('revgrid')).default === revgrid);
      })();
    `);
    assert.equal(out.trim(), 'succeeded null true');
  });

  const source = `
    import byDefault, { revgrid, Rev, RevError, RevConflictError, tokensOf, verifyWebhook, type MeterCall, type TrackStats, type WebhookEvent, type OutcomeSummary } from 'revgrid';
    import * as all from 'revgrid';
    export async function main(): Promise<void> {
      const { outcome_id } = await revgrid.meter({ agent_id: 'a', action: 'email.sent', tokens_input: 1200, tokens_output: 340, outcome: 'pending', expires_at: new Date() });
      const resolution = await revgrid.resolveOutcome(outcome_id, { outcome: 'success', metadata: { reply_received: true } });
      const money: string = resolution.outcome_bonus;
      const call: MeterCall = { agent_id: 'a', action: 'x', metadata: { deep: [1, { x: null }] }, customer_id: undefined };
      const plain = await byDefault.meter(call, { idempotencyKey: 'k', timeout: 5 });
      const maybe: string | null = plain.outcome_id;
      // @ts-expect-error: without an outcome there may be no id
      await all.resolveOutcome(plain.outcome_id, { outcome: 'success' });
      // @ts-expect-error: a misspelt field
      await revgrid.meter({ agent_id: 'a', action: 'x', token_input: 5 });
      // @ts-expect-error: a result is a success or a failure
      await revgrid.resolveOutcome('out_1', { outcome: 'pending' });
      const { results } = await revgrid.meterBatch([call]);
      for (const result of results) {
        if (result.error) console_(result.error.code, result.status);
        else console_(result.event_id, result.price.total, result.replayed);
      }
      for await (const outcome of revgrid.outcomes.list({ status: 'pending' })) summary(outcome);
      for await (const page of revgrid.tiers.list().pages()) console_(page.data[0]?.version, page.next_cursor);
      const first = await revgrid.events.list({ from: new Date() }).page();
      const answer: number = await revgrid.run({ agentId: 'a', action: 'b', customerId: 'c' }, async (run) => {
        run.tokens({ usage: { input_tokens: 1, output_tokens: 2 } });
        run.success({ ok: true }).model('m').pending({ expires_at: new Date() });
        return 42;
      });
      const stats: TrackStats = await revgrid.flush();
      const event: WebhookEvent = verifyWebhook(new Uint8Array(), { 'webhook-id': 'x' }, ['whsec_x'], { tolerance: 300 });
      if (event.type === 'outcome.succeeded') summary(event.data);
      else if (event.type === 'invoice.paid') console_(event.data.total);
      try { new Rev({ apiKey: 'x', baseUrl: 'http://x', timeout: 1, maxRetries: 1, track: { spool: false, whenFull: 'wait', onRejected: (c, e) => console_(e.code, c.action) } }); }
      catch (error) { if (error instanceof RevConflictError && error instanceof RevError) console_(error.request_id, error.errors?.['x']?.[0], error.retryable); }
      console_(money, maybe, first.data.length, answer, stats.failed_by['x'], tokensOf({}).tokens_input);
    }
    function summary(outcome: OutcomeSummary): void { console_(outcome.outcome_id); }
    function console_(..._: unknown[]): void {}
  `;
  const withGlobals = `
    import { Rev } from 'revgrid';
    export const rev = new Rev({ fetch, baseUrl: new URL('http://localhost') });
    export const answer = rev.meter({ agent_id: 'a', action: 'b' }, { signal: AbortSignal.timeout(5) });
    export const event = rev.verifyWebhook('x', new Headers(), 'whsec_x');
  `;
  const strict = { strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, target: 'es2022', lib: ['es2022'], types: [], isolatedModules: true };
  const projects = {
    'an ES module': ['a.mts', { module: 'nodenext', moduleResolution: 'nodenext' }],
    'CommonJS': ['a.cts', { module: 'nodenext', moduleResolution: 'nodenext' }],
    'a bundler': ['a.ts', { module: 'esnext', moduleResolution: 'bundler' }],
    'Node.js 16’s resolution': ['a.mts', { module: 'node16', moduleResolution: 'node16' }],
    'the old resolution': ['a.ts', { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true }],
  };
  for (const [name, [file, options]] of Object.entries(projects)) {
    test(`has types for ${name}, without @types/node and the DOM`, () => {
      writeFileSync(join(project, file), source);
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }));
      command(process.execPath, [compiler, '--noEmit', '-p', '.'], project);
    });
  }

  test('takes the global fetch, URL, AbortSignal and Headers', () => {
    writeFileSync(join(project, 'g.mts'), withGlobals);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, lib: ['es2022', 'dom'], module: 'nodenext' }, files: ['g.mts'] }));
    command(process.execPath, [compiler, '-p', '.'], project);
  });

  test('takes them as @types/node has them', () => {
    writeFileSync(join(project, 'n.mts'), withGlobals);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, skipLibCheck: true, types: ['node'], typeRoots: [join(home, 'node_modules', '@types')], module: 'nodenext' }, files: ['n.mts'] }));
    command(process.execPath, [compiler, '-p', '.'], project);
  });
});
