// The simulator while it is moved: sliders, the result from the server, the address, and what a plot says under the pointer.
// Every figure comes from the server as text; nothing here computes an amount.

const between = 100; // milliseconds from one request to the next at least

function element(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

// --- sliders: the other way round is SliderScale.Place --------------------------------

function scaleOf(range) {
  const kind = range.dataset.scale;
  return { kind, low: Number(range.dataset.low), high: Number(range.dataset.high), last: Number(range.max), first: kind === 'log0' ? 1 : 0 };
}

function numberAt(range) {
  const { kind, low, high, last, first } = scaleOf(range);
  const place = Number(range.value);
  if (kind === 'linear') return place;
  if (kind === 'log0' && place === 0) return 0;
  return Number((low * (high / low) ** ((place - first) / (last - first))).toPrecision(2));
}

function placeOf(range, number) {
  const { kind, low, high, last, first } = scaleOf(range);
  if (kind === 'linear') return Math.min(Math.max(number, 0), high);
  if (kind === 'log0' && number <= 0) return 0;
  const share = Math.log(Math.min(Math.max(number, low), high) / low) / Math.log(high / low);
  return Math.round(first + (last - first) * share);
}

function written(number, whole) {
  return whole ? Math.round(number).toLocaleString('en-US') : number.toFixed(9).replace(/\.?0+$/, '');
}

function plain(field) {
  const text = field.value.trim();
  return field.hasAttribute('data-whole') && /^[1-9]\d{0,2}(,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text;
}

// --- the simulator --------------------------------------------------------------------

class Simulator extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.result = this.querySelector('#result');
    this.status = this.querySelector('[role=status]');
    this.form.addEventListener('input', (event) => this.typed(event.target));
    this.form.addEventListener('change', (event) => this.settled(event.target));
    this.form.addEventListener('submit', (event) => this.submitted(event));
    this.form.addEventListener('click', (event) => this.pressed(event));
    this.result.addEventListener('click', (event) => this.followed(event));
    this.seen = new IntersectionObserver(([entry]) => this.toggleAttribute('data-result-seen', entry.isIntersecting), { rootMargin: '0px 0px -40% 0px' });
    this.seen.observe(this.result);
    this.toggleAttribute('data-ready', true);
  }

  disconnectedCallback() {
    this.seen.disconnect();
  }

  typed(target) {
    if (target.type === 'range') {
      const field = this.form.elements[target.dataset.field];
      field.value = written(numberAt(target), field.hasAttribute('data-whole'));
      this.follow(field, target);
    } else if (target.name) {
      const range = this.querySelector(`input[type=range][data-field="${target.name}"]`);
      const number = Number(plain(target));
      if (range && Number.isFinite(number)) {
        range.value = placeOf(range, number);
        this.follow(target, range);
      }
    }
    this.release();
    this.refresh();
  }

  // A whole number is grouped once it is typed, not under the fingers.
  settled(target) {
    if (target.hasAttribute?.('data-whole')) {
      const number = plain(target);
      if (/^\d+$/.test(number)) target.value = BigInt(number).toLocaleString('en-US');
    }
  }

  follow(field, range) {
    field.size = Math.min(Math.max(field.value.length + 1, 4), 14);
    range.previousElementSibling.value = Number(range.value);
    range.setAttribute('aria-valuetext', field.value);
  }

  submitted(event) {
    event.preventDefault();
    const values = event.submitter?.dataset.values;
    if (values) this.preset(JSON.parse(values));
    this.refresh();
  }

  preset(values) {
    for (const [name, value] of Object.entries(values)) {
      const field = this.form.elements[name];
      field.value = value;
      const range = this.querySelector(`input[type=range][data-field="${name}"]`);
      if (range) {
        range.value = placeOf(range, Number(value));
        this.follow(field, range);
      }
    }
    this.release();
  }

  // A preset stays pressed as long as the form has its prices.
  release() {
    for (const button of this.form.querySelectorAll('[data-values]')) {
      const same = Object.entries(JSON.parse(button.dataset.values)).every(([name, value]) => {
        const field = this.form.elements[name];
        return field.value === value || (field.value.trim() !== '' && Number(plain(field)) === Number(value));
      });
      button.setAttribute('aria-pressed', String(same));
    }
  }

  // Beside a number is its field, too.
  pressed(event) {
    const entry = event.target.closest('.entry');
    if (entry && event.target.tagName !== 'INPUT') entry.querySelector('input')?.focus();
  }

  // A link to a field that has to be mended.
  followed(event) {
    const link = event.target.closest('a[href^="#"]');
    const field = link && this.form.elements[link.hash.slice(1)];
    if (!field) return;
    event.preventDefault();
    field.focus();
  }

  query() {
    const query = new URLSearchParams();
    for (const field of this.form.elements)
      if (field.name && field.tagName !== 'BUTTON') query.set(field.name, field.tagName === 'INPUT' ? plain(field) : field.value);
    return query.toString();
  }

  // One request is under way at most. What is moved meanwhile is asked when it is back, and the last wins.
  async refresh() {
    this.wanted = true;
    if (this.asking) return;
    this.asking = true;
    let query = '';
    while (this.wanted) {
      this.wanted = false;
      query = this.query();
      const started = performance.now();
      try {
        await this.ask(query);
        this.toggleAttribute('data-stale', false);
      } catch {
        this.toggleAttribute('data-stale', true);
        this.status.textContent = 'Rev cannot be reached. What is shown is older than the form.';
      }
      const rest = between - (performance.now() - started);
      if (rest > 0) await new Promise((done) => setTimeout(done, rest));
    }
    this.asking = false;
    if (this.hasAttribute('data-stale')) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.refresh(), 2000);
      return;
    }
    history.replaceState(null, '', `?${query}`);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.status.textContent = this.result.querySelector('[data-summary]')?.dataset.summary ?? '';
    }, 700);
  }

  async ask(query) {
    const answer = await fetch(`${this.dataset.result}?${query}`, { headers: { Accept: 'text/html' } });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const made = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const open = this.result.querySelector('details')?.open;
    this.result.replaceChildren(...made.body.childNodes);
    const details = this.result.querySelector('details');
    if (details && open) details.open = true;
    this.mark();
  }

  mark() {
    const problems = JSON.parse(this.result.querySelector('[data-problems]')?.dataset.problems ?? '{}');
    for (const field of this.form.querySelectorAll('input[name]')) {
      const knob = field.closest('.knob');
      const problem = problems[field.name];
      let note = knob.querySelector('.problem');
      if (!problem) {
        note?.remove();
        field.removeAttribute('aria-invalid');
        field.removeAttribute('aria-describedby');
        continue;
      }
      if (!note) {
        note = element('p', 'problem');
        note.id = `${field.name}-problem`;
        knob.append(note);
      }
      note.textContent = `${knob.querySelector('label').textContent} ${problem}.`;
      field.setAttribute('aria-invalid', 'true');
      field.setAttribute('aria-describedby', note.id);
    }
  }
}

