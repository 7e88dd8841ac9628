// The live demo: what its agents come to since the oldest call that the server wrote, and a button that stops the feed. Sums are
// of nanos, exact.

import { amount, fill, nanos, written } from './money.js';
import { watch } from './stream.js';
import './tape.js';

const remembered = 5000; // calls whose price is known, to add what is new of it
const summaryEvery = 30000;

const states = { live: 'Live', lost: 'Connecting…', paused: 'Paused' };

// As the reader's clock has it; with the day where that is another.
function clock(at) {
  const time = at.toTimeString().slice(0, 8);
  return at.toDateString() === new Date().toDateString() ? time : `${at.getDate()} ${at.toDateString().slice(4, 7)}, ${time}`;
}

function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

class Demo extends HTMLElement {
  connectedCallback() {
    this.tape = this.querySelector('rev-tape');
    this.button = this.querySelector('[data-pause]');
    this.summary = this.querySelector('[data-summary]');
    this.button.addEventListener('click', () => this.pause(this.button.getAttribute('aria-pressed') !== 'true'));
    this.begin([...this.querySelectorAll('li[data-id]')].reverse());
    this.follow();
    this.timer = setInterval(() => this.summarize(), summaryEvery);
    this.toggleAttribute('data-ready', true);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.stop?.();
    this.stop = null;
  }

  follow() {
    this.stop = watch(this.dataset.src, {
      call: (call) => this.call(call),
      outcome: (outcome) => this.outcome(outcome),
      skipped: () => this.begin(),
      reset: () => this.begin(),
      state: (state) => this.become(state),
    });
  }

  pause(paused) {
    this.button.setAttribute('aria-pressed', String(paused));
    this.tape.toggleAttribute('data-paused', paused);
    if (!paused) {
      this.follow();
      return;
    }
    this.stop();
    this.stop = null;
    this.become('paused');
  }

  become(state) {
    this.wasLive ||= state === 'live';
    this.querySelector('[data-state]').textContent = state === 'lost' && this.wasLive ? 'Connecting again…' : states[state];
    this.querySelector('.dot').classList.toggle('off', state !== 'live');
  }

  // From the rows that the server wrote, the oldest first. Where something is missing later, a sum since then would be wrong: it
  // is one since now.
  begin(rows = []) {
    this.prices = new Map();
    this.open = new Map();
    this.calls = rows.length;
    this.charged = 0n;
    for (const row of rows) {
      const { id, open } = row.dataset;
      const price = nanos(row.querySelector('.sum data').value);
      this.charged += price;
      this.keep(id, price);
      if (open !== undefined) this.open.set(id, nanos(open));
    }
    const since = this.querySelector('[data-since]');
    const at = rows.length > 0 ? new Date(since.dateTime) : new Date();
    since.dateTime = at.toISOString();
    since.textContent = clock(at);
    this.draw();
  }

  call(call) {
    const price = nanos(call.price_charged);
    const known = this.prices.get(call.event_id);
    if (known === undefined) this.calls += 1;
    this.charged += price - (known ?? 0n);
    this.keep(call.event_id, price);
    this.track(call.event_id, call.outcome_status, call.potential_bonus);
    this.draw();
  }

  outcome(outcome) {
    const known = this.prices.get(outcome.event_id);
    if (known !== undefined) {
      const price = nanos(outcome.price_charged);
      this.charged += price - known;
      this.keep(outcome.event_id, price);
    } else if (outcome.reversed_amount !== null) {
      this.charged -= nanos(outcome.reversed_amount);
    } else {
      this.charged += nanos(outcome.outcome_bonus);
    }
    this.track(outcome.event_id, outcome.status, outcome.potential_bonus);
    this.draw();
  }

  keep(id, price) {
    this.prices.set(id, price);
    if (this.prices.size > remembered) this.prices.delete(this.prices.keys().next().value);
  }

  track(id, status, potential) {
    if (status === 'pending' || status === 'in_review') this.open.set(id, potential === null ? 0n : nanos(potential));
    else this.open.delete(id);
  }

  get potential() {
    let sum = 0n;
    for (const bonus of this.open.values()) sum += bonus;
    return sum;
  }

  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.querySelector('[data-calls]').textContent = grouped(this.calls);
      this.querySelector('[data-open]').textContent = grouped(this.open.size);
      fill(this.querySelector('[data-figure=demo-charged]'), amount(this.charged), 2, 9);
      fill(this.querySelector('[data-figure=demo-potential]'), amount(this.potential), 2, 9);
    });
  }

  // Now and then for whoever hears the page: rows that come and go would never let it finish.
  summarize() {
    const text = `${this.calls} calls, ${written(amount(this.charged), 2, 9)} charged, ${this.open.size} outcomes pending for up to ${written(amount(this.potential), 2, 9)}.`;
    if (this.stop && document.visibilityState !== 'hidden' && this.calls > 0) this.summary.textContent = text;
  }
}

customElements.define('rev-demo', Demo);
