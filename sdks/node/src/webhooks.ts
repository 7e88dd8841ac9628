import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalid, RevWebhookError, type WebhookFault } from './errors';
import type { Instant, Money, OutcomeSummary } from './types';

export interface WebhookInvoice {
  id: string;
  number: string | null;
  stripe_invoice_id: string | null;
  customer_id: string;
  status: string;
  currency: string;
  total: Money;
  total_minor: number;
  period_start: Instant;
  period_end: Instant;
}

/** Something that cannot be brought to Stripe until somebody looks. */
export interface WebhookSyncFailure {
  subject: 'connection' | 'invoice' | 'usage';
  id: string;
  customer_id: string | null;
  currency: string | null;
  error: string | null;
}

interface Message<Type extends string, Data> {
  /** The message's id, the same at every try: take each message once. */
  id: string;
  type: Type;
  timestamp: Instant;
  /** Of two messages about one outcome the later one has the larger. */
  sequence: number;
  mode: 'live' | 'test';
  data: Data;
}

export type OutcomeEvent = Message<'outcome.succeeded' | 'outcome.failed' | 'outcome.expired' | 'outcome.in_review' | 'outcome.reversed', OutcomeSummary>;
export type InvoiceEvent = Message<'invoice.finalized' | 'invoice.paid' | 'invoice.payment_failed', WebhookInvoice>;
export type SyncFailedEvent = Message<'stripe.sync_failed', WebhookSyncFailure>;
export type TestEvent = Message<'webhook.test', { endpoint_id: string }>;

/** What Rev tells. Look at `type`: later versions of Rev may tell more. */
export type WebhookEvent = OutcomeEvent | InvoiceEvent | SyncFailedEvent | TestEvent;

/** Headers: those of `fetch`, of Node's `request.headers`, or a plain object. Names in any case. */
export type HeadersInput = { get(name: string): string | null } | Record<string, string | string[] | undefined>;

export interface VerifyOptions {
  /** How many seconds the message's time may be off, back or ahead; default 300. */
  tolerance?: number | undefined;
  /** The time to hold it against; default now. */
  now?: Date | undefined;
}

/**
 * Verifies a webhook as Standard Webhooks says (HMAC-SHA256 over `id.timestamp.body`) and answers the event. Give the body as it came, before it
 * is parsed. While a secret is replaced give both.
 * @throws {RevWebhookError} `client.webhook_invalid`; its `reason` says what is wrong
 */
export function verifyWebhook(payload: string | Uint8Array, headers: HeadersInput, secrets: string | readonly string[], options: VerifyOptions = {}): WebhookEvent {
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) {
    throw failure('bad_payload', 'The payload must be the body as it came, a string or bytes: once parsed it cannot be verified');
  }
  const keys = (typeof secrets === 'string' ? [secrets] : [...secrets]).map(keyOf);
  if (keys.length === 0) throw failure('bad_secret', 'There is no secret to verify with');
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = header(headers, 'webhook-signature');

  if (!/^\d{1,12}$/.test(timestamp)) throw failure('bad_signature', 'webhook-timestamp is not a number of seconds');
  const now = (options.now ?? new Date()).getTime();
  const tolerance = options.tolerance ?? 300;
  // NaN would let any age pass.
  if (Number.isNaN(now)) throw invalid({ now: ['is an invalid Date'] });
  if (!(tolerance >= 0)) throw invalid({ tolerance: ['must be a number of seconds of at least 0'] });
  const age = now / 1000 - Number(timestamp);

  const given = signatures.split(' ').filter((s) => s.startsWith('v1,')).slice(0, 20).map((s) => Buffer.from(s.slice(3), 'base64'));
  let valid = false;
  for (const key of keys) {
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(payload).digest();
    // No early exit: how long it takes tells nothing of which secret or signature fits.
    for (const signature of given) valid = (signature.length === expected.length && timingSafeEqual(signature, expected)) || valid;
  }
  if (!valid) throw failure('bad_signature', 'No signature fits: the body was changed, or the secret is another endpoint’s');
  if (age > tolerance) throw failure('too_old', `The message was signed ${Math.round(age)} seconds ago`);
  if (-age > tolerance) throw failure('too_new', `The message was signed ${Math.round(-age)} seconds ahead: compare the clocks`);

  try {
    return JSON.parse(typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')) as WebhookEvent;
  } catch (error) {
    throw failure('bad_payload', 'The payload is signed, but is no JSON', error);
  }
}

function keyOf(secret: string): Buffer {
  const text = typeof secret === 'string' ? secret.trim().replace(/^whsec_/, '') : '';
  const key = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || key.length < 16) throw failure('bad_secret', 'A secret is whsec_ and bytes in base 64');
  return key;
}

function header(headers: HeadersInput, name: string): string {
  let value: string | string[] | null | undefined;
  if (typeof headers !== 'object' || headers === null) value = undefined;
  else if (typeof (headers as { get?: unknown }).get === 'function') value = (headers as { get(name: string): string | null }).get(name);
  else {
    const plain = headers as Record<string, string | string[] | undefined>;
    const key = Object.keys(plain).find((k) => k.toLowerCase() === name);
    value = key === undefined ? undefined : plain[key];
  }
  if (Array.isArray(value)) value = value.length === 1 ? value[0] : undefined;
  if (!value) throw failure('missing_header', `The header ${name} is missing`);
  return value;
}

function failure(reason: WebhookFault, message: string, cause?: unknown): RevWebhookError {
  return new RevWebhookError(reason, message, cause);
}