// --- plots ----------------------------------------------------------------------------

class Plot extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector('svg');
    this.tips = JSON.parse(this.dataset.tips);
    this.area.addEventListener('pointermove', (event) => this.show(event));
    this.area.addEventListener('pointerdown', (event) => this.show(event));
    this.area.addEventListener('pointerleave', () => this.hide());
  }

  show(event) {
    if (this.tips.length === 0) return;
    const area = this.area.getBoundingClientRect();
    const own = this.getBoundingClientRect();
    const at = ((event.clientX - area.left) / area.width) * 1000;
    const tip = this.tips.reduce((best, next) => (Math.abs(next.x - at) < Math.abs(best.x - at) ? next : best));
    this.hair ??= this.appendChild(element('div', 'plot-hair'));
    this.box ??= this.appendChild(element('div', 'plot-tip'));
    this.hair.hidden = this.box.hidden = false;
    const x = area.left - own.left + (tip.x / 1000) * area.width;
    const top = area.top - own.top;
    Object.assign(this.hair.style, { left: `${x}px`, top: `${top}px`, height: `${area.height}px` });
    this.box.replaceChildren(
      element('strong', '', tip.label),
      ...tip.rows.map(([name, amount]) => {
        const row = element('div');
        row.append(element('span', '', name), element('b', '', amount));
        return row;
      }),
    );
    const left = x > own.width / 2 ? x - this.box.offsetWidth - 12 : x + 12;
    Object.assign(this.box.style, { top: `${top + 8}px`, left: `${Math.max(4, Math.min(left, own.width - this.box.offsetWidth - 4))}px` });
  }

  hide() {
    if (this.hair) this.hair.hidden = this.box.hidden = true;
  }
}

customElements.define('rev-simulator', Simulator);
customElements.define('rev-plot', Plot);
