// What the programs here have in common: each check is a line "ok …" or "FAILED …", which scripts/sdk.sh counts.
import { randomBytes } from 'node:crypto';

const { REV_BASE_URL, REV_API_KEY } = process.env;
export const base = REV_BASE_URL;
export const key = REV_API_KEY;

/** Tells this run's agents from those of others. */
export const mark = randomBytes(4).toString('hex');

export async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED ${name}: ${String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 600)}`);
  }
}

/** Asks Rev. The answer's status and its JSON. */
export async function ask(method, path, body, headers = {}) {
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: text === '' ? null : JSON.parse(text) };
}

/** Every event of an agent, newest first. */
export async function eventsOf(agent) {
  const found = [];
  let cursor;
  do {
    const { status, json } = await ask('GET', `/v1/events?limit=200&agent_id=${encodeURIComponent(agent)}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    if (status !== 200) throw new Error(`GET /v1/events: ${status} ${JSON.stringify(json)}`);
    found.push(...json.data);
    cursor = json.next_cursor;
  } while (cursor);
  return found;
}

/** Decimal strings added up exactly, in nanos. */
export function nanos(amount) {
  const [whole, part = ''] = amount.split('.');
  return BigInt(whole + part.padEnd(9, '0'));
}
