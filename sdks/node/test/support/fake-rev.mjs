// As much of Rev as the tests need: meters, batches and resolutions with idempotency keys, in memory.
import { createServer } from 'node:http';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export class FakeRev {
  /** By key: what was stored. */
  calls = new Map();
  /** Every request that came, in order. */
  requests = [];
  /** Keys that are taken. */
  keys = new Set(['rg_test_key']);
  /** Answers instead of the usual one: (request) => ({ status, headers, body }) or null. */
  before = null;
  /** Judges an item instead of storing it: (call) => problem or null. */
  refuse = () => null;
  #next = 1;
  #server = createServer((request, response) => this.#answer(request, response));

  async start(port = 0) {
    await new Promise((done) => this.#server.listen(port, '127.0.0.1', done));
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get count() {
    return this.calls.size;
  }

  async #answer(request, response) {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const seen = { method: request.method, url: request.url, headers: request.headers, text, body: text ? safe(text) : undefined, number: this.requests.length + 1 };
    this.requests.push(seen);
    const odd = await this.before?.(seen, response);
    if (response.destroyed || odd === 'done') return;
    const { status = 200, headers = {}, body } = odd ?? this.#route(seen);
    const bytes = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', 'x-request-id': `req-${seen.number}`, ...headers });
    response.end(bytes);
  }

  #route({ method, url, headers, body }) {
    if (!this.keys.has(headers.authorization?.slice(7))) return problem(401, 'auth.invalid_key');
    const path = url.split('?')[0];
    if (method === 'POST' && path === '/v1/meter') {
      const result = this.#meter(body, headers['idempotency-key'] ?? body.idempotency_key);
      if (result.error) return { status: result.status, body: result.error };
      const { status, replayed, ...receipt } = result;
      return { status, headers: replayed ? { 'idempotent-replayed': 'true' } : {}, body: receipt };
    }
    if (method === 'POST' && path === '/v1/meter/batch') {
      const results = body.events.map((call, i) => this.#meter(call, call.idempotency_key ?? (headers['idempotency-key'] && `${headers['idempotency-key']}#${i}`)));
      return { body: { results, accepted: results.filter((r) => !r.error && !r.replayed).length, replayed: results.filter((r) => r.replayed).length, rejected: results.filter((r) => r.error).length } };
    }
    if (method === 'POST' && /^\/v1\/outcomes\/[^/]+\/(resolve|reverse)$/.test(path)) return { body: { outcome_id: path.split('/')[3], status: 'succeeded', outcome_bonus: '0.0025' } };
    if (method === 'POST' && path === '/v1/simulations') return { body: { total: '1' } };
    if (method === 'GET' && path === '/v1/outcomes') {
      const from = Number(new URL(url, 'http://x').searchParams.get('cursor') ?? 0);
      const limit = Number(new URL(url, 'http://x').searchParams.get('limit') ?? 50);
      const data = Array.from({ length: Math.min(limit, 120 - from) }, (_, i) => ({ outcome_id: `out_${from + i}` }));
      return { body: { data, next_cursor: from + limit < 120 ? String(from + limit) : null } };
    }
    if (method === 'GET' || method === 'PUT') return { body: { path: url, ...body } };
    return problem(404, 'route.not_found');
  }

  /** Stores a call, and answers its receipt. */
  store(key, call) {
    const id = ulid(this.#next++);
    const receipt = { event_id: `evt_${id}`, outcome_id: call.outcome ? `out_${id}` : null, outcome: call.outcome ?? null, price_charged: '0.01212', agent_id: call.agent_id };
    this.calls.set(key ?? `#${id}`, { text: textOf(call), call, receipt });
    return receipt;
  }

  #meter(call, key) {
    const before = key && this.calls.get(key);
    if (before) return before.text === textOf(call) ? { status: 201, replayed: true, ...before.receipt } : { status: 409, error: problem(409, 'idempotency.key_reused').body };
    const refused = this.refuse(call);
    if (refused) return { status: refused.status, error: refused.body };
    return { status: 201, ...this.store(key, call) };
  }
}

export function problem(status, code, more = {}) {
  return { status, body: { type: `/docs/errors#${code}`, title: code, status, detail: `Detail of ${code}.`, code, request_id: 'req-0', ...more } };
}

/** What makes two calls the same: their content, without the key. */
function textOf({ idempotency_key: _, ...content }) {
  return JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function ulid(number) {
  let text = '';
  for (let i = 0; i < 26; i++, number = Math.floor(number / 32)) text = ALPHABET[number % 32] + text;
  return text;
}

function safe(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
