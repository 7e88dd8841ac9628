// Compiles src to dist as CommonJS with types, and writes the ES module beside it. That one only re-exports: a program that loads both has one
// default instance, one spool and one class RevError.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const dist = join(home, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', join(home, 'tsconfig.json')], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const built = require(join(dist, 'index.js'));
const version = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version;
if (built.VERSION !== version) {
  console.error(`src/version.ts says ${built.VERSION}, package.json ${version}`);
  process.exit(1);
}
const names = Object.keys(built).filter((name) => name !== 'default' && name !== '__esModule').sort();
writeFileSync(join(dist, 'index.mjs'), `import built from './index.js';\nexport const {\n  ${names.join(',\n  ')},\n} = built;\nexport default built.revgrid;\n`);
writeFileSync(join(dist, 'index.d.mts'), "import { revgrid } from './index.js';\nexport * from './index.js';\nexport default revgrid;\n");
