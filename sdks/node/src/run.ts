import { randomUUID } from 'node:crypto';
import { invalid, ownKey, RevError } from './errors';
import type { AbortSignalLike } from './http';
import { anthropicSoFar, anthropicStream, tokensOf, type TokenCount } from './tokens';
import type { InstantInput, Metadata, MeterCall, MeterReceipt, Outcome, Replayed } from './types';

interface RunCommon {
  /** What it does, such as `email.sent`. */
  action: string;
  /** The model's name; by default that of the first response whose tokens are counted. */
  model?: string | undefined;
  metadata?: Metadata | undefined;
  /** Whether the call is sent in the background by `track`; by default it is metered before `run` returns. */
  background?: boolean | undefined;
  /** Ends the metering, not the run. */
  signal?: AbortSignalLike | undefined;
  /** Told when a call was metered. */
  onMetered?: ((receipt: MeterReceipt) => void) | undefined;
}

/** What is run, in JavaScript's spelling or the wire's. */
export type RunOptions = RunCommon & (
  | { agentId: string; customerId?: string | undefined; idempotencyKey?: string | undefined }
  | { agent_id: string; customer_id?: string | undefined; idempotency_key?: string | undefined }
);

/** @internal What a run needs of its Rev. */
export interface RunHost {
  /** Meters the call of a run. Hands it to `track` when Rev cannot take it now; null then. */
  deliver(call: MeterCall & { idempotency_key: string }, how: { background: boolean; ours: boolean; signal: AbortSignalLike | undefined }): Promise<(MeterReceipt & Replayed) | null>;
  /** Tells of an error that must not hide another. */
  report(call: MeterCall, error: RevError): void;
}

/** A run under way: tell it what it used and what came of it. */
export class Run {
  /** The key that the run's call is metered under. Store it to resolve a pending outcome: `resolveOutcome({ idempotency_key, outcome })`. */
  readonly idempotency_key: string;
  readonly agent_id: string;
  readonly action: string;
  /** What was answered; null until the run is over, and when the call is sent in the background. */
  receipt: MeterReceipt | null = null;

  /** @internal Whether the key is from this package. */
  readonly ours: boolean;

  readonly #customer: string | undefined;
  #count: TokenCount = { tokens_input: 0, tokens_output: 0 };
  #model: string | null;
  #metadata: Metadata;
  #outcome: Outcome | null = null;
  #expires: InstantInput | null = null;
  #over = false;
  #stream: { start: Record<string, unknown>; counted: TokenCount; told: boolean } | null = null;

  /** @internal */
  constructor(options: RunOptions) {
    const either = options as unknown as Record<string, string | undefined>;
    this.agent_id = (either['agentId'] ?? either['agent_id'])!;
    this.action = options.action;
    this.#customer = either['customerId'] ?? either['customer_id'];
    const given = either['idempotencyKey'] ?? either['idempotency_key'];
    this.ours = given === undefined || given === null;
    this.idempotency_key = this.ours ? randomUUID() : ownKey(given);
    this.#model = options.model ?? null;
    this.#metadata = { ...options.metadata };
    for (const [name, value] of [['agent_id', this.agent_id], ['action', this.action]] as const) {
      if (typeof value !== 'string' || value === '') throw invalid({ [name]: ['is required'] });
    }
  }

