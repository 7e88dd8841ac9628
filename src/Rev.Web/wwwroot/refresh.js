// <rev-refresh src="/live/revenue/figures?…" data-stream="/live/stream">: a part of a page that stays true while the page is open. An event of
// the stream, and each minute what depends on the clock, has it asked for again, once a second at most; with data-of only the events
// of that outcome. What comes is put into what is there, node by node: what is the same stays, with its focus, its place, what was
// typed into it and whether it is open. Without this script the part is as fresh as the page.

import { watch } from './stream.js';

const pause = 1000; // milliseconds from one request to the next at least
const gather = 60; // milliseconds in which events of one commit come
const patience = 10000; // milliseconds that an answer may take
const again = 5000; // milliseconds until a try that failed is repeated
const minute = 60000;

// The module that every page loads, under the address by which it is loaded already.
const tools = document.querySelector('script[type="module"][src*="/rev."]')?.src;

// --- nodes into nodes -----------------------------------------------------------------------------

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.getAttribute('data-key') || '' : '';
}

// What a script put there is not the server's to take away.
function isOwn(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.hasAttribute('data-own');
}

function theirs(node) {
  while (node && isOwn(node)) node = node.nextSibling;
  return node;
}

function isAlike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}

// Attributes that belong to the reader or to a script.
function isKept(element, name) {
  return (name === 'open' && element.nodeName === 'DETAILS') || name.startsWith('data-state') || name.startsWith('data-ready');
}

function putAttributes(old, fresh) {
  const isMade = old.nodeName.includes('-');
  for (const { name } of [...old.attributes])
    if (!isMade && !fresh.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes])
    if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
}

function putNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName === 'TIME') {
    // It may stand there in the reader's zone already.
    if (old.getAttribute('datetime') !== fresh.getAttribute('datetime')) old.replaceWith(fresh);
    return;
  }
  putAttributes(old, fresh);
  putChildren(old, fresh);
}

function putChildren(parent, fresh) {
  const wanted = [...fresh.childNodes];
  const keys = new Set(wanted.map(keyOf).filter(Boolean));
  const known = new Map();
  for (const node of [...parent.childNodes]) {
    const key = isOwn(node) ? '' : keyOf(node);
    if (!key) continue;
    if (keys.has(key)) known.set(key, node);
    else node.remove();
  }
  let at = theirs(parent.firstChild);
  for (const node of wanted) {
    const key = keyOf(node);
    let old = key ? known.get(key) : at && !keyOf(at) ? at : null;
    if (old && !isAlike(old, node)) {
      if (key) {
        if (old === at) at = theirs(at.nextSibling);
        old.remove();
      }
      old = null;
    }
    if (!old) {
      parent.insertBefore(node, at);
      continue;
    }
    if (old === at) at = theirs(at.nextSibling);
    else parent.insertBefore(old, at);
    putNode(old, node);
  }
  while (at) {
    const after = theirs(at.nextSibling);
    at.remove();
    at = after;
  }
}

// --- the element ----------------------------------------------------------------------------------

class Refresh extends HTMLElement {
  connectedCallback() {
    this.earliest = 0;
    this.stop = this.dataset.stream && watch(this.dataset.stream, {
      call: (call) => this.told(call),
      outcome: (outcome) => this.told(outcome),
      skipped: () => this.want(),
      reset: () => this.want(),
      state: (state) => this.heard(state),
    });
    this.clock = setInterval(() => this.want(), minute);
    this.toggleAttribute('data-ready', true);
  }

  disconnectedCallback() {
    this.stop?.();
    clearInterval(this.clock);
    clearTimeout(this.timer);
    this.timer = null;
    this.asking?.abort();
  }

  // What was committed between the page and its stream, or while there was none, is caught up with.
  heard(state) {
    this.dataset.state = state;
    if (state === 'live') this.want();
  }

  told(event) {
    const of = this.dataset.of;
    if (!of || event.outcome_id === of || event.event_id === of) this.want();
  }

  want() {
    this.wanted = true;
    if (this.timer || this.asking || !this.isConnected || document.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.ask();
    }, Math.max(gather, this.earliest - performance.now()));
  }

  async ask() {
    this.wanted = false;
    this.asking = new AbortController();
    const limit = setTimeout(() => this.asking?.abort(), patience);
    const begun = performance.now();
    let rest = pause;
    try {
      const answer = await fetch(this.getAttribute('src'), { signal: this.asking.signal, redirect: 'manual', cache: 'no-store', headers: { Accept: 'text/html' } });
      // Signed out elsewhere: the page itself leads to the sign-in.
      if (answer.status === 401) location.replace(location.pathname + location.search);
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      await this.put(await answer.text());
      this.toggleAttribute('data-stale', false);
      // A slow server is asked less often.
      rest = Math.max(pause, 3 * (performance.now() - begun));
    } catch {
      this.toggleAttribute('data-stale', true);
      this.wanted = true;
      rest = again;
    } finally {
      clearTimeout(limit);
      this.asking = null;
      this.earliest = begun + rest;
    }
    if (this.wanted) this.want();
  }

  async put(text) {
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    if (!this.isConnected) return;
    const held = this.contains(document.activeElement) ? document.activeElement : null;
    putChildren(this, document.importNode(fresh.body, true));
    if (held && held !== document.activeElement) {
      // It was moved, or it is gone and what it was in is the nearest.
      if (held.isConnected) held.focus({ preventScroll: true });
      else document.getElementById('main')?.focus({ preventScroll: true });
    }
    if (tools) (await import(tools)).localTimes?.(this);
  }
}

if (!customElements.get('rev-refresh')) customElements.define('rev-refresh', Refresh);
