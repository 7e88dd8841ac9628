import { errorOf, invalid, isTransient, noKey, readProblem, RevAbortError, RevConnectionError, RevError, RevTimeoutError } from './errors';
import { VERSION } from './version';

/** As much of an AbortSignal as is used; the real one fits. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** As much of an answer as is used; that of `fetch` fits. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** What requests are sent with; the global `fetch` fits. */
export type FetchLike = (url: string, init: any) => Promise<ResponseLike>;

/** How one call is sent. */
export interface RequestOptions {
  /** Ends the call. It may have been stored nevertheless. */
  signal?: AbortSignalLike | undefined;
  /** Milliseconds for each attempt. */
  timeout?: number | undefined;
  /** How often it is sent again at most. */
  maxRetries?: number | undefined;
}

/** How a call that writes is sent. */
export interface WriteOptions extends RequestOptions {
  /** Your own key: a repeat with the same key and content is answered as the first was, for ever. By default a random one for each call. */
  idempotencyKey?: string | undefined;
}

/** @internal */
export interface Settings {
  apiKey: string | null;
  baseUrl: string;
  timeout: number;
  maxRetries: number;
  fetch: FetchLike;
}

/** @internal */
export interface Outgoing {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: string;
  /** Sent as Idempotency-Key. */
  key?: string | undefined;
  /** Told with errors, when it is sent in the body. */
  bodyKey?: string | undefined;
  /** Whether a repeat cannot count twice. Only then it is sent again. */
  repeatable: boolean;
  anonymous?: boolean;
  accept?: string;
}

/** @internal */
export interface Incoming {
  status: number;
  text: string;
  replayed: boolean;
  request_id: string | null;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
const LONGEST_RETRY_AFTER = 60_000;

/** @internal Sends requests, again where that is safe. */
export class Transport {
  constructor(readonly settings: Settings) {}

  async json<T>(outgoing: Outgoing, options: RequestOptions = {}): Promise<T & { replayed?: true }> {
    return this.#repeat(outgoing, options, (incoming) => {
      const value = parse(incoming.text);
      if (value === undefined || value === null) throw unreadable(outgoing, incoming.status, incoming.request_id);
      if (incoming.replayed && typeof value === 'object') (value as { replayed?: true }).replayed = true;
      return value as T & { replayed?: true };
    });
  }

  async text(outgoing: Outgoing, options: RequestOptions = {}): Promise<string> {
    return this.#repeat(outgoing, options, (incoming) => incoming.text);
  }

  async #repeat<T>(outgoing: Outgoing, options: RequestOptions, read: (incoming: Incoming) => T): Promise<T> {
    const { signal } = options;
    checkTimes(options);
    const retries = options.maxRetries ?? this.settings.maxRetries;
    for (let attempt = 0; ; attempt++) {
      try {
        return read(await this.#once(outgoing, options));
      } catch (error) {
        if (!(error instanceof RevError) || !error.retryable || attempt >= retries) throw error;
        const wait = delay(attempt, error.retry_after);
        if (wait > LONGEST_RETRY_AFTER) throw error;
        await pause(wait, signal, () => aborted(signal, outgoing));
      }
    }
  }

  async #once(outgoing: Outgoing, options: RequestOptions): Promise<Incoming> {
    const { settings } = this;
    const { signal } = options;
    const timeout = options.timeout ?? settings.timeout;
    const headers: Record<string, string> = { accept: outgoing.accept ?? 'application/json', 'user-agent': `revgrid-node/${VERSION}` };
    if (settings.apiKey) headers['authorization'] = `Bearer ${settings.apiKey}`;
    else if (!outgoing.anonymous) throw noKey();
    if (outgoing.body !== undefined) headers['content-type'] = 'application/json';
    if (outgoing.key !== undefined) headers['idempotency-key'] = outgoing.key;

    if (signal?.aborted) throw aborted(signal, outgoing);
    const controller = new AbortController();
    let late = false;
    const stop = (): void => controller.abort();
    // A timer cannot be longer; Infinity is no timeout.
    const timer = timeout < 2 ** 31 ? setTimeout(() => { late = true; stop(); }, timeout) : undefined;
    signal?.addEventListener('abort', stop);
    try {
      const response = await settings.fetch(settings.baseUrl + outgoing.path, {
        method: outgoing.method, headers, redirect: 'manual', signal: controller.signal, ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
      });
      const text = await response.text();
      const request = response.headers.get('x-request-id');
      if (response.status >= 200 && response.status < 300) {
        return { status: response.status, text, replayed: response.headers.get('idempotent-replayed') === 'true', request_id: request };
      }
      const problem = response.status >= 400 ? readProblem(parse(text)) : null;
      throw errorOf(response.status, problem, {
        request_id: request, repeatable: outgoing.repeatable, idempotency_key: keyOf(outgoing), text,
        retry_after: isTransient(response.status) ? retryAfter(response.headers.get('retry-after'), response.headers.get('date')) : null,
      });
    } catch (error) {
      if (error instanceof RevError) throw error;
      if (signal?.aborted) throw aborted(signal, outgoing);
      const fields = { retryable: outgoing.repeatable, idempotency_key: keyOf(outgoing), cause: error };
      if (late) throw new RevTimeoutError({ message: `Rev did not answer within ${timeout} ms (client.timeout)`, code: 'client.timeout', ...fields });
      throw new RevConnectionError({ message: `Rev cannot be reached at ${settings.baseUrl}: ${reason(error)} (client.connection_failed)`, code: 'client.connection_failed', ...fields });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** @internal Without this NaN would be no timeout at all, and repeats without end. */
export function checkTimes({ timeout, maxRetries }: { timeout?: unknown; maxRetries?: unknown }): void {
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) throw invalid({ timeout: ['must be a number of milliseconds above 0'] });
  if (maxRetries !== undefined && !(typeof maxRetries === 'number' && maxRetries >= 0)) throw invalid({ maxRetries: ['must be a number of at least 0'] });
}

