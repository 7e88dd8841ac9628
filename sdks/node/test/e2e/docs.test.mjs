// The samples of the README and the examples run as they stand: REV_BASE_URL and REV_API_KEY.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';

// The package under test: the one that these tests stand in, or the one that is installed beside them.
const home = dirname(createRequire(import.meta.url).resolve('revgrid/package.json'));
const examples = process.env.REV_EXAMPLES ?? join(home, '..', '..', 'examples', 'node');
const { REV_BASE_URL, REV_API_KEY } = process.env;

describe('What is written down runs', { skip: REV_BASE_URL && REV_API_KEY ? false : 'REV_BASE_URL and REV_API_KEY are not set' }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rev-docs-'));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(home, join(dir, 'node_modules', 'revgrid'), 'dir');
  after(() => rmSync(dir, { recursive: true, force: true }));

  const run = (file) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: dir, encoding: 'utf8', timeout: 60_000, env: { ...process.env, REV_SPOOL_DIR: join(dir, 'spool') } });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    return stdout;
  };

  const samples = [...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/^## (.+?)$|^```js\n(.*?)^```$/gms)];
  let section = '';
  let number = 0;
  for (const [, title, code] of samples) {
    if (title) { section = title; continue; }
    const name = `sample-${++number}.mjs`;
    test(`README, ${section} (${number})`, () => {
      writeFileSync(join(dir, name), code.replace('listen(3000', 'listen(0'));
      const out = run(name);
      if (section.startsWith('Tracking')) assert.match(out, /accepted: 2, duplicates: 0, rejected: 0, lost: 0, pending: 0/);
      if (section.startsWith('What happens')) assert.match(out, /request\.invalid .* token_input/);
    });
  }

  for (const name of existsSync(examples) ? readdirSync(examples).filter((n) => n.endsWith('.mjs')) : []) {
    test(`examples/node/${name}`, () => {
      cpSync(join(examples, name), join(dir, name));
      const out = run(name);
      if (name === 'agent.mjs') assert.match(out, /T-1 helped: [\d.]+ usd more/);
      else assert.match(out, /metered 2, rejected 0, lost 0, pending 0/);
    });
  }
});