  /** What was counted so far. */
  get counted(): TokenCount {
    return { ...this.#count };
  }

  /**
   * Adds the tokens of a model's response, of its usage object, or two numbers. Called for every response of the run. With Anthropic's raw stream
   * give it `message_start` and `message_delta`.
   */
  tokens(response: unknown): TokenCount;
  tokens(input: number, output: number): TokenCount;
  tokens(first: unknown, second?: number): TokenCount {
    const event = typeof first === 'number' ? null : anthropicStream(first);
    if (event) return this.#streamed(event);
    if (typeof first === 'number') {
      if (second === undefined) throw invalid({ usage: ['has the tokens of the input only: give those of the output, too'] });
      return this.#add(tokensOf({ tokens_input: first, tokens_output: second }));
    }
    const one = tokensOf(first);
    this.#add(one);
    this.#model ??= one.model;
    return { tokens_input: one.tokens_input, tokens_output: one.tokens_output };
  }

  /** Names the model, for rates per model. */
  model(name: string): this {
    this.#open();
    this.#model = name;
    return this;
  }

  /** Adds to what bonus conditions read. */
  metadata(more: Metadata): this {
    this.#open();
    this.#metadata = { ...this.#metadata, ...more };
    return this;
  }

  /** It worked. */
  success(metadata?: Metadata): this {
    return this.#decide('success', metadata);
  }

  /** It did not. */
  failure(metadata?: Metadata): this {
    return this.#decide('failure', metadata);
  }

  /** Nobody can know yet; whoever learns it resolves it. */
  pending(options: { expires_at?: InstantInput | undefined; expiresAt?: InstantInput | undefined; metadata?: Metadata | undefined } = {}): this {
    this.#decide('pending', options.metadata);
    this.#expires = options.expires_at ?? options.expiresAt ?? null;
    return this;
  }

  /** @internal The call as it is metered: what is said of the run afterwards cannot be charged any more, and is refused. */
  call(): MeterCall & { idempotency_key: string } {
    this.#over = true;
    return {
      agent_id: this.agent_id, action: this.action, ...this.#count,
      ...(this.#outcome && { outcome: this.#outcome }),
      ...(this.#expires !== null && { expires_at: this.#expires }),
      ...(Object.keys(this.#metadata).length > 0 && { metadata: this.#metadata }),
      ...(this.#customer !== undefined && { customer_id: this.#customer }),
      ...(this.#model !== null && { model: this.#model }),
      idempotency_key: this.idempotency_key,
    };
  }

  #open(): void {
    if (this.#over) throw invalid({ run: ['is over and metered: await in its work what it uses'] });
  }

  #decide(outcome: Outcome, metadata: Metadata | undefined): this {
    this.#open();
    this.#outcome = outcome;
    this.#expires = null;
    return metadata ? this.metadata(metadata) : this;
  }

  #add(more: TokenCount): TokenCount {
    this.#open();
    this.#count = { tokens_input: this.#count.tokens_input + more.tokens_input, tokens_output: this.#count.tokens_output + more.tokens_output };
    return { tokens_input: more.tokens_input, tokens_output: more.tokens_output };
  }

  /** The events of a stream tell what it came to so far: each takes the place of the one before. */
  #streamed(event: { start: boolean; model: string | null; usage: Record<string, unknown> }): TokenCount {
    if (event.start) {
      if (this.#stream && !this.#stream.told) {
        throw invalid({ usage: ['two streams at once cannot be told apart by their events: give their final messages instead'] });
      }
      this.#model ??= event.model;
      const counted = anthropicSoFar(event.usage, {});
      this.#stream = { start: event.usage, counted, told: false };
      return this.#add(counted);
    }
    const stream = this.#stream ?? { start: {}, counted: { tokens_input: 0, tokens_output: 0 }, told: false };
    const counted = anthropicSoFar(stream.start, event.usage);
    this.#stream = { start: stream.start, counted, told: true };
    return this.#add({
      tokens_input: counted.tokens_input - stream.counted.tokens_input,
      tokens_output: counted.tokens_output - stream.counted.tokens_output,
    });
  }
}

/** @internal Runs and meters. */
export async function perform<T>(host: RunHost, options: RunOptions, work: (run: Run) => T | Promise<T>): Promise<T> {
  const run = new Run(options);
  const how = { background: options.background ?? false, ours: run.ours, signal: options.signal };
  let result: T;
  try {
    result = await work(run);
  } catch (error) {
    run.failure();
    const call = run.call();
    try {
      run.receipt = await host.deliver(call, how);
    } catch (second) {
      // The run's own error is what its caller must see.
      host.report(call, second instanceof RevError ? second : new RevError({ message: String(second), code: 'client.error', cause: second }));
    }
    tell(options, run.receipt);
    throw error;
  }
  run.receipt = await host.deliver(run.call(), how);
  tell(options, run.receipt);
  return result;
}

/** What a callback throws must not cost the result, nor hide the run's own error. */
function tell(options: RunOptions, receipt: MeterReceipt | null): void {
  if (!receipt) return;
  try {
    options.onMetered?.(receipt);
  } catch (error) {
    process.emitWarning(`onMetered threw: ${String(error)}`, { type: 'RevRunWarning' });
  }
}
