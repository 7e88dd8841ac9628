// Runs test/e2e against the Rev of REV_BASE_URL and REV_API_KEY, with the package as it is published: packed, and installed into an empty project.
// node scripts/e2e.mjs [an archive that was packed already]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

for (const name of ['REV_BASE_URL', 'REV_API_KEY']) {
  if (process.env[name]) continue;
  console.error(`${name} is not set`);
  process.exit(2);
}
const home = dirname(dirname(fileURLToPath(import.meta.url)));
const project = mkdtempSync(join(tmpdir(), 'rev-e2e-project-'));
const shell = process.platform === 'win32';

function command(program, args, cwd, env = process.env) {
  const { status } = spawnSync(program, args, { cwd, env, stdio: 'inherit', shell });
  if (status !== 0) {
    rmSync(project, { recursive: true, force: true });
    process.exit(status ?? 1);
  }
}

const given = process.argv[2] && resolve(process.argv[2]);
if (!given) command('npm', ['pack', '--silent', '--pack-destination', project], home);
const archive = given ?? join(project, readdirSync(project).find((n) => n.endsWith('.tgz')));
writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
command('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', archive], project);
mkdirSync(join(project, 'test'));
for (const folder of ['e2e', 'support']) cpSync(join(home, 'test', folder), join(project, 'test', folder), { recursive: true });
const tests = readdirSync(join(project, 'test', 'e2e')).filter((n) => n.endsWith('.test.mjs')).map((n) => join('test', 'e2e', n));
command(process.execPath, ['--test', '--test-concurrency=1', ...tests], project, { REV_EXAMPLES: join(home, '..', '..', 'examples', 'node'), ...process.env, REV_SPOOL_DIR: join(project, 'spool') });
rmSync(project, { recursive: true, force: true });
