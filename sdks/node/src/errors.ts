/** A refusal as Rev writes it: `application/problem+json` of RFC 9457. */
export interface Problem {
  /** The address of what the code means, relative to the server. */
  type: string;
  title: string;
  status: number;
  /** One sentence for a person. */
  detail: string;
  /** Stable, for programs: `outcome.already_resolved`. */
  code: string;
  request_id: string;
  /** Messages per field, keyed by its name on the wire; only of invalid input. */
  errors?: Record<string, string[]> | null;
}

/** What an error is made of. */
export interface RevErrorFields {
  message: string;
  code: string;
  status?: number | null;
  request_id?: string | null;
  errors?: Record<string, string[]> | null;
  retryable?: boolean;
  retry_after?: number | null;
  idempotency_key?: string | null;
  problem?: Problem | null;
  cause?: unknown;
}

/** Every error of this package. */
export class RevError extends Error {
  /** Stable, for programs: a code of Rev's (`outcome.expired`), or one of this package's (`client.timeout`, `client.queue_full`). */
  readonly code: string;
  /** The HTTP status; null when nothing was answered. */
  readonly status: number | null;
  /** The answer's `X-Request-Id`; name it when you report a problem. */
  readonly request_id: string | null;
  /** Messages per field, keyed by its name on the wire; only of invalid input. */
  readonly errors: Record<string, string[]> | null;
  /** Whether the same request, with the same idempotency key, may succeed later on. It cannot count twice. */
  readonly retryable: boolean;
  /** The seconds that the answer asked to wait; null when it did not. */
  readonly retry_after: number | null;
  /** The key that the call was sent with: a repeat with it is answered as the first was. */
  readonly idempotency_key: string | null;
  /** The refusal as it was answered; null when Rev did not answer one. */
  readonly problem: Problem | null;

  constructor(fields: RevErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = new.target.name;
    this.code = fields.code;
    this.status = fields.status ?? null;
    this.request_id = fields.request_id ?? null;
    this.errors = fields.errors ?? null;
    this.retryable = fields.retryable ?? false;
    this.retry_after = fields.retry_after ?? null;
    this.idempotency_key = fields.idempotency_key ?? null;
    this.problem = fields.problem ?? null;
  }
}

/** The package is not set up: no key, a malformed address. */
export class RevConfigError extends RevError {}

/** The request is malformed (400, 405, 413, 415), or was refused before it was sent (`client.invalid`). */
export class RevInvalidRequestError extends RevError {}

/** No key, or one that is unknown, revoked or expired (401). */
export class RevAuthenticationError extends RevError {}

/** The key may not do this (403). */
export class RevPermissionError extends RevError {}

/** Nothing of that id in this account and mode (404). */
export class RevNotFoundError extends RevError {}

/** The state of things stands against it (409): decided already, expired, a key used with other content. */
export class RevConflictError extends RevError {}

/** More requests than the limit (429). */
export class RevRateLimitError extends RevError {}

/** Rev failed or has too much to do (5xx, 408). */
export class RevServerError extends RevError {}

/** No answer, or none that can be read. It may have been stored nevertheless. */
export class RevConnectionError extends RevError {}

/** No answer in time. It may have been stored nevertheless. */
export class RevTimeoutError extends RevConnectionError {}

/** The caller's signal ended the call. It may have been stored nevertheless. */
export class RevAbortError extends RevError {
  constructor(fields: RevErrorFields) {
    super(fields);
    this.name = 'AbortError';
  }
}

/** What is wrong with a webhook. */
export type WebhookFault = 'bad_signature' | 'too_old' | 'too_new' | 'missing_header' | 'bad_payload' | 'bad_secret';

/** A webhook that is not what its signature says (`client.webhook_invalid`). */
export class RevWebhookError extends RevError {
  readonly reason: WebhookFault;

  constructor(reason: WebhookFault, message: string, cause?: unknown) {
    super({ message: `${message} (client.webhook_invalid)`, code: 'client.webhook_invalid', cause });
    this.reason = reason;
  }
}

/** A tracked call that could not be taken, or was given up. */
export class RevTrackError extends RevError {}

const kinds: Record<number, typeof RevError> = {
  401: RevAuthenticationError, 403: RevPermissionError, 404: RevNotFoundError, 409: RevConflictError, 429: RevRateLimitError, 408: RevServerError,
};

/** Whether a repeat of a request that was answered so may succeed. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** @internal Reads a problem; null when the value is none of Rev's. */
export function readProblem(value: unknown): Problem | null {
  if (typeof value !== 'object' || value === null) return null;
  const { code, request_id: request } = value as Partial<Problem>;
  return typeof code === 'string' && typeof request === 'string' ? (value as Problem) : null;
}

/** @internal The error of an answer. */
export function errorOf(
  status: number, problem: Problem | null, more: { request_id?: string | null; retry_after?: number | null; idempotency_key?: string | null; repeatable: boolean; text?: string },
): RevError {
  const kind = kinds[status] ?? (status >= 500 ? RevServerError : status >= 400 ? RevInvalidRequestError : RevError);
  const excerpt = more.text ? `: ${more.text.slice(0, 200)}` : '';
  return new kind({
    message: problem ? `${problem.detail || problem.title} (${problem.code}, request ${problem.request_id})` : `HTTP ${status} without a problem of Rev's${excerpt}`,
    code: problem?.code ?? `http.${status}`,
    status,
    request_id: problem?.request_id ?? more.request_id ?? null,
    errors: problem?.errors ?? null,
    retryable: more.repeatable && isTransient(status),
    retry_after: more.retry_after ?? null,
    idempotency_key: more.idempotency_key ?? null,
    problem,
  });
}

/** @internal Input that is refused before it is sent. */
export function invalid(errors: Record<string, string[]>, cause?: unknown): RevInvalidRequestError {
  const message = Object.entries(errors).map(([field, messages]) => `${field}: ${messages.join(', ')}`).join('; ');
  return new RevInvalidRequestError({ message: `${message} (client.invalid)`, code: 'client.invalid', errors, cause });
}

/** @internal Whether Rev refused a call for the time that this package gave it, and for nothing else. */
export function isClock(error: unknown): boolean {
  return error instanceof RevInvalidRequestError && error.status === 400 && error.errors !== null && Object.keys(error.errors).join() === 'occurred_at';
}

/** @internal An option that cannot be right. */
export function misconfigured(option: string, message: string): RevConfigError {
  return new RevConfigError({ message: `${option}: ${message} (client.invalid)`, code: 'client.invalid', errors: { [option]: [message] } });
}

/** @internal A key of the caller's, as Rev takes it. An empty one is a mistake: a random key in its place would not protect from counting twice. */
export function ownKey(value: unknown, name = 'idempotency_key'): string {
  if (typeof value === 'string' && value !== '' && value.length <= 255 && !/[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/u.test(value)) return value;
  throw invalid({ [name]: ['must be a text of 1 to 255 characters, none of them a control character'] });
}

/** @internal */
export function noKey(): RevConfigError {
  return new RevConfigError({ message: 'There is no API key: set REV_API_KEY, or give new Rev({ apiKey }) (client.not_configured)', code: 'client.not_configured' });
}
