import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { errorOf, invalid, isClock, isTransient, noKey, ownKey, RevError, RevTrackError, type Problem } from './errors';
import { register, unregister } from './exit';
import { delay, isAnswer, unexpected, type Transport } from './http';
import { encode } from './json';
import { defaultFolder, fingerprint, Spool, targetOf, type Entry, type Segment } from './spool';
import type { TrackCloseOptions, Tracked, TrackOptions, TrackStats } from './trackoptions';
import type { MeterCall } from './types';

interface Held extends Entry {
  taken?: () => void;
  refused?: (error: RevError) => void;
}

/** Refused for good, or given up otherwise. */
type GivenUp = 'rejected' | 'lost';

interface Item {
  status: number;
  replayed?: boolean;
  error?: Problem;
}

const LONGEST_WAIT = 30_000;
const LONGEST_RETRY_AFTER = 60;
const ADOPT_EVERY = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;
const MOST_SPLITS = 24;

/** @internal Sends calls in the background. */
export class Tracker {
  readonly #transport: () => Transport;
  readonly #options: TrackOptions;
  readonly #maxBatch: number;
  readonly #maxBatchBytes: number;
  readonly #maxQueue: number;
  readonly #maxQueueBytes: number;
  readonly #flushInterval: number;

  #spool: Spool | null = null;
  #writeAhead = false;
  #started = false;
  #closing: Promise<void> | null = null;
  #closed = false;

  // Memory: waiting, being written to disk, being sent, and beyond the limits.
  #queue: Held[] = [];
  #spilling: Held[] = [];
  #sending: Held[] = [];
  /** How many of those being sent are answered already. */
  #settled = 0;
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
  #adoptedAt: number | null = null;
  #adopting: Promise<void> = Promise.resolve();
  #pumping: Promise<void> | null = null;
  #spillTurn: Promise<void> | null = null;
  #attemptSince = 0;
  #splits = 0;
  #pumpAsked = false;
  #spillAsked = false;
  #abort = new AbortController();

