import { randomUUID } from 'node:crypto';
import { errorOf, invalid, isTransient, RevConfigError, RevError, RevTrackError, type Problem } from './errors';
import { delay, unexpected, type Transport } from './http';
import { encode } from './json';
import { defaultFolder, fingerprint, Spool, targetOf, type Entry, type Segment } from './spool';
import type { MeterCall } from './types';

/** Where calls wait that cannot be sent. */
export interface SpoolOptions {
  /** The folder; by default `REV_SPOOL_DIR`, else one of the user's (`~/.local/state/revgrid/spool`). It belongs to one machine. */
  dir?: string | undefined;
  /** A name for the account and mode, instead of its key: with it a process with a rotated key sends what one with the old key left. */
  account?: string | undefined;
  /** Keys that were rotated: what processes with them left is sent, too. */
  previousApiKeys?: string[] | undefined;
  /** How much is kept at most; default 256 MiB. */
  maxBytes?: number | undefined;
  /** Whether every call is on disk before `track` answers, also while Rev can be reached; then kill -9 loses none. Default false. */
  writeAhead?: boolean | undefined;
}

/** How `track` sends. */
export interface TrackOptions {
  /** Calls of a batch at most, 1 to 1,000; default 500. */
  maxBatch?: number | undefined;
  /** Bytes of a batch at most; default 1 MiB. */
  maxBatchBytes?: number | undefined;
  /** Milliseconds that a call waits for others at most; default 1,000. */
  flushInterval?: number | undefined;
  /** Calls in memory at most; default 10,000. What is beyond goes to disk at once. */
  maxQueue?: number | undefined;
  /** Bytes in memory at most; default 16 MiB. */
  maxQueueBytes?: number | undefined;
  /** When memory and disk are full: refuse the call (default), or let `await track()` wait. */
  whenFull?: 'reject' | 'wait' | undefined;
  /** Where calls wait that cannot be sent; false keeps them in memory only. */
  spool?: SpoolOptions | false | undefined;
  /** Whether to send what waits when the event loop is empty, and on SIGTERM and SIGINT; default false. What is not sent is kept on disk in any case. */
  flushOnExit?: boolean | { timeout?: number | undefined; signals?: string[] | undefined } | undefined;
  /** Told of each call that is given up. By default it is a process warning. */
  onError?: ((error: RevError, call: MeterCall) => void) | undefined;
}

/** How long to go on. */
export interface TrackCloseOptions {
  /** Milliseconds; default 30,000 for `flush`, 10,000 for `close`. */
  timeout?: number | undefined;
}

/** A call that was taken. */
export interface Tracked {
  /** What it is sent under, and can be resolved by. */
  idempotency_key: string;
}

/** What became of tracked calls: `tracked + adopted = queued + spooled + sent + duplicates + failed + handed_over`. */
export interface TrackStats {
  /** Calls that `track` was given. */
  tracked: number;
  /** Calls taken over from processes that are no more. */
  adopted: number;
  /** In memory, not answered yet. */
  queued: number;
  /** On disk, not answered yet. */
  spooled: number;
  /** Stored and priced. */
  sent: number;
  /** They were stored before, under the same key: a repeat after an answer that was lost. */
  duplicates: number;
  /** Given up. */
  failed: number;
  /** Why, by code. */
  failed_by: Record<string, number>;
  /** Taken over by another process, which sends them. */
  handed_over: number;
  /** Folders where calls of other keys wait for a process that is no more. */
  foreign: number;
  /** Whether Rev does not take calls now. */
  away: boolean;
  /** Why Rev did not take calls last. */
  last_error: { at: string; code: string; message: string } | null;
  /** Where calls wait; null when they are kept in memory only. */
  folder: string | null;
  /** Why calls cannot be kept on disk; null when they can. */
  spool_error: string | null;
}

interface Held extends Entry {
  taken?: () => void;
  refused?: (error: RevError) => void;
}

interface Item {
  status: number;
  replayed?: boolean;
  error?: Problem;
}

const LONGEST_WAIT = 30_000;
const ADOPT_EVERY = 60_000;

