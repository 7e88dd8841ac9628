// Server-sent events, for all that look on: one connection for each address and page, closed while the page is hidden or nobody
// looks on, and resumed after the last event. An event that comes again is told once.

const names = ['call', 'outcome', 'skipped', 'reset', 'answer'];
const remembered = 2000; // ids of events, to know repeats
const longest = 30000; // milliseconds from one try to the next at most

const streams = new Map();

class Stream {
  constructor(url) {
    this.url = url;
    this.watchers = new Set();
    this.state = 'lost';
    this.seen = new Set();
    this.last = null;
    this.wasLive = false;
    this.tries = 0;
  }

  update() {
    if (this.watchers.size > 0 && document.visibilityState !== 'hidden') this.open();
    else this.close();
  }

  open() {
    if (this.source) return;
    clearTimeout(this.again);
    const address = new URL(this.url, location.href);
    if (this.last) address.searchParams.set('last_event_id', this.last);
    const source = new EventSource(address);
    this.source = source;
    // Nothing says what came while it was closed: who keeps sums begins anew.
    let hasGap = this.wasLive && !this.last;
    source.addEventListener('open', () => {
      this.tries = 0;
      this.wasLive = true;
      this.become('live');
      if (hasGap) this.tell('reset', { from: null });
      hasGap = false;
    });
    source.addEventListener('error', () => this.failed(source));
    for (const name of names) source.addEventListener(name, (event) => this.take(name, event));
  }

  close() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
    this.become('lost');
  }

  // A connection that breaks is made again by the browser; one that was refused is not.
  failed(source) {
    if (source !== this.source) return;
    this.become('lost');
    if (source.readyState !== EventSource.CLOSED) return;
    this.source = null;
    const wait = Math.min(longest, 2000 * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries += 1;
    this.again = setTimeout(() => this.update(), wait);
  }

  take(name, event) {
    if (name === 'call' || name === 'outcome') {
      if (this.seen.has(event.lastEventId)) return;
      this.seen.add(event.lastEventId);
      if (this.seen.size > remembered) this.seen.delete(this.seen.values().next().value);
      this.last = event.lastEventId;
    }
    this.tell(name, JSON.parse(event.data));
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell('state', state);
  }

  tell(name, data) {
    for (const watcher of [...this.watchers]) {
      try {
        watcher[name]?.(data);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

// Looks on until the function that it answers is called. The watcher may have: call, outcome, skipped, reset, answer, each with
// the data of the event, and state, with "live" or "lost".
export function watch(url, watcher) {
  if (!streams.has(url)) streams.set(url, new Stream(url));
  const stream = streams.get(url);
  stream.watchers.add(watcher);
  watcher.state?.(stream.state);
  stream.update();
  return () => {
    if (stream.watchers.delete(watcher)) stream.update();
  };
}

function updateAll() {
  for (const stream of streams.values()) stream.update();
}

document.addEventListener('visibilitychange', updateAll);
// A page that waits to be shown again by the back button has no connection, or it would not be kept.
addEventListener('pagehide', () => {
  for (const stream of streams.values()) stream.close();
});
addEventListener('pageshow', updateAll);