  #tracked = 0;
  #accepted = 0;
  #duplicates = 0;
  #rejected = 0;
  #lost = 0;
  /** Of those the ones that were never taken. */
  #turnedAway = 0;
  readonly #failedBy = new Map<string, number>();
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
    this.#flushInterval = limit(options.flushInterval, 1000, 0, LONGEST_TIMER, 'flushInterval');
    const { whenFull, spool, flushOnExit } = options;
    if (whenFull !== undefined && whenFull !== 'reject' && whenFull !== 'wait') throw invalid({ whenFull: ['must be reject or wait'] });
    if (spool) limit(spool.maxBytes, 0, 0, Infinity, 'spool.maxBytes');
    if (typeof flushOnExit === 'object') limit(flushOnExit.timeout, 0, 0, Infinity, 'flushOnExit.timeout');
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
      if (this.#closing) throw new RevTrackError({ message: 'This Rev was closed (client.closed)', code: 'client.closed' });
      if (typeof call !== 'object' || call === null) throw invalid({ call: ['must be an object'] });
      this.#start();
      const own = call.idempotency_key !== undefined && call.idempotency_key !== null;
      const key = own ? ownKey(call.idempotency_key) : randomUUID();
      const stamped = known.stamped ?? (call.occurred_at === undefined || call.occurred_at === null);
      // Fixed now: a repeat must have the same content, and a call that is sent tomorrow was made today.
      const json = encode({ ...call, occurred_at: call.occurred_at ?? new Date(), idempotency_key: key });
      entry = { key, json, bytes: Buffer.byteLength(json), stamped, ours: known.ours ?? !own };
      if (entry.bytes > this.#maxBatchBytes) throw invalid({ call: [`has ${entry.bytes} bytes, more than a batch may have (${this.#maxBatchBytes})`] });
    } catch (error) {
      const known = error instanceof RevError ? error : new RevTrackError({ message: String(error), code: 'track.error', cause: error });
      this.#turnedAway++;
      this.#fail(known.code === 'client.invalid' ? 'rejected' : 'lost', known, call, null);
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
    const error = new RevTrackError({ message: `Too many calls wait in memory${why} (client.queue_full)`, code: 'client.queue_full', idempotency_key: entry.key });
    this.#turnedAway++;
    this.#fail('lost', error, JSON.parse(entry.json) as MeterCall, entry);
    throw error;
  }

  stats(): TrackStats {
    const [queued, spooled] = [this.#inMemory, this.#spool?.count ?? 0];
    return {
      tracked: this.#tracked, recovered: this.#spool?.recovered ?? 0, queued, spooled, pending: queued + spooled, accepted: this.#accepted, duplicates: this.#duplicates,
      rejected: this.#rejected, lost: this.#lost, failed_by: Object.fromEntries(this.#failedBy), handed_over: this.#spool?.handedOver ?? 0, foreign: this.#foreign, away: this.#away,
      last_error: this.#lastError && { ...this.#lastError }, folder: this.#spool?.folder ?? null, spool_error: this.#spool?.error?.message ?? null,
    };
  }

  /** Sends what was tracked so far. It goes on through failures until the time is over, and never throws for them: the answer says what is left. */
  async flush(options: TrackCloseOptions = {}): Promise<TrackStats> {
    const until = performance.now() + waitOf(options, 30_000);
    if (this.#closed) return this.stats();
    this.#start();
    // Timers of this class do not keep the process: this one does.
    const hold = setInterval(() => undefined, 1 << 30);
    try {
      await this.#adopt();
      const goal = this.#answered + this.#left;
      for (let first = true; !this.#closed && this.#left > 0 && this.#answered < goal && performance.now() < until; first = false) {
        this.#due = this.#left;
        if (first) this.#notBefore = 0;
        await within(this.#pump(), until);
        if (this.#left > 0 && this.#answered < goal) await sleep(Math.max(5, Math.min(this.#notBefore, until) - performance.now()));
      }
    } finally {
      clearInterval(hold);
    }
    return this.stats();
  }

  async close(options: TrackCloseOptions = {}): Promise<TrackStats> {
    const timeout = waitOf(options, 10_000);
    this.#closing ??= this.#close(timeout);
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
      this.#fail('lost', error, JSON.parse(entry.json) as MeterCall, entry);
      entry.refused?.(error);
    }
    await this.#spool?.finish();
    this.#spool?.release();
    unregister(this);
  }

  /** The end of the process: what is in memory goes to disk. */
  exit(): void {
    if (!this.#started || this.#closed) return;
    this.#settled = 0;
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
  tell(call: MeterCall, error: RevError): void {
    if (this.#options.onRejected) {
      try {
        this.#options.onRejected(call, error);
      } catch (thrown) {
        this.#warn('track.on_rejected', `onRejected threw: ${String(thrown)}`);
      }
      return;
    }
    this.#warn(error.code, `A call was not metered: ${error.message}. It is counted in stats().failed_by; give track.onRejected to be told of each`);
  }

  get #inMemory(): number {
    return this.#queue.length + this.#spilling.length + this.#sending.length - this.#settled + this.#beyond.length;
  }

  get #left(): number {
    return this.#inMemory + (this.#spool?.count ?? 0);
  }

  get #answered(): number {
    return this.#accepted + this.#duplicates + this.#rejected + this.#lost - this.#turnedAway + (this.#spool?.handedOver ?? 0);
  }

  // --- start ------------------------------------------------------------------------------

  #start(): void {
    if (this.#started) return;
    const { settings } = this.#transport();
    if (!settings.apiKey) throw noKey();
    const { spool } = this.#options;
    if (spool !== false) {
      const target = (key: string): string => targetOf(settings.baseUrl, fingerprint(key));
      const mode = modeOf(settings.apiKey);
      const own = spool?.account ? targetOf(settings.baseUrl, `account:${mode}:${spool.account}`) : target(settings.apiKey);
      const others = spool?.previousApiKeys ?? [];
      if (others.some((key) => modeOf(key) !== mode)) this.#warn('track.mode', 'A key in track.spool.previousApiKeys is of the other mode: what its processes left is not sent, since tests would be billed');
      const previous = [...others.filter((key) => modeOf(key) === mode).map(target), ...(spool?.account ? [target(settings.apiKey)] : [])];
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
    if (this.#spool && (this.#adoptedAt === null || performance.now() - this.#adoptedAt >= ADOPT_EVERY - 1000)) {
      const first = this.#adoptedAt === null;
      this.#adoptedAt = performance.now();
      this.#adopting = this.#takeOver(this.#spool, first);
    }
    return this.#adopting;
  }

  async #takeOver(spool: Spool, first: boolean): Promise<void> {
    const before = spool.recovered;
    try {
      await spool.adopt();
    } catch (error) {
      this.#warn('track.adopt', `What other processes left in ${spool.folder} cannot all be taken over: ${String(error)}`);
    }
    if (spool.recovered > before) this.#backlog = true;
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
    const now = performance.now();
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
      if (this.#spool && this.#attemptSince > 0 && performance.now() - this.#attemptSince > this.#flushInterval) {
        // Rev hangs: what waits behind that is safer on disk.
        this.#backlog = true;
        this.#spillSoon();
      }
      void this.#pump();
    }, this.#notBefore > now ? this.#notBefore - now : this.#flushInterval).unref();
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
    while (!this.#closed && performance.now() >= this.#notBefore) {
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
          this.#fail('lost', new RevTrackError({ message, code: 'track.spool_corrupt' }), { agent_id: '?', action: '?', metadata: { line } }, null);
        }
        if (oldest.entries.length === 0) return true;
      }
    }
    this.#splits = 0;
    if (this.#current) {
      const { left } = this.#current;
      const batch = this.#batch(left);
      let kept = await this.#attempt(batch, true);
      const rest = left.slice(batch.length);
      const fatal = kept.filter((entry) => entry.fatal);
      if (fatal.length > 0 && spool!.count > fatal.length) {
        const moved = new Set(fatal.slice(0, await spool!.append(fatal)));
        spool!.count -= moved.size;
        kept = kept.filter((entry) => !moved.has(entry));
        this.#due += moved.size;
        if (kept.length + rest.length === 0) {
          await spool!.remove(this.#current.segment);
          this.#current = null;
          return false;
        }
      }
      this.#current.left = [...kept, ...rest];
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
    this.#settled = 0;
    if (sending.length === 0) return false; // the process ends, and they were kept otherwise
    this.#sending = [];
    this.#due = Math.max(0, this.#due - batch.length);
    const again = new Set<Entry>(kept);
    for (const entry of sending) if (!again.has(entry)) this.#letGo(entry);
    this.#queue = [...(kept as Held[]).filter((entry) => !entry.fatal), ...this.#queue, ...(kept as Held[]).filter((entry) => entry.fatal)];
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
    this.#attemptSince = performance.now();
    try {
      ({ results } = await this.#transport().json<{ results: Item[] }>({
        method: 'POST', path: '/v1/meter/batch', body: `{"events":[${batch.map((e) => e.json).join(',')}]}`, repeatable: true,
      }, { maxRetries: 0, signal: this.#abort.signal }));
      const whole = Array.isArray(results) && results.length === batch.length && results.every(isAnswer);
      if (!whole) throw unexpected('one result for each call');
    } catch (thrown) {
      const error = asError(thrown);
      // Rev itself refused the body, or it is too large for what stands before Rev: one of its calls is to blame.
      const refused = error.status === 413 || (error.status === 400 && /^(body\.|request\.invalid$)/.test(error.code));
      // Where Rev fails again and again one call may be to blame, too: the others do not wait for it.
      const failing = error.status === 500 && this.#failures >= 3;
      if ((refused || (failing && this.#splits < MOST_SPLITS)) && batch.length > 1) {
        if (failing) this.#splits++;
        const half = batch.length >> 1;
        const kept = await this.#attempt(batch.slice(0, half), disk);
        return kept.length > 0 && !failing ? [...kept, ...batch.slice(half)] : [...kept, ...(await this.#attempt(batch.slice(half), disk))];
      }
      if (failing && batch.length === 1) batch[0]!.fatal = true;
      if (refused) {
        this.#reject(batch[0]!, error, disk);
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
      if (!item.error && item.status >= 200 && item.status < 300) this.#done(item.replayed ? 'duplicate' : 'accepted', disk);
      else {
        const error = errorOf(item.status, item.error ?? null, { repeatable: true, idempotency_key: entry.key });
        if (isTransient(item.status)) {
          later.push(entry);
          reason = error;
        } else if (error.code === 'event.archived' || (error.code === 'idempotency.key_reused' && entry.ours)) this.#done('duplicate', disk);
        else if (entry.stamped && (isClock(error) || error.code === 'idempotency.key_reused')) unstamped.push(withoutTime(entry));
        else this.#reject(entry, error, disk);
      }
    });
    // The clocks differ by minutes, or the call waited for weeks: then it counts when it is received. It may have been stored so already.
    if (unstamped.length > 0) later.push(...(await this.#attempt(unstamped, disk)));
    if (reason) this.#goAway(reason);
    else if (later.length === 0) {
      this.#away = false;
      this.#failures = 0;
      this.#notBefore = 0;
    }
    return later;
  }

  #done(how: 'accepted' | 'duplicate', disk: boolean): void {
    if (how === 'accepted') this.#accepted++;
    else this.#duplicates++;
    if (disk) this.#spool!.count--;
    else this.#settled++;
  }

  #reject(entry: Entry, error: RevError, disk: boolean): void {
    if (disk) this.#spool!.count--;
    else this.#settled++;
    this.#fail('rejected', error, JSON.parse(entry.json) as MeterCall, entry);
  }

  #goAway(error: RevError): void {
    if (this.#closed) return;
    this.#lastError = { at: new Date().toISOString(), code: error.code, message: error.message };
    const after = error.retry_after === null ? null : Math.min(error.retry_after, LONGEST_RETRY_AFTER);
    this.#notBefore = performance.now() + Math.max(50, delay(this.#failures++, after, LONGEST_WAIT));
    this.#away = true;
    this.#backlog = true;
    this.#warn(`away:${error.code}`, `Rev does not take tracked calls now: ${error.message}. They wait ${this.#spool ? `in ${this.#spool.folder}` : 'in memory'} and are sent later`);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #fail(how: GivenUp, error: RevError, call: MeterCall, entry: Entry | null): void {
    if (how === 'rejected') this.#rejected++;
    else this.#lost++;
    this.#failedBy.set(error.code, (this.#failedBy.get(error.code) ?? 0) + 1);
    if (entry || error.code === 'track.spool_corrupt') {
      this.#spool?.reject({ at: new Date().toISOString(), code: error.code, message: error.message, errors: error.errors, request_id: error.request_id, call });
    }
    this.tell(call, error);
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

function waitOf({ timeout }: TrackCloseOptions, fallback: number): number {
  return Math.min(limit(timeout, fallback, 0, Infinity, 'timeout'), LONGEST_TIMER);
}

/** Live or test, as the key says. */
function modeOf(apiKey: string): string {
  return /^rg_(live|test)_/.exec(apiKey)?.[1] ?? '';
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
    const timer = setTimeout(resolve, Math.max(0, until - performance.now()));
    void work.finally(() => { clearTimeout(timer); resolve(); });
  });
}