/** @internal Sends calls in the background. */
export class Tracker {
  readonly #transport: () => Transport;
  readonly #options: TrackOptions;
  readonly #maxBatch: number;
  readonly #maxBatchBytes: number;
  readonly #maxQueue: number;
  readonly #maxQueueBytes: number;

  #spool: Spool | null = null;
  #writeAhead = false;
  #started = false;
  #closing: Promise<void> | null = null;
  #closed = false;

  // Memory: waiting, being written to disk, being sent, and beyond the limits.
  #queue: Held[] = [];
  #spilling: Held[] = [];
  #sending: Held[] = [];
  #beyond: Held[] = [];
  #heldBytes = 0;

  /** The file that is being sent, and what of it was not answered. */
  #current: { segment: Segment; left: Entry[] } | null = null;

  /** Calls to be sent although they make no full batch. */
  #due = 0;
  /** Whether calls go by way of the disk, until what waits there is sent. */
  #backlog = false;
  #away = false;
  #failures = 0;
  #notBefore = 0;
  #timer: NodeJS.Timeout | null = null;
  #adopter: NodeJS.Timeout | null = null;
  #adoptedAt = 0;
  #adopting: Promise<void> = Promise.resolve();
  #pumping: Promise<void> | null = null;
  #spillTurn: Promise<void> | null = null;
  #attemptSince = 0;
  #pumpAsked = false;
  #spillAsked = false;
  #abort = new AbortController();

  #tracked = 0;
  #sent = 0;
  #duplicates = 0;
  #failed = 0;
  #failedBy: Record<string, number> = {};
  #foreign = 0;
  #lastError: TrackStats['last_error'] = null;
  readonly #warned = new Set<string>();

  constructor(transport: () => Transport, options: TrackOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#maxBatch = limit(options.maxBatch, 500, 1, 1000, 'maxBatch');
    this.#maxBatchBytes = limit(options.maxBatchBytes, 1 << 20, 1024, 19 << 20, 'maxBatchBytes');
    this.#maxQueue = limit(options.maxQueue, 10_000, 1, Infinity, 'maxQueue');
    this.#maxQueueBytes = limit(options.maxQueueBytes, 16 << 20, 1024, Infinity, 'maxQueueBytes');
  }

  track(call: MeterCall, known: { stamped?: boolean; ours?: boolean } = {}): Promise<Tracked> {
    const taken = this.#take(call, known);
    // It is counted and told already: an ignored promise must not end the process.
    taken.catch(() => undefined);
    return taken;
  }

