// <rev-chart data-tips="[…]">: what a chart says of the place under the pointer, or of the one that the arrow keys chose. Every text comes
// from the server, in data-tips: x (0 to 1000), label, note, rows of name, amount and colour, total, and the address of the calls.

function element(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function row(name, amount, kind) {
  const made = element('div', kind ? '' : 'total');
  const label = element('span', '', name);
  if (kind) label.prepend(element('i', `swatch ${kind}`));
  made.append(label, element('b', '', amount));
  return made;
}

class Chart extends HTMLElement {
  static observedAttributes = ['data-tips'];

  constructor() {
    super();
    this.tips = [];
    this.at = -1;
  }

  connectedCallback() {
    if (this.isWired) return;
    this.isWired = true;
    this.tabIndex = 0;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', this.dataset.label);
    this.addEventListener('pointermove', (event) => this.point(event));
    this.addEventListener('pointerdown', (event) => this.point(event));
    this.addEventListener('pointerleave', () => this.hide());
    this.addEventListener('click', (event) => this.press(event));
    this.addEventListener('keydown', (event) => this.key(event));
    this.addEventListener('blur', () => this.hide());
    this.toggleAttribute('data-ready', true);
  }

  attributeChangedCallback(name, was, is) {
    this.tips = JSON.parse(is || '[]');
    if (this.at >= 0) this.show(Math.min(this.at, this.tips.length - 1));
  }

  // The place under the pointer; -1 beside the plot, where the labels of the axis are.
  find(event) {
    const area = this.querySelector('svg').getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    if (this.tips.length === 0 || x < -12 || x > area.width + 12 || y < -12 || y > area.height + 12) return -1;
    const at = (x / area.width) * 1000;
    return this.tips.reduce((best, tip, i) => (Math.abs(tip.x - at) < Math.abs(this.tips[best].x - at) ? i : best), 0);
  }

  point(event) {
    const found = this.find(event);
    if (found < 0) this.hide();
    else this.show(found);
  }

  // A finger only looks; what it opens would be in its way.
  press(event) {
    const found = event.pointerType === 'mouse' ? this.find(event) : -1;
    if (found >= 0) location.assign(this.tips[found].href);
  }

  key(event) {
    if (event.target !== this || this.tips.length === 0) return;
    const last = this.tips.length - 1;
    const to = {
      ArrowLeft: this.at < 0 ? last : Math.max(this.at - 1, 0),
      ArrowRight: this.at < 0 ? 0 : Math.min(this.at + 1, last),
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) {
      this.show(to);
      this.say(this.tips[to]);
    } else if (event.key === 'Enter' && this.at >= 0) {
      location.assign(this.tips[this.at].href);
    } else if (event.key === 'Escape') {
      this.hide();
      return;
    } else {
      return;
    }
    event.preventDefault();
  }

  // Read aloud for the keys alone: a pointer would make it chatter.
  say(tip) {
    this.voice ??= this.add('p', 'sr', 'role', 'status');
    this.voice.textContent = [`${tip.label}, ${tip.note}`, ...tip.rows.map(([name, amount]) => `${name} ${amount}`), `total ${tip.total}`].join(', ');
  }

  show(index) {
    const tip = this.tips[index];
    if (!tip) {
      this.hide();
      return;
    }
    this.at = index;
    this.hair ??= this.add('div', 'plot-hair', 'aria-hidden', 'true');
    this.box ??= this.add('div', 'plot-tip', 'aria-hidden', 'true');
    this.hair.hidden = this.box.hidden = false;
    const area = this.querySelector('svg').getBoundingClientRect();
    const own = this.getBoundingClientRect();
    const x = area.left - own.left + (tip.x / 1000) * area.width;
    const top = area.top - own.top;
    Object.assign(this.hair.style, { left: `${x}px`, top: `${top}px`, height: `${area.height}px` });
    const head = element('div', 'head');
    head.append(element('strong', '', tip.label), element('span', '', tip.note));
    this.box.replaceChildren(head, ...tip.rows.map(([name, amount, kind]) => row(name, amount, kind)), row('Total', tip.total, ''));
    const left = x > own.width / 2 ? x - this.box.offsetWidth - 12 : x + 12;
    Object.assign(this.box.style, { top: `${top + 8}px`, left: `${Math.max(4, Math.min(left, own.width - this.box.offsetWidth - 4))}px` });
  }

  hide() {
    this.at = -1;
    if (this.hair) this.hair.hidden = this.box.hidden = true;
  }

  // Something of the script's own, which a refresh leaves alone.
  add(name, kind, attribute, value) {
    const made = element(name, kind);
    made.setAttribute(attribute, value);
    made.toggleAttribute('data-own', true);
    return this.appendChild(made);
  }
}

if (!customElements.get('rev-chart')) customElements.define('rev-chart', Chart);
