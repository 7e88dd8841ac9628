// The operators' page while it is open: its figures anew every five seconds, and a word when they could not be read. What is
// shown comes from the server as it is; without this script the page is as fresh as its last load.

const every = 5_000; // milliseconds from the end of one look to the next
const longest = 20_000; // milliseconds that a look may take

// The module that every page loads, under the address by which it is loaded already.
const tools = document.querySelector('script[type="module"][src*="/rev."]')?.src;

class Operations extends HTMLElement {
  connectedCallback() {
    this.figures = this.querySelector('[data-figures]');
    this.trouble = this.querySelector('[data-trouble]');
    this.said = this.querySelector('[data-said]');
    this.summary = this.figures.firstElementChild?.dataset.summary;
    this.read = new Date();
    this.turned = () => {
      if (!document.hidden) this.wait(0);
    };
    document.addEventListener('visibilitychange', this.turned);
    this.wait(every);
    this.toggleAttribute('data-ready', true);
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.turned);
    clearTimeout(this.timer);
    this.looking?.abort();
  }

  wait(time) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), time);
  }

  async look() {
    if (document.hidden || this.looking) return;
    this.looking = new AbortController();
    const limit = setTimeout(() => this.looking?.abort(), longest);
    try {
      const response = await fetch(this.getAttribute('src'), { signal: this.looking.signal, cache: 'no-store', headers: { accept: 'text/html' } });
      if (!response.ok) throw new Error(response.status === 401 ? 'you are no longer signed in' : `the server answered ${response.status}`);
      await this.show(await response.text());
    } catch (fault) {
      this.failed(fault);
    } finally {
      clearTimeout(limit);
      this.looking = undefined;
      if (this.isConnected) this.wait(every);
    }
  }

  async show(text) {
    const fresh = document.createElement('template');
    fresh.innerHTML = text;
    const shown = fresh.content.firstElementChild;
    if (!shown?.dataset.summary) throw new Error('the answer holds no figures');
    const focused = this.figures.contains(document.activeElement) ? document.activeElement.id : '';
    const lines = document.getElementById('operations-lines');
    const place = lines?.scrollLeft ?? 0;
    this.figures.replaceChildren(shown);
    const again = document.getElementById('operations-lines');
    if (again) again.scrollLeft = place;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    // Said once when it changes, not every five seconds.
    if (shown.dataset.summary !== this.summary) this.said.textContent = shown.dataset.summary;
    this.summary = shown.dataset.summary;
    this.read = new Date();
    this.trouble.hidden = true;
    if (tools) (await import(tools)).localTimes?.(this.figures);
  }

  failed(fault) {
    if (!this.isConnected) return;
    const why = fault.name === 'AbortError' ? 'the server did not answer in time' : fault.name === 'TypeError' ? 'the server cannot be reached' : fault.message;
    const text = `These figures are of ${this.read.toLocaleTimeString()}: ${why}. It is tried again every five seconds.`;
    if (this.trouble.textContent !== text) this.trouble.textContent = text;
    this.trouble.hidden = false;
  }
}

customElements.define('rev-operations', Operations);
