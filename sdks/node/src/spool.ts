import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { performance } from 'node:perf_hooks';
import { HEARTBEAT, isAlive, self } from './owner';

/** @internal A tracked call: how it is sent, under which key. */
export interface Entry {
  key: string;
  /** The call as JSON, with its key. */
  json: string;
  bytes: number;
  /** Whether occurred_at is from this package, not from the caller. */
  stamped: boolean;
  /** Whether the key is from this package: then nobody else used it. */
  ours: boolean;
  /** Whether Rev fails over it, and over it alone: others go first. */
  fatal?: boolean;
}

/** @internal A file of calls. */
export interface Segment {
  path: string;
  count: number;
  bytes: number;
  /** Whether this process wrote it: then it knows how many of its lines were taken over. */
  own: boolean;
  /** Whether somebody removed it, with its folder. */
  gone?: boolean;
}

/** @internal */
export interface SpoolLimits {
  segmentCount: number;
  segmentBytes: number;
  maxBytes: number;
}

interface Open extends Segment {
  file: fs.promises.FileHandle;
  dev: bigint;
  ino: bigint;
}

const SEGMENT = /^rev-([0-9a-f]{16})\.(\d{8})\.jsonl$/;
const LOCK = /^rev-([0-9a-f]{16})\.lock$/;

/** @internal The folder of calls that wait, where nothing else is said. */
export function defaultFolder(): string {
  const { env, platform } = process;
  if (env['REV_SPOOL_DIR']) return path.resolve(env['REV_SPOOL_DIR']);
  if (platform === 'win32') return path.join(env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'revgrid', 'spool');
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Application Support', 'revgrid', 'spool');
  return path.join(env['XDG_STATE_HOME'] || path.join(homedir(), '.local', 'state'), 'revgrid', 'spool');
}

/** @internal Where the calls of an account and mode wait: calls of one key are never sent with another's. */
export function targetOf(baseUrl: string, account: string): string {
  return createHash('sha256').update(`${baseUrl}\n${account}`).digest('hex').slice(0, 16);
}

/** @internal An account as a file name knows it: nothing can be learnt of the key from it. */
export function fingerprint(apiKey: string): string {
  return createHash('sha256').update(`revgrid:${apiKey}`).digest('hex').slice(0, 16);
}

/**
 * @internal Calls on disk. Each process appends to files of its own, which no other touches while its lock is there: `rev-<id>.lock` names the
 * process, and `rev-<id>.<number>.jsonl` are its files. What a dead process left is taken over by renaming, which only one can do. Should a living
 * process be taken for dead nevertheless, it finds after its next write that the file is no longer its own, and writes those lines again elsewhere:
 * they may be sent twice, under the same keys, and are not lost.
 */
export class Spool {
  readonly folder: string;
  readonly id = randomBytes(8).toString('hex');
  /** Calls on disk that were not answered yet. */
  count = 0;
  bytes = 0;
  /** Calls taken over from processes that are no more. */
  recovered = 0;
  /** Calls that another process took over. */
  handedOver = 0;
  /** Why calls cannot be kept; null when they can. */
  error: Error | null = null;

  readonly #limits: SpoolLimits;
  readonly #others: string[];
  readonly #about: object;
  #closed: Segment[] = [];
  #open: Open | null = null;
  #next = 1;
  #locked = false;
  #heart: NodeJS.Timeout | null = null;
  #chain: Promise<unknown> = Promise.resolve();
  #failedAt = 0;

  constructor(root: string, target: string, previous: string[], limits: SpoolLimits, about: object) {
    this.folder = path.join(root, target);
    this.#others = previous.map((t) => path.join(root, t)).filter((f) => f !== this.folder);
    this.#limits = limits;
    this.#about = about;
  }

