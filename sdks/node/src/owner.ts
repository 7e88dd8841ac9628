import * as fs from 'node:fs';
import { hostname } from 'node:os';

/** @internal How often a process touches its lock. */
export const HEARTBEAT = 60_000;
const SILENT = 10 * 60_000;

interface Owner {
  pid: number;
  host: string;
  boot: string | null;
  start: string | null;
}

function read(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** When a process began, in ticks since the machine did: a pid is used again, this is not. Linux only. */
function startOf(pid: number | 'self'): string | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null);
}

/** @internal This process, as its lock names it. */
export function self(): Owner {
  return { pid: process.pid, host: hostname(), boot: read('/proc/sys/kernel/random/boot_id')?.trim() ?? null, start: startOf('self') };
}

/** @internal Whether the process that a lock names still runs. */
export async function isAlive(lock: string): Promise<boolean> {
  let owner: Owner;
  let touched: number;
  try {
    touched = (await fs.promises.stat(lock)).mtimeMs;
    owner = JSON.parse(await fs.promises.readFile(lock, 'utf8')) as Owner;
    if (typeof owner?.host !== 'string' || !Number.isInteger(owner.pid)) throw new Error('it names no process');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    // Being written just now, or torn by a crash: its age tells.
    return fs.promises.stat(lock).then((s) => Date.now() - s.mtimeMs < HEARTBEAT, () => false);
  }
  const me = self();
  // Of a process on another machine nothing is known but that it touches its lock every minute.
  if (owner.host !== me.host) return Date.now() - touched < SILENT;
  if (owner.boot !== me.boot) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return owner.start === null || startOf(owner.pid) === owner.start;
}
