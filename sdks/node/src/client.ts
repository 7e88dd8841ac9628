import { randomUUID } from 'node:crypto';
import { invalid, isClock, isTransient, misconfigured, ownKey, RevConfigError, RevError, type Problem } from './errors';
import { aborted, checkTimes, delay, isAnswer, pause, Transport, unexpected, type AbortSignalLike, type FetchLike, type Outgoing, type RequestOptions, type WriteOptions } from './http';
import { encode, query, segment } from './json';
import { Paged } from './paged';
import { perform, type Run, type RunOptions } from './run';
import { Tracker } from './track';
import type { TrackCloseOptions, Tracked, TrackOptions, TrackStats } from './trackoptions';
import type {
  Agent, AgentInput, Customer, CustomerInput, EventDetails, EventFilter, EventSummary, ListParameters, MeterBatchAnswer, MeterCall, MeterReceipt, OutcomeDetails,
  OutcomeFilter, OutcomeReceipt, OutcomeSummary, Page, Period, Replayed, ReplayInput, ReplayReport, Resolution, ResolveBatchAnswer, ResolveByCallInput, ResolveInput,
  RevenueQuery, RevenueSeries, RevenueSummary, Reversal, Simulation, SimulationInput, Statement, Tier, TierInput,
} from './types';
import { verifyWebhook, type HeadersInput, type VerifyOptions, type WebhookEvent } from './webhooks';

/** How a Rev is reached. */
export interface RevOptions {
  /** By default `REV_API_KEY`. */
  apiKey?: string | undefined;
  /** By default `REV_BASE_URL`, else `http://localhost:5080`. */
  baseUrl?: string | { readonly href: string } | undefined;
  /** Milliseconds for each attempt; default 30,000. */
  timeout?: number | undefined;
  /** How often a request is sent again at most; default 5. */
  maxRetries?: number | undefined;
  /** Instead of the global `fetch`: for proxies and tests. */
  fetch?: FetchLike | undefined;
  /** How `track` sends. */
  track?: TrackOptions | undefined;
}

/** What a call of `request` may have. */
export interface CallOptions extends WriteOptions {
  body?: unknown;
  query?: Record<string, string | number | boolean | Date | null | undefined> | undefined;
}

/** A Rev: one account and mode, by its key. */
export class Rev {
  #options: RevOptions;
  #transport: Transport | null = null;
  #tracker: Tracker | null = null;

  /** Outcomes: what calls were for. */
  readonly outcomes: {
    /** Newest first. */
    list(filter?: OutcomeFilter, options?: RequestOptions): Paged<OutcomeSummary>;
    /** With every transition, and why its bonus is what it is. */
    get(outcome_id: string, options?: RequestOptions): Promise<OutcomeDetails>;
  };

  /** Metered calls. */
  readonly events: {
    /** Newest first. */
    list(filter?: EventFilter, options?: RequestOptions): Paged<EventSummary>;
    /** To date, with its ledger. */
    get(event_id: string, options?: RequestOptions): Promise<EventDetails>;
  };

  /** Price lists, in versions that never change. */
  readonly tiers: {
    list(filter?: ListParameters, options?: RequestOptions): Paged<Tier>;
    get(key: string, options?: RequestOptions): Promise<Tier>;
    versions(key: string, filter?: ListParameters, options?: RequestOptions): Paged<Tier>;
    /** Makes the tier or its next version; with identical content nothing changes. */
    put(key: string, tier: TierInput, options?: RequestOptions): Promise<Tier>;
    archive(key: string, options?: RequestOptions): Promise<Tier>;
  };

  /** Programs that do work. */
  readonly agents: {
    list(filter?: ListParameters, options?: RequestOptions): Paged<Agent>;
    get(agent_id: string, options?: RequestOptions): Promise<Agent>;
    put(agent_id: string, agent: AgentInput, options?: RequestOptions): Promise<Agent>;
  };