function keyOf(outgoing: Outgoing): string | null {
  return outgoing.key ?? outgoing.bodyKey ?? null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(outgoing: Outgoing, status: number, request: string | null): RevConnectionError {
  return new RevConnectionError({
    message: `The answer is not JSON: is this the address of a Rev? (client.unreadable_answer)`, code: 'client.unreadable_answer',
    status, request_id: request, retryable: outgoing.repeatable, idempotency_key: keyOf(outgoing),
  });
}

/** @internal Whether an item of a batch's answer is one of Rev's: an error has a code, and what was stored has an id. */
export function isAnswer(item: unknown): boolean {
  const { status, error, event_id: event, outcome_id: outcome } = (item ?? {}) as { status?: unknown; error?: { code?: unknown } | null; event_id?: unknown; outcome_id?: unknown };
  if (typeof status !== 'number') return false;
  return error ? status >= 400 && typeof error.code === 'string' : status >= 200 && status < 300 && (typeof event === 'string' || typeof outcome === 'string');
}

/** @internal An answer that is JSON, but not what was asked for. */
export function unexpected(what: string, key: string | null = null): RevConnectionError {
  return new RevConnectionError({ message: `The answer is not ${what} (client.unreadable_answer)`, code: 'client.unreadable_answer', retryable: true, idempotency_key: key });
}

/** @internal */
export function aborted(signal: AbortSignalLike | undefined, outgoing: Outgoing): RevAbortError {
  return new RevAbortError({ message: 'The call was ended by its signal (client.aborted)', code: 'client.aborted', idempotency_key: keyOf(outgoing), cause: signal?.reason });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as (Error & { code?: string }) | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}

/** @internal Milliseconds before the attempt after `attempt`: exponential with full jitter, but not before the server asked for it. */
export function delay(attempt: number, after: number | null, longest = LONGEST_WAIT): number {
  const jitter = Math.random() * Math.min(longest, FIRST_WAIT * 2 ** attempt);
  return after === null ? jitter : after * 1000 + Math.min(jitter, FIRST_WAIT);
}

/** @internal Seconds of a Retry-After: a number, or a date, which is taken by the server's own clock where it tells it. */
export function retryAfter(value: string | null, date: string | null): number | null {
  if (!value) return null;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  if (Number.isNaN(at)) return null;
  const now = date === null ? NaN : Date.parse(date);
  return Math.max(0, (at - (Number.isNaN(now) ? Date.now() : now)) / 1000);
}

/** @internal Waits, unless the signal ends it. */
export function pause(ms: number, signal: AbortSignalLike | undefined, error: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => { clearTimeout(timer); reject(error()); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop);
  });
}