  /** Whether calls can be kept: after a failure it is tried again some seconds later. */
  get usable(): boolean {
    return (this.error === null || performance.now() - this.#failedAt > 5_000) && this.bytes < this.#limits.maxBytes;
  }

  /** Keeps calls. Answers how many of them, from the first, are on disk: all, or `error` says why not. */
  append(entries: readonly Entry[]): Promise<number> {
    return this.#alone(() => this.#write(entries));
  }

  /** The same at once, into files of their own: for the end of the process, and when memory is full. */
  appendNow(entries: readonly Entry[]): number {
    let i = 0;
    try {
      this.#prepare();
      while (i < entries.length) {
        const { end, text, bytes } = this.#some(entries, i, 0, 0);
        const file = this.#name();
        const fd = fs.openSync(file, 'wx', 0o600);
        try {
          fs.writeFileSync(fd, text);
          fs.fsyncSync(fd);
        } finally {
          fs.closeSync(fd);
        }
        syncFolder(this.folder);
        this.#closed.push({ path: file, count: end - i, bytes, own: true });
        this.count += end - i;
        this.bytes += bytes;
        i = end;
      }
      this.error = null;
    } catch (error) {
      this.#failed(error);
    }
    return i;
  }

  /** The oldest calls; null when there are none. */
  oldest(): Promise<{ segment: Segment; entries: Entry[]; broken: string[]; missing: number } | null> {
    return this.#alone(async () => {
      for (;;) {
        if (this.#closed.length === 0 && this.#open && this.#open.count > 0) await this.#rotate();
        const segment = this.#closed[0];
        if (!segment) {
          this.count = 0;
          return null;
        }
        let text: string;
        try {
          text = await fs.promises.readFile(segment.path, 'utf8');
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
            // It must not keep the others from being sent.
            this.#closed.push(this.#closed.shift()!);
            throw error;
          }
          this.#look();
          if (segment.gone) return { segment, entries: [], broken: [], missing: segment.count };
          this.#drop(segment);
          this.handedOver += segment.count;
          continue;
        }
        const { entries, broken } = parse(text);
        // It was taken from a process that lived and wrote on.
        const more = segment.own ? 0 : Math.max(0, entries.length + broken.length - segment.count);
        segment.count += more;
        this.recovered += more;
        this.count += more;
        // What a failed write left beyond those that were taken over is still in memory.
        if (segment.own) entries.length = Math.min(entries.length, segment.count);
        return { segment, entries, broken, missing: Math.max(0, segment.count - entries.length - broken.length) };
      }
    });
  }

  /** Removes a file all of whose calls were answered, and taken off `count`. */
  remove(segment: Segment): Promise<void> {
    return this.#alone(async () => {
      // What cannot be removed is sent once more by the next process, under the same keys.
      await fs.promises.rm(segment.path, { force: true }).catch(() => undefined);
      this.#closed = this.#closed.filter((s) => s !== segment);
      this.bytes -= segment.bytes;
    });
  }

  /** Takes over what dead processes left. Answers whether that is anything. */
  adopt(): Promise<boolean> {
    return this.#alone(async () => {
      const before = this.recovered;
      let failure: unknown;
      for (const folder of [this.folder, ...this.#others]) {
        const orphans = await this.#orphans(folder);
        if (orphans.length === 0) continue;
        this.#prepare();
        const taken: Segment[] = [];
        for (const orphan of orphans) {
          const mine = this.#name();
          let text: string;
          try {
            // What cannot be read is left where it is, and tried again later.
            text = await fs.promises.readFile(path.join(folder, orphan), 'utf8');
            await fs.promises.rename(path.join(folder, orphan), mine);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOENT') failure = error;
            continue; // another process was faster
          }
          const { entries, broken } = parse(text);
          if (entries.length + broken.length === 0) {
            await fs.promises.rm(mine, { force: true }).catch(() => undefined);
            continue;
          }
          const segment = { path: mine, count: entries.length + broken.length, bytes: Buffer.byteLength(text), own: false };
          taken.push(segment);
          this.recovered += segment.count;
          this.count += segment.count;
          this.bytes += segment.bytes;
        }
        this.#closed.unshift(...taken);
        if (taken.length > 0) syncFolder(this.folder);
        await this.#sweep(folder);
      }
      if (failure) throw failure;
      return this.recovered > before;
    });
  }

  /** Folders beside this one where calls of other keys wait for a process that is no more. */
  async strangers(): Promise<string[]> {
    const root = path.dirname(this.folder);
    const found: string[] = [];
    for (const name of await list(root)) {
      const folder = path.join(root, name);
      if (/^[0-9a-f]{16}$/.test(name) && folder !== this.folder && !this.#others.includes(folder) && (await this.#orphans(folder)).length > 0) found.push(folder);
    }
    return found;
  }

  /** Keeps a call that was given up, with the reason, for a person to look at. */
  reject(record: object): void {
    try {
      this.#prepare();
      const file = path.join(this.folder, 'rejected.jsonl');
      if (fs.existsSync(file) && fs.statSync(file).size > this.#limits.maxBytes / 4) return;
      fs.appendFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    } catch {
      // It is counted and told in any case.
    }
  }

  /** Leaves what is on disk to the next process. */
  release(): void {
    if (this.#heart) clearInterval(this.#heart);
    this.#heart = null;
    if (!this.#locked) return;
    this.#locked = false;
    try {
      fs.rmSync(this.#lock, { force: true });
    } catch {
      // The next process finds out that this one is no more.
    }
  }

  /** Waits for what is being written, and closes the open file. */
  finish(): Promise<void> {
    return this.#alone(async () => {
      if (this.#open) await this.#rotate();
    });
  }

  get #lock(): string {
    return path.join(this.folder, `rev-${this.id}.lock`);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#chain.then(work);
    this.#chain = turn.catch(() => undefined);
    return turn;
  }

  #failed(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.#failedAt = performance.now();
  }

  #drop(segment: Segment): void {
    this.#closed = this.#closed.filter((s) => s !== segment);
    this.count -= segment.count;
    this.bytes -= segment.bytes;
  }

  #name(): string {
    return path.join(this.folder, `rev-${this.id}.${String(this.#next++).padStart(8, '0')}.jsonl`);
  }

  /** Who takes files over leaves the folder: where it is missing somebody removed them. */
  #look(): void {
    if (this.#locked && !fs.existsSync(this.folder)) for (const segment of [...this.#closed, ...(this.#open ? [this.#open] : [])]) segment.gone = true;
  }

  /** The lock is there before the first file. */
  #prepare(): void {
    this.#look();
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    if (this.#locked && fs.existsSync(this.#lock)) return;
    fs.writeFileSync(this.#lock, JSON.stringify(self()), { flag: 'w', mode: 0o600 });
    const about = path.join(this.folder, 'about.json');
    if (!fs.existsSync(about)) fs.writeFileSync(about, `${JSON.stringify(this.#about)}\n`, { mode: 0o600 });
    syncFolder(this.folder);
    this.#locked = true;
    this.#heart ??= setInterval(() => {
      const now = new Date();
      fs.utimes(this.#lock, now, now, () => undefined);
    }, HEARTBEAT).unref();
  }

  async #write(entries: readonly Entry[]): Promise<number> {
    let i = 0;
    try {
      while (i < entries.length) i = await this.#writeSome(entries, i);
      this.error = null;
    } catch (error) {
      this.#failed(error);
    }
    return i;
  }

  async #writeSome(entries: readonly Entry[], i: number): Promise<number> {
    const open = this.#open ?? (await this.#create());
    const { end, text, bytes } = this.#some(entries, i, open.count, open.bytes);
    if (end === i) {
      await this.#rotate();
      return i;
    }
    try {
      await open.file.appendFile(text);
      await open.file.datasync();
    } catch (error) {
      // Half a line may be in it now: nothing more is appended to it.
      await this.#rotate().catch(() => undefined);
      throw error;
    }
    if (!(await this.#isMine(open))) {
      this.#open = null;
      await open.file.close().catch(() => undefined);
      this.#look();
      if (open.gone || !fs.existsSync(this.folder)) this.#closed.push({ path: open.path, count: open.count, bytes: open.bytes, own: true, gone: true });
      else {
        this.count -= open.count;
        this.bytes -= open.bytes;
        this.handedOver += open.count;
      }
      return i; // those lines once more, into a new file
    }
    open.count += end - i;
    open.bytes += bytes;
    this.count += end - i;
    this.bytes += bytes;
    return end;
  }

  #some(entries: readonly Entry[], from: number, count: number, size: number): { end: number; text: string; bytes: number } {
    let [end, text, bytes] = [from, '', 0];
    while (end < entries.length && count + end - from < this.#limits.segmentCount) {
      const entry = entries[end]!;
      const line = `{"k":${JSON.stringify(entry.key)},"s":${entry.stamped ? 1 : 0},"o":${entry.ours ? 1 : 0},"c":${entry.json}}\n`;
      const length = Buffer.byteLength(line);
      if (size + bytes + length > this.#limits.segmentBytes && count + end - from > 0) break;
      text += line;
      bytes += length;
      end++;
    }
    return { end, text, bytes };
  }

  async #create(): Promise<Open> {
    this.#prepare();
    const name = this.#name();
    const file = await fs.promises.open(name, 'ax', 0o600);
    try {
      const { dev, ino } = await file.stat({ bigint: true });
      syncFolder(this.folder);
      return (this.#open = { path: name, count: 0, bytes: 0, own: true, file, dev, ino });
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  async #isMine(open: Open): Promise<boolean> {
    try {
      const { dev, ino } = await fs.promises.stat(open.path, { bigint: true });
      return dev === open.dev && ino === open.ino;
    } catch {
      return false;
    }
  }

  async #rotate(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    this.#closed.push({ path: open.path, count: open.count, bytes: open.bytes, own: true, ...(open.gone && { gone: true }) });
    await open.file.close();
  }

  async #orphans(folder: string): Promise<string[]> {
    const names = await list(folder);
    const alive = new Map<string, boolean>([[this.id, folder === this.folder]]);
    const orphans: string[] = [];
    for (const name of names.sort()) {
      const id = SEGMENT.exec(name)?.[1];
      if (!id) continue;
      if (!alive.has(id)) alive.set(id, await isAlive(path.join(folder, `rev-${id}.lock`)));
      if (!alive.get(id)) orphans.push(name);
    }
    return orphans;
  }

  /** Removes the locks of dead processes that left nothing else. */
  async #sweep(folder: string): Promise<void> {
    const names = await list(folder);
    const owners = new Set(names.map((n) => SEGMENT.exec(n)?.[1]));
    for (const name of names) {
      const id = LOCK.exec(name)?.[1];
      if (!id || id === this.id || owners.has(id)) continue;
      const lock = path.join(folder, name);
      if (!(await isAlive(lock))) await fs.promises.rm(lock, { force: true }).catch(() => undefined);
    }
  }
}

function parse(text: string): { entries: Entry[]; broken: string[] } {
  const entries: Entry[] = [];
  const broken: string[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === '') continue;
    try {
      const { k, s, o, c } = JSON.parse(line) as { k: string; s: number; o: number; c: object };
      const json = JSON.stringify(c);
      if (typeof k !== 'string' || typeof c !== 'object' || c === null) throw new Error();
      entries.push({ key: k, json, bytes: Buffer.byteLength(json), stamped: s === 1, ours: o === 1 });
    } catch {
      // The last line without its end was being written when the process died: it was not taken over yet.
      if (i < lines.length - 1) broken.push(line);
    }
  }
  return { entries, broken };
}

async function list(folder: string): Promise<string[]> {
  try {
    return await fs.promises.readdir(folder);
  } catch {
    return [];
  }
}

/** A new name is on disk when its folder is. Not on Windows, where folders cannot be opened. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } catch {
    // Some file systems do not know it.
  } finally {
    fs.closeSync(fd);
  }
}