  async #take(call: MeterCall, known: { stamped?: boolean; ours?: boolean }): Promise<Tracked> {
    this.#tracked++;
    let entry: Held;
    try {
      if (this.#closing) throw new RevTrackError({ message: 'This Rev was closed (track.closed)', code: 'track.closed' });
      if (typeof call !== 'object' || call === null) throw invalid({ call: ['must be an object'] });
      this.#start();
      const key = call.idempotency_key || randomUUID();
      const stamped = known.stamped ?? (call.occurred_at === undefined || call.occurred_at === null);
      // Fixed now: a repeat must have the same content, and a call that is sent tomorrow was made today.
      const json = encode({ ...call, occurred_at: call.occurred_at ?? new Date(), idempotency_key: key });
      entry = { key, json, bytes: Buffer.byteLength(json), stamped, ours: known.ours ?? !call.idempotency_key };
      if (entry.bytes > this.#maxBatchBytes) throw new RevTrackError({ message: `The call has ${entry.bytes} bytes, more than a batch may have (track.too_large)`, code: 'track.too_large' });
    } catch (error) {
      const known = error instanceof RevError ? error : new RevTrackError({ message: String(error), code: 'track.error', cause: error });
      this.#fail(known, call, null);
      throw known;
    }
    await this.#admit(entry);
    return { idempotency_key: entry.key };
  }

  /** Takes a call into memory, to disk where memory is full, or as `whenFull` says. */
  #admit(entry: Held): Promise<void> | void {
    const taken = new Promise<void>((resolve, reject) => Object.assign(entry, { taken: resolve, refused: reject }));
    taken.catch(() => undefined);
    if (!this.#isFull(entry)) {
      this.#hold(entry);
      if (this.#viaDisk()) this.#spillSoon();
      this.#schedule();
      return this.#writeAhead ? taken : undefined;
    }
    if (this.#spool?.usable && this.#beyond.length === 0) {
      // At once, and with it all that waits before it: the order stays.
      this.#backlog = true;
      this.#hold(entry);
      this.#keep();
      this.#schedule();
      if (this.#queue.at(-1) !== entry) return;
      this.#queue.pop();
      this.#heldBytes -= entry.bytes;
    }
    if (this.#options.whenFull === 'wait') {
      this.#beyond.push(entry);
      this.#schedule();
      return taken;
    }
    const why = this.#spool ? (this.#spool.error ? `, and the disk cannot be written: ${this.#spool.error.message}` : ' and on disk') : '';
    const error = new RevTrackError({ message: `Too many calls wait in memory${why} (track.full)`, code: 'track.full', idempotency_key: entry.key });
    this.#fail(error, JSON.parse(entry.json) as MeterCall, entry);
    throw error;
  }

  stats(): TrackStats {
    return {
      tracked: this.#tracked, adopted: this.#spool?.adopted ?? 0, queued: this.#inMemory, spooled: this.#spool?.count ?? 0, sent: this.#sent, duplicates: this.#duplicates,
      failed: this.#failed, failed_by: { ...this.#failedBy }, handed_over: this.#spool?.handedOver ?? 0, foreign: this.#foreign, away: this.#away,
      last_error: this.#lastError && { ...this.#lastError }, folder: this.#spool?.folder ?? null, spool_error: this.#spool?.error?.message ?? null,
    };
  }

  /** Sends what was tracked so far. It goes on through failures until the time is over, and never throws for them: the answer says what is left. */
  async flush(options: TrackCloseOptions = {}): Promise<TrackStats> {
    if (this.#closed) return this.stats();
    this.#start();
    const until = Date.now() + (options.timeout ?? 30_000);
    // Timers of this class do not keep the process: this one does.
    const hold = setInterval(() => undefined, 1 << 30);
    try {
      await this.#adopt();
      const goal = this.#answered + this.#left;
      for (let first = true; this.#left > 0 && this.#answered < goal && Date.now() < until; first = false) {
        this.#due = this.#left;
        if (first) this.#notBefore = 0;
        await within(this.#pump(), until);
        if (this.#left > 0 && this.#answered < goal) await sleep(Math.max(5, Math.min(this.#notBefore, until) - Date.now()));
      }
    } finally {
      clearInterval(hold);
    }
    return this.stats();
  }

  async close(options: TrackCloseOptions = {}): Promise<TrackStats> {
    this.#closing ??= this.#close(options.timeout ?? 10_000);
    await this.#closing;
    return this.stats();
  }

  async #close(timeout: number): Promise<void> {
    if (!this.#started) return;
    await this.flush({ timeout });
    this.#closed = true;
    this.#abort.abort();
    await this.#pumping;
    await this.#spillTurn;
    this.#stopTimers();
    this.#queue.push(...this.#beyond.splice(0));
    this.#keep();
    for (const entry of this.#queue.splice(0)) {
      this.#heldBytes -= entry.bytes;
      const error = new RevTrackError({ message: 'The call was not sent before close, and could not be kept (track.unsent)', code: 'track.unsent', idempotency_key: entry.key });
      this.#fail(error, JSON.parse(entry.json) as MeterCall, entry);
      entry.refused?.(error);
    }
    await this.#spool?.finish();
    this.#spool?.release();
    exits.delete(this);
  }

  /** The end of the process: what is in memory goes to disk. */
  exit(): void {
    if (!this.#started || this.#closed) return;
    this.#queue = [...this.#sending.splice(0), ...this.#spilling.splice(0), ...this.#queue, ...this.#beyond.splice(0)];
    this.#keep();
    const lost = this.#queue.length;
    if (lost > 0) process.stderr.write(`revgrid: ${lost} tracked calls were not sent and could not be kept${this.#spool?.error ? `: ${this.#spool.error.message}` : ''}\n`);
    this.#spool?.release();
  }

  get exitOptions(): { timeout: number; signals: string[] } | null {
    const { flushOnExit } = this.#options;
    if (!flushOnExit) return null;
    const given = flushOnExit === true ? {} : flushOnExit;
    return { timeout: given.timeout ?? 5_000, signals: given.signals ?? ['SIGTERM', 'SIGINT'] };
  }

  /** Sends what earlier processes left, if there is anything. */
  wake(): void {
    if (!this.#closing) this.#start();
  }

  /** Tells of an error that has no caller to be thrown at. */
  tell(error: RevError, call: MeterCall): void {
    if (this.#options.onError) {
      try {
        this.#options.onError(error, call);
      } catch (thrown) {
        this.#warn('track.on_error', `onError threw: ${String(thrown)}`);
      }
      return;
    }
    this.#warn(error.code, `A call was not metered: ${error.message}. It is counted in stats().failed_by; give track.onError to be told of each`);
  }

  get #inMemory(): number {
    return this.#queue.length + this.#spilling.length + this.#sending.length + this.#beyond.length;
  }

  get #left(): number {
    return this.#inMemory + (this.#spool?.count ?? 0);
  }

  get #answered(): number {
    return this.#sent + this.#duplicates + this.#failed + (this.#spool?.handedOver ?? 0);
  }

  // --- start ------------------------------------------------------------------------------

  #start(): void {
    if (this.#started) return;
    const { settings } = this.#transport();
    if (!settings.apiKey) {
      throw new RevConfigError({ message: 'There is no API key: set REV_API_KEY, or give new Rev({ apiKey }) (client.no_api_key)', code: 'client.no_api_key' });
    }
    const { spool } = this.#options;
    if (spool !== false) {
      const target = (key: string): string => targetOf(settings.baseUrl, fingerprint(key));
      const own = spool?.account ? targetOf(settings.baseUrl, `account:${spool.account}`) : target(settings.apiKey);
      const previous = [...(spool?.previousApiKeys ?? []).map(target), ...(spool?.account ? [target(settings.apiKey)] : [])];
      this.#spool = new Spool(spool?.dir ?? defaultFolder(), own, previous, {
        segmentCount: this.#maxBatch, segmentBytes: this.#maxBatchBytes, maxBytes: spool?.maxBytes ?? 256 << 20,
      }, { base_url: settings.baseUrl, key: `${settings.apiKey.slice(0, 8)}…`, account: spool?.account ?? null });
      this.#writeAhead = spool?.writeAhead ?? false;
    }
    this.#started = true;
    register(this);
    if (this.#spool) {
      this.#adopter = setInterval(() => void this.#pump(), ADOPT_EVERY).unref();
      setImmediate(() => void this.#pump());
    }
  }

  /** Takes over what other processes left: at first, then every minute. */
  #adopt(): Promise<void> {
    if (this.#spool && (this.#adoptedAt === 0 || Date.now() - this.#adoptedAt >= ADOPT_EVERY - 1000)) {
      const first = this.#adoptedAt === 0;
      this.#adoptedAt = Date.now();
      this.#adopting = this.#takeOver(this.#spool, first);
    }
    return this.#adopting;
  }

  async #takeOver(spool: Spool, first: boolean): Promise<void> {
    try {
      if (await spool.adopt()) this.#backlog = true;
    } catch (error) {
      this.#warn('track.adopt', `What other processes left in ${spool.folder} cannot be taken over: ${String(error)}`);
    }
    if (!first) return;
    const strangers = await spool.strangers();
    this.#foreign = strangers.length;
    if (strangers.length > 0) {
      this.#warn('track.foreign', `Calls of another key wait in ${strangers.join(', ')}. If that key was rotated, name it in track.spool.previousApiKeys`);
    }
  }

  // --- memory -----------------------------------------------------------------------------

  #isFull(entry: Entry): boolean {
    const held = this.#inMemory - this.#beyond.length;
    return held > 0 && (held >= this.#maxQueue || this.#heldBytes + entry.bytes > this.#maxQueueBytes);
  }

  #hold(entry: Held): void {
    this.#queue.push(entry);
    this.#heldBytes += entry.bytes;
  }

  /** It is on disk, or answered: memory is free of it. */
  #letGo(entry: Held): void {
    this.#heldBytes -= entry.bytes;
    entry.taken?.();
  }

  /** Those that wait for room get it. */
  #letIn(): void {
    while (this.#beyond.length > 0 && !this.#isFull(this.#beyond[0]!)) {
      const entry = this.#beyond.shift()!;
      this.#hold(entry);
      if (!this.#writeAhead) entry.taken?.();
    }
  }

  /** Moves what waits in memory to disk at once. */
  #keep(): void {
    if (!this.#spool || this.#queue.length === 0) return;
    const kept = this.#spool.appendNow(this.#queue);
    for (const entry of this.#queue.splice(0, kept)) this.#letGo(entry);
    if (this.#queue.length > 0) this.#tellDisk();
  }

  #viaDisk(): boolean {
    return this.#spool !== null && this.#spool.usable && (this.#writeAhead || this.#backlog || this.#spool.count > 0);
  }

  #spillSoon(): void {
    if (this.#spillAsked) return;
    this.#spillAsked = true;
    setImmediate(() => {
      this.#spillAsked = false;
      void this.#spill();
    });
  }

  /** Moves what waits in memory to disk, one move at a time. */
  async #spill(): Promise<void> {
    while (this.#spillTurn) await this.#spillTurn;
    if (!this.#viaDisk() || this.#queue.length === 0 || this.#closed) return;
    this.#spillTurn = this.#move().finally(() => (this.#spillTurn = null));
    await this.#spillTurn;
  }

  async #move(): Promise<void> {
    const moving = this.#queue;
    this.#queue = [];
    this.#spilling = moving;
    const kept = await this.#spool!.append(moving);
    if (moving.length === 0) return; // the process ends, and they were kept otherwise
    this.#spilling = [];
    for (const entry of moving.slice(0, kept)) this.#letGo(entry);
    if (kept < moving.length) {
      this.#queue = [...moving.slice(kept), ...this.#queue];
      this.#tellDisk();
    }
    this.#letIn();
  }

  #tellDisk(): void {
    const spool = this.#spool!;
    this.#warn('track.spool', `Calls cannot be kept in ${spool.folder}: ${spool.error?.message ?? 'it is full'}. They stay in memory`);
  }

  // --- sending ----------------------------------------------------------------------------

  #schedule(): void {
    if (this.#closed) return;
    const waiting = this.#left;
    if (waiting === 0) return;
    const now = Date.now();
    const full = waiting >= this.#maxBatch || this.#heldBytes >= this.#maxBatchBytes;
    if (now >= this.#notBefore && (full || this.#backlog)) {
      if (!this.#pumpAsked) {
        this.#pumpAsked = true;
        setImmediate(() => {
          this.#pumpAsked = false;
          void this.#pump();
        });
      }
      return;
    }
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#due = this.#left;
      if (this.#spool && this.#attemptSince > 0 && Date.now() - this.#attemptSince > (this.#options.flushInterval ?? 1000)) {
        // Rev hangs: what waits behind that is safer on disk.
        this.#backlog = true;
        this.#spillSoon();
      }
      void this.#pump();
    }, this.#notBefore > now ? this.#notBefore - now : (this.#options.flushInterval ?? 1000)).unref();
  }

