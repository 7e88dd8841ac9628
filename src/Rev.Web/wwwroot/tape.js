// <rev-tape src="/live/stream" data-most="12" data-root="/live">: calls as they are committed, the newest on top, in its
// <ol class="tape-rows">, where the server may have written rows with a data-id. An outcome that changes later changes its row,
// or comes as a row of its own when that is gone. With data-detail a row tells its price piece by piece; data-parts of a row that
// the server wrote has the exact ones but for the bonus.

import { amount, fill, nanos, written } from './money.js';
import { watch } from './stream.js';

const least = 4; // decimals of a price of one call
const most = 9;

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function price(exact, currency) {
  return written(exact, least, most, currency);
}

// What is said of an outcome, and the class that colours it.
function told(status, bonus, potential, currency) {
  const paid = nanos(bonus) > 0n;
  const sum = written(bonus, 2, most, currency);
  switch (status) {
    case null:
      return ['tag plain', 'no outcome'];
    case 'pending':
      return ['tag warn', potential === null ? 'pending' : `pending, up to +${written(potential, 2, most, currency)}`];
    case 'in_review':
      return ['tag warn', potential === null ? 'in review' : `in review, +${written(potential, 2, most, currency)}`];
    case 'succeeded':
      return paid ? ['tag', `+${sum}`] : ['tag plain', 'succeeded, no bonus'];
    case 'failed':
      return ['tag bad', 'failed, no bonus'];
    case 'expired':
      return ['tag plain', paid ? `expired, +${sum}` : 'expired, no bonus'];
    case 'reversed':
      return ['tag bad', 'reversed'];
    default:
      return ['tag plain', status];
  }
}

class Row {
  constructor(id, item) {
    this.id = id;
    this.item = item;
    this.sum = item.querySelector('.sum');
    this.state = item.querySelector('.state');
    this.pieces = item.querySelector('.pieces');
    this.took = item.querySelector('.ms');
    this.charged = nanos(this.sum.querySelector('data')?.value || '0');
    this.parts = item.dataset.parts?.split(' ') ?? [];
  }

  static make(tape, id, agent, how) {
    const item = document.createElement('li');
    item.dataset.id = id;
    const who = element(tape.dataset.root ? 'a' : 'span', 'who', agent);
    if (tape.dataset.root) who.href = `${tape.dataset.root}/calls/${encodeURIComponent(id)}`;
    item.append(who, element('span', 'sum'), how, element('span', 'state'));
    if (tape.hasAttribute('data-detail')) {
      const pieces = element('span', 'pieces');
      pieces.title = 'base fee + tokens + bonus';
      item.append(pieces, element('span', 'ms'));
    }
    return new Row(id, item);
  }

  // What the stream tells of a call.
  of(call) {
    this.parts = [call.price.base_fee, call.price.token_charge];
    this.show(call.outcome_status, call.price_charged, call.price.outcome_bonus, call.potential_bonus, call.currency);
    return this;
  }

  // What became of its outcome: a price that changes leaves the old one beside it, struck out.
  change(outcome) {
    const was = this.charged;
    this.show(outcome.status, outcome.price_charged, outcome.outcome_bonus, outcome.potential_bonus, outcome.currency);
    if (this.charged !== was) this.sum.prepend(element('s', 'was', price(amount(was), outcome.currency)), ' ');
    this.item.classList.toggle('raised', this.charged > was);
    return this;
  }

  // The same of a call that is not shown any more: without its bonus it cost what it did at first.
  ofOutcome(outcome) {
    this.charged = nanos(outcome.price_charged) - nanos(outcome.outcome_bonus);
    this.parts = [amount(this.charged)];
    return this.change(outcome);
  }

  show(status, charged, bonus, potential, currency) {
    this.charged = nanos(charged);
    const sum = element('data', 'money');
    fill(sum, charged, least, most, currency);
    this.sum.replaceChildren(sum);
    const [kind, text] = told(status, bonus, potential, currency);
    this.state.replaceChildren(element('span', kind, text));
    if (!this.pieces) return;
    const parts = nanos(bonus) === 0n ? this.parts : [...this.parts, bonus];
    this.pieces.textContent = parts.map((part) => price(part, currency)).join(' + ');
  }

  answered(milliseconds) {
    if (!this.took) return;
    this.took.textContent = `${milliseconds.toFixed(1)} ms`;
    this.took.title = 'from the request to the last byte of its answer';
  }
}

class Tape extends HTMLElement {
  static observedAttributes = ['data-paused'];

  constructor() {
    super();
    this.shown = new Map(); // rows by the id of their call, the oldest first
    this.early = new Map(); // how long answers took whose calls did not come yet
  }

  connectedCallback() {
    this.rows = this.querySelector('.tape-rows');
    this.rows.setAttribute('aria-live', 'off');
    this.shown.clear();
    for (const item of [...this.rows.querySelectorAll('li[data-id]')].reverse()) this.shown.set(item.dataset.id, new Row(item.dataset.id, item));
    this.follow();
  }

  disconnectedCallback() {
    this.follow();
  }

  attributeChangedCallback() {
    if (this.rows) this.follow();
  }

  follow() {
    const wanted = this.isConnected && !this.hasAttribute('data-paused');
    if (wanted && !this.stop) {
      this.stop = watch(this.getAttribute('src'), {
        call: (call) => this.call(call),
        outcome: (outcome) => this.outcome(outcome),
        answer: (answer) => this.answer(answer),
      });
    } else if (!wanted && this.stop) {
      this.stop();
      this.stop = null;
    }
  }

  call(call) {
    if (this.shown.has(call.event_id)) return;
    const how = element('span', 'how');
    if (this.hasAttribute('data-detail')) {
      const count = (tokens) => tokens.toLocaleString('en-US');
      const tokens = element('span', 'tokens', `${count(call.tokens_input)} → ${count(call.tokens_output)}`);
      tokens.title = 'tokens in → out';
      how.append(element('span', 'did', call.action), tokens);
    } else {
      how.textContent = `${call.action} · ${call.customer_id}`;
    }
    const row = Row.make(this, call.event_id, call.agent_id, how).of(call);
    const took = this.early.get(call.event_id);
    if (took !== undefined) row.answered(took);
    this.early.delete(call.event_id);
    this.add(row);
  }

  outcome(outcome) {
    const row = this.shown.get(outcome.event_id);
    if (row) {
      row.change(outcome);
      return;
    }
    const how = element('span', 'how');
    if (this.hasAttribute('data-detail')) how.append(element('span', 'did', outcome.action), element('span', 'tokens', 'earlier'));
    else how.textContent = `${outcome.action} · ${outcome.customer_id}`;
    this.add(Row.make(this, outcome.event_id, outcome.agent_id, how).ofOutcome(outcome));
  }

  answer(answer) {
    const row = this.shown.get(answer.event_id);
    if (row) {
      row.answered(answer.latency_ms);
      return;
    }
    this.early.set(answer.event_id, answer.latency_ms);
    if (this.early.size > 50) this.early.delete(this.early.keys().next().value);
  }

  add(row) {
    for (const item of this.rows.querySelectorAll('li:not([data-id])')) item.remove();
    this.shown.set(row.id, row);
    row.item.classList.add('came');
    this.rows.prepend(row.item);
    const limit = Number(this.dataset.most ?? 12);
    while (this.shown.size > limit) {
      const [id, oldest] = this.shown.entries().next().value;
      oldest.item.remove();
      this.shown.delete(id);
    }
  }
}

if (!customElements.get('rev-tape')) customElements.define('rev-tape', Tape);
