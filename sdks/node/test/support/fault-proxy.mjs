// An HTTP proxy in front of a Rev that makes what can go wrong go wrong.
import { createServer, request as send } from 'node:http';

export class FaultProxy {
  /** How often each fault came. */
  faults = {};
  /** Which fault a request meets: (number) => 'drop-before' | 'drop-after' | 'half' | '500' | '500-after' | '503' | '429' | 'slow' | null. */
  choose = () => null;
  /** Milliseconds of `slow`. */
  slow = 1500;
  #number = 0;
  #target;
  #server;
  #port = 0;

  constructor(target) {
    this.#target = new URL(target);
  }

  /** Starts, on the same port as before once it has one. */
  async start() {
    this.#server = createServer((request, response) => void this.#pass(request, response));
    await new Promise((done, fail) => this.#server.once('error', fail).listen(this.#port, '127.0.0.1', done));
    this.#port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.#port}`;
    return this;
  }

  /** As if the service were gone: connections break, and new ones are refused. */
  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #pass(request, response) {
    const fault = this.choose(++this.#number, request);
    if (fault) this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const problem = (status, code, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
      response.end(JSON.stringify({ type: `/docs/errors#${code}`, title: code, status, detail: 'From the proxy.', code, request_id: 'proxy' }));
    };
    if (fault === 'drop-before') return void request.socket.destroy();
    if (fault === '500') return problem(500, 'internal.error');
    if (fault === '503') return problem(503, 'service.unavailable', { 'retry-after': '0' });
    if (fault === '429') return problem(429, 'rate.limited', { 'retry-after': '1' });

    const { protocol: _, hostname, port } = this.#target;
    const onward = send({ hostname, port, path: request.url, method: request.method, headers: { ...request.headers, host: this.#target.host } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const body = Buffer.concat(parts);
        if (fault === 'drop-after') return void request.socket.destroy();
        if (fault === '500-after') return problem(500, 'internal.error');
        const reply = () => {
          if (response.destroyed) return;
          response.writeHead(answer.statusCode, answer.headers);
          if (fault !== 'half') return void response.end(body);
          response.write(body.subarray(0, body.length >> 1));
          setTimeout(() => request.socket.destroy(), 20);
        };
        if (fault === 'slow') setTimeout(reply, this.slow);
        else reply();
      });
    });
    onward.on('error', () => request.socket.destroy());
    onward.end(Buffer.concat(chunks));
  }
}

/** The same faults in the same order at every run. */
export function faultsBySeed(seed, share, kinds = ['drop-before', 'drop-after', 'half', '500', '500-after', '503', '429', 'slow']) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => (next() < share ? kinds[Math.floor(next() * kinds.length)] : null);
}