  #stopTimers(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#adopter) clearInterval(this.#adopter);
    this.#timer = this.#adopter = null;
  }

  /** One at a time sends batch after batch, until nothing is due or Rev does not take them. It never throws. */
  #pump(): Promise<void> {
    return (this.#pumping ??= this.#drain().catch((error: unknown) => this.#goAway(asError(error))).finally(() => {
      this.#pumping = null;
      this.#schedule();
    }));
  }

  async #drain(): Promise<void> {
    await this.#adopt();
    while (!this.#closed && Date.now() >= this.#notBefore) {
      if (this.#viaDisk()) await this.#spill();
      const ready = this.#backlog || this.#due > 0 || this.#left >= this.#maxBatch || this.#heldBytes >= this.#maxBatchBytes;
      if (!ready || !(await this.#sendOne())) break;
    }
    if (this.#left === 0) this.#due = 0;
  }

  /** Sends one batch. Answers whether there may be more to do. */
  async #sendOne(): Promise<boolean> {
    const spool = this.#spool;
    if (this.#current && this.#current.left.length === 0) {
      await spool!.remove(this.#current.segment);
      this.#current = null;
    }
    if (!this.#current && spool && spool.count > 0) {
      const oldest = await spool.oldest();
      if (oldest) {
        this.#current = { segment: oldest.segment, left: oldest.entries };
        for (const line of [...oldest.broken, ...Array<string>(oldest.missing).fill('(missing)')]) {
          spool.count--;
          const message = `A call in ${oldest.segment.path} cannot be read any more (track.spool_corrupt)`;
          this.#fail(new RevTrackError({ message, code: 'track.spool_corrupt' }), { agent_id: '?', action: '?', metadata: { line } }, null);
        }
        if (oldest.entries.length === 0) return true;
      }
    }
    if (this.#current) {
      const { left } = this.#current;
      const batch = this.#batch(left);
      const kept = await this.#attempt(batch, true);
      this.#current.left = [...kept, ...left.slice(batch.length)];
      this.#due = Math.max(0, this.#due - batch.length);
      if (this.#current.left.length === 0) {
        await spool!.remove(this.#current.segment);
        this.#current = null;
      }
      if (spool!.count === 0 && kept.length === 0) this.#backlog = false;
      return kept.length === 0;
    }
    if (!this.#away) this.#backlog = false;
    if (this.#queue.length === 0) return false;
    if (this.#viaDisk()) return true; // it came meanwhile, and goes to disk first
    const batch = this.#batch(this.#queue);
    this.#sending = this.#queue.splice(0, batch.length);
    const sending = this.#sending;
    const kept = await this.#attempt(batch, false);
    if (sending.length === 0) return false; // the process ends, and they were kept otherwise
    this.#sending = [];
    this.#due = Math.max(0, this.#due - batch.length);
    const again = new Set<Entry>(kept);
    for (const entry of sending) if (!again.has(entry)) this.#letGo(entry);
    this.#queue = [...(kept as Held[]), ...this.#queue];
    if (kept.length > 0) await this.#spill();
    this.#letIn();
    return kept.length === 0;
  }

  #batch<T extends Entry>(entries: readonly T[]): T[] {
    let [count, bytes] = [0, 0];
    while (count < entries.length && count < this.#maxBatch && (count === 0 || bytes + entries[count]!.bytes < this.#maxBatchBytes)) bytes += entries[count++]!.bytes + 1;
    return entries.slice(0, count);
  }

  /** Sends calls and answers those that are to be sent again later. */
  async #attempt(batch: readonly Entry[], disk: boolean): Promise<Entry[]> {
    let results: Item[];
    this.#attemptSince = Date.now();
    try {
      ({ results } = await this.#transport().json<{ results: Item[] }>({
        method: 'POST', path: '/v1/meter/batch', body: `{"events":[${batch.map((e) => e.json).join(',')}]}`, repeatable: true,
      }, { maxRetries: 0, signal: this.#abort.signal }));
      const whole = Array.isArray(results) && results.length === batch.length && results.every((item) => typeof item?.status === 'number');
      if (!whole) throw unexpected('one result for each call');
    } catch (thrown) {
      const error = asError(thrown);
      // Rev itself refused the body, or it is too large for what stands before Rev: one of its calls is to blame.
      const refused = error.status === 413 || (error.status === 400 && /^(body\.|request\.invalid$)/.test(error.code));
      if (refused && batch.length > 1) {
        const half = batch.length >> 1;
        const kept = await this.#attempt(batch.slice(0, half), disk);
        return kept.length > 0 ? [...kept, ...batch.slice(half)] : this.#attempt(batch.slice(half), disk);
      }
      if (refused) {
        this.#refuse(batch[0]!, error, disk);
        return [];
      }
      this.#goAway(error);
      return [...batch];
    } finally {
      this.#attemptSince = 0;
    }
    const later: Entry[] = [];
    const unstamped: Entry[] = [];
    let reason: RevError | null = null;
    results.forEach((item, i) => {
      const entry = batch[i]!;
      if (!item.error && item.status >= 200 && item.status < 300) this.#done(item.replayed ? 'duplicate' : 'sent', disk);
      else {
        const error = errorOf(item.status, item.error ?? null, { repeatable: true, idempotency_key: entry.key });
        if (isTransient(item.status)) {
          later.push(entry);
          reason = error;
        } else if (error.code === 'event.archived' || (error.code === 'idempotency.key_reused' && entry.ours)) this.#done('duplicate', disk);
        else if (entry.stamped && Object.keys(error.errors ?? {}).join() === 'occurred_at') unstamped.push(withoutTime(entry));
        else this.#refuse(entry, error, disk);
      }
    });
    // The clocks differ by minutes, or the call waited for weeks: then it counts when it is received.
    if (unstamped.length > 0) later.push(...(await this.#attempt(unstamped, disk)));
    if (reason) this.#goAway(reason);
    else if (later.length === 0) {
      this.#away = false;
      this.#failures = 0;
      this.#notBefore = 0;
    }
    return later;
  }

  #done(how: 'sent' | 'duplicate', disk: boolean): void {
    if (how === 'sent') this.#sent++;
    else this.#duplicates++;
    if (disk) this.#spool!.count--;
  }

  #refuse(entry: Entry, error: RevError, disk: boolean): void {
    if (disk) this.#spool!.count--;
    this.#fail(error, JSON.parse(entry.json) as MeterCall, entry);
  }

  #goAway(error: RevError): void {
    if (this.#closed) return;
    this.#lastError = { at: new Date().toISOString(), code: error.code, message: error.message };
    this.#notBefore = Date.now() + Math.max(50, delay(this.#failures++, error.retry_after, LONGEST_WAIT));
    this.#away = true;
    this.#backlog = true;
    this.#warn(`away:${error.code}`, `Rev does not take tracked calls now: ${error.message}. They wait ${this.#spool ? `in ${this.#spool.folder}` : 'in memory'} and are sent later`);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #fail(error: RevError, call: MeterCall, entry: Entry | null): void {
    this.#failed++;
    this.#failedBy[error.code] = (this.#failedBy[error.code] ?? 0) + 1;
    if (entry || error.code === 'track.spool_corrupt') {
      this.#spool?.refuse({ at: new Date().toISOString(), code: error.code, message: error.message, errors: error.errors, request_id: error.request_id, call });
    }
    this.tell(error, call);
  }

  /** A process warning, once for each reason. */
  #warn(code: string, message: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    process.emitWarning(message, { type: 'RevTrackWarning', code });
  }
}

/** The same entry; its size stays as it was counted. */
function withoutTime(entry: Entry): Entry {
  const { occurred_at: _, ...call } = JSON.parse(entry.json) as MeterCall;
  return Object.assign(entry, { json: JSON.stringify(call), stamped: false });
}

function asError(thrown: unknown): RevError {
  return thrown instanceof RevError ? thrown : new RevTrackError({ message: thrown instanceof Error ? thrown.message : String(thrown), code: 'track.error', cause: thrown });
}

function limit(value: number | undefined, fallback: number, least: number, most: number, name: string): number {
  if (value === undefined) return fallback;
  if (!(value >= least && value <= most)) throw invalid({ [name]: [`must be ${least} to ${most}`] });
  return value;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function within(work: Promise<void>, until: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, until - Date.now()));
    void work.finally(() => { clearTimeout(timer); resolve(); });
  });
}

// --- the end of the process ----------------------------------------------------------------

const exits = new Set<Tracker>();
let hooked = false;
const signals = new Set<string>();

function register(tracker: Tracker): void {
  exits.add(tracker);
  if (!hooked) {
    hooked = true;
    process.on('exit', () => { for (const t of exits) t.exit(); });
  }
  const options = tracker.exitOptions;
  if (!options) return;
  let seen = 0;
  process.on('beforeExit', function flush() {
    const { tracked, queued } = tracker.stats();
    if (!exits.has(tracker)) process.removeListener('beforeExit', flush);
    else if (queued > 0 && tracked > seen) void tracker.flush({ timeout: options.timeout });
    seen = tracked;
  });
  for (const signal of options.signals) {
    if (signals.has(signal)) continue;
    signals.add(signal);
    const end = (): void => {
      const open = [...exits].filter((t) => t.exitOptions);
      void Promise.all(open.map((t) => t.close({ timeout: t.exitOptions!.timeout }))).finally(() => {
        process.removeListener(signal, end);
        signals.delete(signal);
        // The signal ends the process as it would have, unless the program has a handler of its own.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.on(signal, end);
  }
}