  /** Whom is billed. */
  readonly customers: {
    list(filter?: ListParameters, options?: RequestOptions): Paged<Customer>;
    get(customer_id: string, options?: RequestOptions): Promise<Customer>;
    put(customer_id: string, customer: CustomerInput, options?: RequestOptions): Promise<Customer>;
    /** What a customer owes for a time; by default the month so far. */
    statement(customer_id: string, period?: Period, options?: RequestOptions): Promise<Statement>;
    /** The same down to single calls, as CSV. */
    statementCsv(customer_id: string, period?: Period, options?: RequestOptions): Promise<string>;
  };

  /** What it came to. */
  readonly analytics: {
    /** By hour, day or month, grouped by agent, customer, action or component. */
    revenue(question?: RevenueQuery, options?: RequestOptions): Promise<RevenueSeries>;
    /** Today, the last 24 hours, this month and the one before, and what is open. */
    summary(question?: { currency?: string | undefined }, options?: RequestOptions): Promise<RevenueSummary>;
  };

  constructor(options: RevOptions = {}) {
    check(options);
    this.#options = { ...options };

    this.outcomes = {
      list: (filter, options) => this.#list('/v1/outcomes', filter, options),
      get: async (id, options) => this.#get(`/v1/outcomes/${segment(id, 'outcome_id')}`, undefined, options),
    };
    this.events = {
      list: (filter, options) => this.#list('/v1/events', filter, options),
      get: async (id, options) => this.#get(`/v1/events/${segment(id, 'event_id')}`, undefined, options),
    };
    this.tiers = {
      list: (filter, options) => this.#list('/v1/tiers', filter, options),
      get: async (key, options) => this.#get(`/v1/tiers/${segment(key, 'key')}`, undefined, options),
      versions: (key, filter, options) => this.#list(`/v1/tiers/${segment(key, 'key')}/versions`, filter, options),
      put: async (key, tier, options) => this.#send('PUT', `/v1/tiers/${segment(key, 'key')}`, tier, options),
      archive: async (key, options) => this.#send('DELETE', `/v1/tiers/${segment(key, 'key')}`, undefined, options),
    };
    this.agents = {
      list: (filter, options) => this.#list('/v1/agents', filter, options),
      get: async (id, options) => this.#get(`/v1/agents/${segment(id, 'agent_id')}`, undefined, options),
      put: async (id, agent, options) => this.#send('PUT', `/v1/agents/${segment(id, 'agent_id')}`, agent, options),
    };
    this.customers = {
      list: (filter, options) => this.#list('/v1/customers', filter, options),
      get: async (id, options) => this.#get(`/v1/customers/${segment(id, 'customer_id')}`, undefined, options),
      put: async (id, customer, options) => this.#send('PUT', `/v1/customers/${segment(id, 'customer_id')}`, customer, options),
      statement: (id, period, options) => this.statement(id, period, options),
      statementCsv: async (id, period, options) => this.#http().text({
        method: 'GET', path: `/v1/customers/${segment(id, 'customer_id')}/statement${query({ ...period, format: 'csv' })}`, repeatable: true, accept: 'text/csv',
      }, options),
    };
    this.analytics = {
      revenue: async (question, options) => this.#get('/v1/analytics/revenue', question, options),
      summary: async (question, options) => this.#get('/v1/analytics/summary', question, options),
    };
  }

  /** Sets options before the first use: of the default instance, which is made without any. */
  configure(options: RevOptions): this {
    if (this.#transport || this.#tracker) {
      throw new RevConfigError({ message: 'This Rev is in use already: configure it before its first call (client.configured)', code: 'client.configured' });
    }
    check(options);
    this.#options = { ...this.#options, ...options };
    return this;
  }

  /** Meters a call: it is stored and priced when this answers, once, however often it had to be sent. */
  async meter(call: MeterCall & { outcome: 'success' | 'failure' | 'pending' }, options?: WriteOptions): Promise<OutcomeReceipt & Replayed>;
  async meter(call: MeterCall, options?: WriteOptions): Promise<MeterReceipt & Replayed>;
  async meter(call: MeterCall, options: WriteOptions = {}): Promise<MeterReceipt & Replayed> {
    const { idempotency_key: inCall, ...content } = record(call, 'call') as MeterCall;
    const own = inCall ?? undefined;
    if (own !== undefined && options.idempotencyKey !== undefined && own !== options.idempotencyKey) throw invalid({ idempotency_key: ['differs from the option idempotencyKey'] });
    const given = own ?? options.idempotencyKey;
    const key = given === undefined ? randomUUID() : ownKey(given);
    // A header holds printable ASCII only; the body holds any text.
    const outgoing: Outgoing = isHeader(key)
      ? { method: 'POST', path: '/v1/meter', body: encode(content), key, repeatable: true }
      : { method: 'POST', path: '/v1/meter', body: encode({ ...content, idempotency_key: key }), bodyKey: key, repeatable: true };
    const receipt = await this.#http().json<MeterReceipt>(outgoing, options);
    if (typeof receipt.event_id !== 'string') throw unexpected('a receipt', key);
    return receipt;
  }

  /**
   * Meters up to 1,000 calls in one request. Each is judged alone: look at every result. What Rev could not take (503) is sent again, as long as
   * there are retries.
   */
  async meterBatch(calls: readonly MeterCall[], options: WriteOptions = {}): Promise<MeterBatchAnswer> {
    if (!Array.isArray(calls)) throw invalid({ events: ['must be a list of calls'] });
    const key = options.idempotencyKey ?? randomUUID();
    if (!isHeader(key)) throw invalid({ idempotencyKey: ['must be printable ASCII, at most 255 characters'] });
    const results = await this.#batch<MeterBatchAnswer['results'][number]>(
      { method: 'POST', path: '/v1/meter/batch', body: encode({ events: calls }), key, repeatable: true }, calls.length, options);
    const rejected = results.filter((r) => r.error !== undefined).length;
    const replayed = results.filter((r) => r.error === undefined && (r as Replayed).replayed).length;
    return { results, accepted: results.length - rejected - replayed, replayed, rejected };
  }

  /** Decides a pending outcome, by its id or by its call. The same result again is answered as the first was. */
  async resolveOutcome(outcome_id: string, result: ResolveInput, options?: RequestOptions): Promise<Resolution>;
  async resolveOutcome(result: ResolveByCallInput, options?: RequestOptions): Promise<Resolution>;
  async resolveOutcome(first: string | ResolveByCallInput, second?: ResolveInput | RequestOptions, third?: RequestOptions): Promise<Resolution> {
    if (typeof first === 'object' && first !== null) {
      return this.#http().json({ method: 'POST', path: '/v1/outcomes/resolve', body: encode(first), repeatable: true }, second as RequestOptions);
    }
    const path = `/v1/outcomes/${segment(first, 'outcome_id')}/resolve`;
    return this.#http().json({ method: 'POST', path, body: encode(record(second, 'result')), repeatable: true }, third);
  }

  /** Decides up to 1,000 outcomes by their calls. Each is judged alone. */
  async resolveOutcomes(items: readonly ResolveByCallInput[], options: RequestOptions = {}): Promise<ResolveBatchAnswer> {
    if (!Array.isArray(items)) throw invalid({ items: ['must be a list of results'] });
    const results = await this.#batch<ResolveBatchAnswer['results'][number]>(
      { method: 'POST', path: '/v1/outcomes/resolve/batch', body: encode({ items }), repeatable: true }, items.length, options);
    return { results };
  }

  /** Takes a success back. A repeat is answered as the first was. */
  async reverseOutcome(outcome_id: string, reason: string | { reason: string }, options?: RequestOptions): Promise<Reversal> {
    const body = typeof reason === 'string' ? { reason } : record(reason, 'reason');
    return this.#http().json({ method: 'POST', path: `/v1/outcomes/${segment(outcome_id, 'outcome_id')}/reverse`, body: encode(body), repeatable: true }, options);
  }

  /** What a month would come to. It changes nothing; with a tier given in full it needs no key. */
  async simulate(month: SimulationInput, options?: RequestOptions): Promise<Simulation> {
    return this.#http().json({ method: 'POST', path: '/v1/simulations', body: encode(record(month, 'month')), repeatable: true, anonymous: true }, options);
  }

  /** What recorded calls would have come to under another tier. It changes nothing. */
  async replay(input: ReplayInput, options?: RequestOptions): Promise<ReplayReport> {
    return this.#http().json({ method: 'POST', path: '/v1/simulations/replay', body: encode(record(input, 'input')), repeatable: true }, options);
  }

  /** What a customer owes for a time; by default the month so far. */
  async statement(customer_id: string, period?: Period, options?: RequestOptions): Promise<Statement> {
    return this.#get(`/v1/customers/${segment(customer_id, 'customer_id')}/statement`, period, options);
  }

  /**
   * Takes a call to be sent in the background, and answers at once with the key that it is sent under. What cannot be sent is kept on disk.
   * The promise may be left alone: a call that is not taken is counted and told in any case.
   */
  track(call: MeterCall): Promise<Tracked> {
    return this.#track().track(call);
  }

  /** Sends what was tracked so far, and answers what is left. */
  flush(options?: TrackCloseOptions): Promise<TrackStats> {
    return this.#track().flush(options);
  }

  /** Sends what was tracked, keeps on disk what cannot be sent, and takes no more. */
  async close(options?: TrackCloseOptions): Promise<TrackStats> {
    return this.#track().close(options);
  }

  /** What became of tracked calls. */
  stats(): TrackStats {
    return this.#track().stats();
  }

  /** Runs an agent's work and meters it: what it used and what came of it. When it throws, the outcome is `failure`, and the error goes on. */
  async run<T>(options: RunOptions, work: (run: Run) => T | Promise<T>): Promise<T> {
    // Without a key nothing could be metered: better to say so before the work is done.
    this.#track().wake();
    return perform({
      deliver: (call, how) => this.#deliver(call, how),
      report: (call, error) => this.#track().tell(call, error),
    }, options, work);
  }

  /** Verifies a webhook and answers its event. */
  verifyWebhook(payload: string | Uint8Array, headers: HeadersInput, secrets: string | readonly string[], options?: VerifyOptions): WebhookEvent {
    return verifyWebhook(payload, headers, secrets, options);
  }

  /**
   * Any other call of the API, such as `request('POST', '/v1/webhook_endpoints', { body, idempotencyKey })`. A POST or PATCH without an idempotency
   * key is sent once only.
   */
  async request<T = unknown>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, more: CallOptions = {}): Promise<T> {
    const { body, query: parameters, idempotencyKey, ...options } = more;
    if (!/^\/[\x21-\x7e]*$/.test(path) || path.startsWith('//')) throw invalid({ path: ['must begin with one slash'] });
    if (idempotencyKey !== undefined && !isHeader(idempotencyKey)) throw invalid({ idempotencyKey: ['must be printable ASCII, at most 255 characters'] });
    if (method === 'GET' && body !== undefined) throw invalid({ body: ['is nothing that a GET has'] });
    const repeatable = (method !== 'POST' && method !== 'PATCH') || idempotencyKey !== undefined;
    return this.#http().json({ method, path: path + query(parameters), key: idempotencyKey, repeatable, ...(body === undefined ? {} : { body: encode(body) }) }, options);
  }

  async #deliver(call: MeterCall & { idempotency_key: string }, how: { background: boolean; ours: boolean; signal: AbortSignalLike | undefined }): Promise<(MeterReceipt & Replayed) | null> {
    const stamped = { ...call, occurred_at: new Date() };
    if (!how.background) {
      // Its caller waits for the result of the work: what does not go through soon is sent later.
      const options = { signal: how.signal, timeout: Math.min(this.#http().settings.timeout, 10_000), maxRetries: Math.min(this.#http().settings.maxRetries, 2) };
      try {
        try {
          return await this.meter(stamped, options);
        } catch (error) {
          if (!isClock(error)) throw error;
          return await this.meter(call, options);
        }
      } catch (error) {
        // Also what is no answer of Rev's: a proxy's page says nothing of the call.
        const later = error instanceof RevError && (
          error.retryable || error.code === 'client.aborted' || error.status === 401 || error.status === 403 || (error.status !== null && error.problem === null));
        if (!later) throw error;
      }
    }
    await this.#track().track(stamped, { stamped: true, ours: how.ours });
    return null;
  }

  async #batch<Item extends { status: number; error?: Problem | undefined }>(outgoing: Outgoing, length: number, options: RequestOptions): Promise<Item[]> {
    const retries = options.maxRetries ?? this.#http().settings.maxRetries;
    let settled: Item[] | null = null;
    for (let attempt = 0; ; attempt++) {
      const { results } = await this.#http().json<{ results: Item[] }>(outgoing, options);
      if (!Array.isArray(results) || results.length !== length || !results.every(isAnswer)) throw unexpected('one result for each item', outgoing.key);
      // What was answered for good before stays as it was answered.
      settled = settled ? settled.map((before, i) => (before.error && isTransient(before.status) ? results[i]! : before)) : results;
      if (attempt >= retries || !settled.some((item) => item.error && isTransient(item.status))) return settled;
      await pause(delay(attempt, null), options.signal, () => aborted(options.signal, outgoing));
    }
  }

  #get<T>(path: string, parameters: object | undefined, options?: RequestOptions): Promise<T> {
    return this.#http().json({ method: 'GET', path: path + query(parameters), repeatable: true }, options);
  }

  #list<T>(path: string, filter: ListParameters | undefined, options?: RequestOptions): Paged<T> {
    return new Paged<T>(async (cursor) => this.#get<Page<T>>(path, { ...filter, cursor }, options), filter?.cursor ?? null);
  }

  #send<T>(method: 'PUT' | 'DELETE', path: string, body: object | undefined, options?: RequestOptions): Promise<T> {
    return this.#http().json({ method, path, repeatable: true, ...(body === undefined ? {} : { body: encode(body) }) }, options);
  }

  #http(): Transport {
    if (this.#transport) return this.#transport;
    const { apiKey, baseUrl, timeout, maxRetries, fetch } = this.#options;
    const send = fetch ?? (globalThis as { fetch?: FetchLike }).fetch;
    if (!send) throw new RevConfigError({ message: 'There is no fetch: use Node.js 20 or later (client.not_configured)', code: 'client.not_configured' });
    const key = (apiKey ?? process.env['REV_API_KEY'] ?? '').trim() || null;
    if (key && !/^[\x21-\x7e]+$/.test(key)) throw misconfigured('apiKey', 'has characters that no key has');
    const transport = new Transport({
      apiKey: key,
      baseUrl: address(String(baseUrl ?? (process.env['REV_BASE_URL']?.trim() || 'http://localhost:5080'))),
      timeout: timeout ?? 30_000,
      maxRetries: maxRetries ?? 5,
      fetch: (url, init) => send(url, init),
    });
    // Without a key it is looked for again at the next call: the environment may be read later than this module.
    if (key) this.#transport = transport;
    return transport;
  }

  #track(): Tracker {
    return (this.#tracker ??= new Tracker(() => this.#http(), this.#options.track ?? {}));
  }
}

/** What cannot be right is told where it is set, not at the first call. */
function check(options: RevOptions): void {
  if (options.baseUrl !== undefined) address(String(options.baseUrl));
  checkTimes(options);
  if (options.track) new Tracker(() => { throw new Error(); }, options.track);
}

/** Whether a header can hold it. */
function isHeader(key: string): boolean {
  return /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key);
}

function address(text: string): string {
  const fault = (): RevConfigError => misconfigured('baseUrl', `${text} is not the http address of a Rev`);
  let url;
  try {
    url = new URL(text);
  } catch {
    throw fault();
  }
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.search || url.hash || url.username || url.password) throw fault();
  return url.toString().replace(/\/+$/, '');
}

function record(value: unknown, name: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid({ [name]: ['must be an object'] });
  return value;
}
