import { types } from 'node:util';
import { invalid } from './errors';

/**
 * @internal Writes a body. What JSON.stringify would turn into null without a word (NaN, an invalid Date) or leave out (a function) is refused, since an absent
 * token count or deadline is billed differently. Half a surrogate pair, as cutting a text leaves it, becomes U+FFFD: no JSON may hold it.
 */
export function encode(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, replace);
  } catch (error) {
    if (error instanceof TypeError) throw invalid({ body: [`cannot be written as JSON: ${error.message}`] }, error);
    throw error;
  }
  if (text === undefined) throw invalid({ body: ['cannot be written as JSON'] });
  return text;
}

function replace(this: unknown, key: string, value: unknown): unknown {
  // Date has been turned into a string or null by its toJSON already; the holder still has it.
  const raw = (this as Record<string, unknown>)[key];
  if (types.isDate(raw) && Number.isNaN(raw.getTime())) throw invalid({ [key]: ['is an invalid Date'] });
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalid({ [key]: [`is ${value}, which JSON cannot hold`] });
  if (typeof value === 'function' || typeof value === 'symbol') throw invalid({ [key]: [`is a ${typeof value}, which JSON cannot hold`] });
  if (typeof value === 'bigint') {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw invalid({ [key]: ['is too large for a number'] });
    return Number(value);
  }
  return typeof value === 'string' ? wellFormed(value) : value;
}

function wellFormed(text: string): string {
  const modern = text as string & { toWellFormed?: () => string };
  return modern.toWellFormed ? modern.toWellFormed() : text;
}

/** @internal An instant for a query: RFC 3339. */
export function instant(value: Date | string, name: string): string {
  if (!types.isDate(value)) return value;
  if (Number.isNaN(value.getTime())) throw invalid({ [name]: ['is an invalid Date'] });
  return value.toISOString();
}

/** @internal A query, without what is absent. */
export function query(parameters: object | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (value === undefined || value === null) continue;
    search.set(name, types.isDate(value) ? instant(value, name) : String(value));
  }
  const text = search.toString();
  return text && `?${text}`;
}

/** @internal One segment of a path. */
export function segment(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '' || value === '.' || value === '..') throw invalid({ [name]: ['must be the id of something, as a string'] });
  return encodeURIComponent(value);
}
