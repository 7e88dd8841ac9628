// Runs the samples of a page as they are printed, and holds what they print against what the page says:
// node docs.mjs PAGE PROJECTS PYTHON. REV_BASE_URL, REV_API_KEY. PROJECTS has a project with the packed SDK for each language.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { check } from './checks.mjs';

const [page, projects, python] = process.argv.slice(2);
const run = promisify(execFile);

const languages = {
  js: { folder: 'node', file: 'sample.mjs', command: process.execPath, args: ['sample.mjs'] },
  python: { folder: 'python', file: 'sample.py', command: python, args: ['sample.py'] },
  csharp: { folder: 'dotnet', file: 'Program.cs', command: 'dotnet', args: ['run', '-c', 'Release', '-v', 'quiet', '--nologo'] },
};
const blocks = [...readFileSync(page, 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));

let count = 0;
for (const [i, { language, code }] of blocks.entries()) {
  const how = languages[language];
  if (!how) continue;
  count++;
  await check(`${page}: block ${i + 1} (${language}) prints what the page says`, async () => {
    assert.equal(blocks[i + 1]?.language, 'text', 'the page does not say what it prints');
    const cwd = join(projects, how.folder);
    writeFileSync(join(cwd, how.file), code);
    const { stdout } = await run(how.command, how.args, { cwd, timeout: 180_000 });
    assert.equal(stdout.trim(), blocks[i + 1].code.trim());
  });
}
await check(`${page}: each language has three samples`, () => {
  assert.deepEqual(blocks.map((b) => b.language).filter((l) => !languages[l] && !['bash', 'sh', 'text'].includes(l)), []);
  assert.equal(count, 9);
});
