// The tier editor: a form over the JSON document in the text area, which stays the one thing that is sent.
// What the form does not know stays in the document as it is written. Prices and problems come from the server as text; nothing here computes an amount.

const between = 300; // milliseconds without a key press before the price is asked for
const factsId = 'tier-facts';
const cannotShow = 'The form cannot show what stands here. Edit it as JSON.';

// --- JSON as it is written: numbers keep their digits, members their order ------------------------

class Malformed extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

const textOf = (value) => ({ kind: 'text', value });
const wordOf = (text) => ({ kind: 'word', text });
const listOf = (...items) => ({ kind: 'list', items });
const objectOf = (...members) => ({ kind: 'object', members });

// A number that is none yet is a text on its way: nothing of what was typed is lost.
function numberOf(text) {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? { kind: 'number', text } : { kind: 'text', value: text, meant: 'number' };
}

function parse(text) {
  const numbers = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const words = /(?:true|false|null)(?![\w$])/y;
  let at = 0;

  function fail(message, where = at) {
    throw new Malformed(message, where);
  }

  function blank() {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at += 1;
  }

  function take(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found) at += found.length;
    return found;
  }

  function string() {
    const start = at;
    for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      else if (text[at] < ' ') fail('a text cannot have a line break or a control character');
    }
    if (at >= text.length) fail('this text has no end', start);
    at += 1;
    try {
      return JSON.parse(text.slice(start, at));
    } catch {
      return fail('this text has an escape that is none', start);
    }
  }

  function object(depth) {
    const members = [];
    at += 1;
    blank();
    if (text[at] === '}') {
      at += 1;
      return objectOf();
    }
    for (;;) {
      blank();
      const start = at;
      if (text[at] !== '"') fail('a name in quotes is expected here');
      const name = string();
      if (members.some(([known]) => known === name)) fail(`"${name}" is given twice`, start);
      blank();
      if (text[at] !== ':') fail('a colon is expected here');
      at += 1;
      members.push([name, value(depth + 1)]);
      blank();
      if (text[at] !== ',' && text[at] !== '}') fail('a comma or } is expected here');
      at += 1;
      if (text[at - 1] === '}') return objectOf(...members);
    }
  }

  function list(depth) {
    const items = [];
    at += 1;
    blank();
    if (text[at] === ']') {
      at += 1;
      return listOf();
    }
    for (;;) {
      items.push(value(depth + 1));
      blank();
      if (text[at] !== ',' && text[at] !== ']') fail('a comma or ] is expected here');
      at += 1;
      if (text[at - 1] === ']') return listOf(...items);
    }
  }

  function value(depth) {
    if (depth > 64) fail('this is nested too deep');
    blank();
    if (text[at] === '{') return object(depth);
    if (text[at] === '[') return list(depth);
    if (text[at] === '"') return textOf(string());
    const word = take(words);
    if (word) return wordOf(word);
    const number = take(numbers);
    if (number) return { kind: 'number', text: number };
    return fail(at >= text.length ? 'the text ends too early' : 'a value is expected here');
  }

  const whole = value(1);
  blank();
  if (at < text.length) fail('nothing more is expected here');
  return whole;
}

function write(node, indent = '') {
  const inner = `${indent}  `;
  switch (node.kind) {
    case 'object':
      return node.members.length === 0 ? '{}' : `{\n${node.members.map(([name, value]) => `${inner}${JSON.stringify(name)}: ${write(value, inner)}`).join(',\n')}\n${indent}}`;
    case 'list':
      return node.items.length === 0 ? '[]' : `[\n${node.items.map((item) => inner + write(item, inner)).join(',\n')}\n${indent}]`;
    case 'text':
      return JSON.stringify(node.value);
    default:
      return node.text;
  }
}

function place(text, at) {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}

const isNothing = (node) => node === undefined || (node.kind === 'word' && node.text === 'null');
const find = (object, name) => object.members.find(([known]) => known === name)?.[1];

// What an input can show of a value; undefined of what it cannot.
function scalar(node) {
  if (isNothing(node)) return '';
  if (node.kind === 'text') return node.value;
  return node.kind === 'number' ? node.text : undefined;
}

// --- places in the document: read now, written back where they were read ---------------------------

function member(holder, name) {
  return {
    get() {
      const object = holder.get();
      return object?.kind === 'object' ? find(object, name) : undefined;
    },
    put(node) {
      let object = holder.get();
      if (object?.kind !== 'object') {
        if (node === undefined) return;
        object = objectOf();
        holder.put(object);
      }
      const at = object.members.findIndex(([known]) => known === name);
      if (node === undefined) {
        if (at >= 0) object.members.splice(at, 1);
      } else if (at >= 0) {
        object.members[at][1] = node;
      } else {
        object.members.push([name, node]);
      }
    },
  };
}

function item(holder, index) {
  return {
    get: () => holder.get()?.items?.[index],
    put(node) {
      holder.get().items[index] = node;
    },
  };
}

const isOdd = (place, kind) => !isNothing(place.get()) && place.get().kind !== kind;

// --- elements --------------------------------------------------------------------------------------

let count = 0;

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'text') made.textContent = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

function part(title, ...children) {
  return make('fieldset', { class: 'tier-part' }, make('legend', { text: title }), ...children);
}

const row = (...children) => make('div', { class: 'fields' }, ...children);
const note = (text) => make('p', { class: 'hint', text });
const button = (text, act, onclick, { label, danger } = {}) =>
  make('button', { type: 'button', class: `button small ${danger ? 'danger' : 'ghost'}`, text, 'data-act': act, 'aria-label': label, onclick });

function field(label, control, hint) {
  count += 1;
  control.id = `tier-${count}`;
  const box = make('div', { class: 'field' }, make('label', { for: control.id, text: label }), control);
  if (hint) {
    const id = `${control.id}-hint`;
    box.append(make('p', { class: 'hint', id, text: hint }));
    control.dataset.hint = id;
    control.setAttribute('aria-describedby', id);
  }
  return box;
}

// --- words of conditions: those of ConditionJson ------------------------------------------------------

const operators = [
  ['eq', 'is'], ['ne', 'is not'], ['gt', 'is above'], ['gte', 'is at least'], ['lt', 'is below'], ['lte', 'is at most'],
  ['in', 'is one of'], ['not_in', 'is none of'], ['exists', 'is there'], ['not_exists', 'is not there'],
  ['contains', 'contains'], ['starts_with', 'begins with'], ['ends_with', 'ends with'],
];

const types = [['text', 'text'], ['number', 'number'], ['true', 'true'], ['false', 'false'], ['null', 'null']];

const callFacts = ['action', 'agent_id', 'customer_id', 'model', 'tokens_input', 'tokens_output'];

// Which types a value may have; none means that there is no value.
function typesOf(operator) {
  if (operator === 'exists' || operator === 'not_exists') return [];
  if (['gt', 'gte', 'lt', 'lte'].includes(operator)) return ['number'];
  if (operator === 'starts_with' || operator === 'ends_with') return ['text'];
  return types.map(([name]) => name);
}

const takesList = (operator) => operator === 'in' || operator === 'not_in';

function typeOf(node) {
  if (node === undefined) return 'text';
  if (node.kind === 'text') return node.meant ?? 'text';
  if (node.kind === 'number') return 'number';
  return node.kind === 'word' ? node.text : undefined;
}

function cast(node, type) {
  const shown = scalar(node) ?? '';
  if (type === 'text') return textOf(shown);
  return type === 'number' ? numberOf(shown) : wordOf(type);
}

// The value that is left when a leaf compares otherwise.
function fitted(node, operator) {
  const allowed = typesOf(operator);
  if (allowed.length === 0) return undefined;
  if (takesList(operator)) return node?.kind === 'list' ? node : listOf(node ?? textOf(''));
  const one = node?.kind === 'list' ? node.items[0] : node;
  return one !== undefined && allowed.includes(typeOf(one)) ? one : cast(one, allowed[0]);
}

function kindOf(node) {
  if (node?.kind !== 'object') return undefined;
  const kinds = ['all', 'any', 'not', 'field'].filter((name) => !isNothing(find(node, name)));
  if (kinds.length !== 1) return undefined;
  const inner = find(node, kinds[0]);
  if (kinds[0] === 'not') return 'not';
  if (kinds[0] === 'field') return scalar(inner) === undefined ? undefined : 'field';
  return inner.kind === 'list' ? kinds[0] : undefined;
}

const newLeaf = () => objectOf(['field', textOf('')], ['op', textOf('eq')], ['value', textOf('')]);

// --- durations: one unit, or a text of ISO 8601 -----------------------------------------------------------

const units = [['S', 'seconds'], ['M', 'minutes'], ['H', 'hours'], ['D', 'days'], ['W', 'weeks'], ['', 'ISO 8601']];

function duration(text) {
  const found = /^P(?:(\d{1,9})([DW])|T(\d{1,9})([HMS]))$/.exec(text);
  if (found) return { amount: found[1] ?? found[3], unit: found[2] ?? found[4] };
  return { amount: text, unit: text === '' ? 'D' : '' };
}

function durationText({ amount, unit }) {
  if (amount === '' || unit === '') return amount;
  return 'DW'.includes(unit) ? `P${amount}${unit}` : `PT${amount}${unit}`;
}

// --- the editor --------------------------------------------------------------------------------------------

class TierEditor extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.form = this.querySelector('form');
    if (!this.form) return;
    this.area = this.form.elements.namedItem('json');
    this.source = this.querySelector('[data-source]');
    this.out = this.querySelector('[data-preview-out]');
    this.status = this.querySelector('[data-status]');
    this.refused = this.querySelector('[data-refused]');
    this.list = this.refused?.querySelector('ul.tier-wrong');
    this.problems = new Map([...(this.list?.querySelectorAll('li[data-path]') ?? [])].map((line) => [line.dataset.path, line.querySelector('span').textContent]));
    // What a bonus or an expiry said before it was switched to something else.
    this.kept = new WeakMap();
    this.build();
    this.open();
    this.form.addEventListener('input', (event) => this.typed(event.target));
    this.form.addEventListener('keydown', (event) => this.pressed(event));
    this.form.addEventListener('submit', (event) => this.submitted(event));
    this.toggleAttribute('data-ready', true);
    this.greet();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    clearTimeout(this.telling);
  }

  build() {
    this.formTab = make('button', { type: 'button', text: 'Form', onclick: () => this.toForm() });
    this.jsonTab = make('button', { type: 'button', text: 'JSON', onclick: () => this.turn('json') });
    this.panel = make('div', { class: 'tier-panel' });
    this.facts = make('datalist', { id: factsId });
    this.complaint = make('p', { class: 'problem', id: 'tier-malformed', role: 'alert' });
    this.complaint.hidden = true;
    this.area.after(this.complaint);
    this.source.before(make('div', { class: 'segments tier-views', role: 'group', 'aria-label': 'Edit as' }, this.formTab, this.jsonTab), this.panel, this.facts);
  }

  // --- the two views ---

  open() {
    const malformed = this.read();
    if (!malformed) this.render();
    this.turn(malformed ? 'json' : 'form');
    if (malformed && this.area.value.trim() !== '') this.complain(malformed);
  }

  read() {
    try {
      const whole = parse(this.area.value);
      if (whole.kind !== 'object') return new Malformed('a tier is an object in braces', 0);
      this.document = whole;
      return undefined;
    } catch (error) {
      if (error instanceof Malformed) return error;
      throw error;
    }
  }

  toForm() {
    if (this.view === 'form') return;
    const malformed = this.read();
    if (malformed) {
      this.complain(malformed);
      this.area.focus();
      this.area.setSelectionRange(malformed.at, Math.min(malformed.at + 1, this.area.value.length));
      return;
    }
    this.render();
    this.turn('form');
  }

  turn(view) {
    this.view = view;
    this.panel.hidden = view !== 'form';
    this.source.hidden = view !== 'json';
    this.formTab.setAttribute('aria-pressed', String(view === 'form'));
    this.jsonTab.setAttribute('aria-pressed', String(view === 'json'));
    this.complain(undefined);
  }

  complain(malformed) {
    this.complaint.hidden = malformed === undefined;
    if (malformed) {
      const { line, column } = place(this.area.value, malformed.at);
      this.complaint.textContent = `Line ${line}, column ${column}: ${malformed.message}.`;
      this.area.setAttribute('aria-invalid', 'true');
      this.area.setAttribute('aria-describedby', `${this.complaint.id} f-json-hint`);
    } else {
      this.complaint.textContent = '';
      this.area.removeAttribute('aria-invalid');
      this.area.setAttribute('aria-describedby', 'f-json-hint');
    }
  }

  // --- what is typed ---

  typed(target) {
    if (target === this.area) {
      if (!this.complaint.hidden) this.complain(this.read());
      this.touched();
    } else if (target.name?.startsWith('example_')) {
      this.ask();
    }
  }

  // Enter in a field would press the first button of the form, and that one saves.
  pressed(event) {
    if (event.key === 'Enter' && event.target.tagName === 'INPUT' && event.target.type !== 'checkbox') event.preventDefault();
  }

  submitted(event) {
    const wrong = this.view === 'form' ? [...this.panel.querySelectorAll('[data-wrong]')] : [];
    if (wrong.length === 0) return;
    event.preventDefault();
    this.mark();
    wrong[0].focus();
  }

  // The document was changed by the form.
  changed() {
    this.area.value = write(this.document);
    this.touched();
  }

  // Its structure was: the form is made again, and the focus goes to where it was or to what is new.
  again(focus) {
    this.changed();
    this.render();
    this.at(focus)?.focus();
  }

  touched() {
    for (const sent of this.querySelectorAll('[data-as-sent]')) sent.hidden = true;
    this.ask();
  }

  // --- problems ---

  at(path) {
    if (path === 'key') return this.form.elements.namedItem('key');
    return [...this.panel.querySelectorAll('[data-path], [data-act]')].find(
      (control) => control.dataset.path === path || control.dataset.also === path || control.dataset.act === path,
    );
  }

  greet() {
    this.tell();
    const first = this.form.querySelector('[aria-invalid]');
    if (this.refused) (first ?? this.refused).focus();
  }

  // A path in the list leads to its field.
  tell() {
    for (const line of this.list?.querySelectorAll('li[data-path]') ?? []) {
      const { path } = line.dataset;
      const name = line.querySelector('code');
      if (name && this.at(path)) name.replaceWith(make('button', { type: 'button', class: 'tier-jump', text: path, onclick: () => this.jump(path) }));
    }
  }

  jump(path) {
    if (this.view !== 'form' && path !== 'key') this.toForm();
    this.at(path)?.focus();
  }

  mark() {
    for (const old of this.panel.querySelectorAll('.problem')) old.remove();
    for (const control of this.panel.querySelectorAll('[aria-invalid]')) {
      control.removeAttribute('aria-invalid');
      if (control.dataset.hint) control.setAttribute('aria-describedby', control.dataset.hint);
      else control.removeAttribute('aria-describedby');
    }
    for (const [path, message] of this.problems) this.blame(this.at(path), `This ${message}.`);
    for (const control of this.panel.querySelectorAll('[data-wrong]')) this.blame(control, 'This must be a number, such as 1000.');
  }

  blame(control, message) {
    const box = control && this.panel.contains(control) ? control.closest('.field') : null;
    if (!box || control.hasAttribute('aria-invalid')) return;
    const id = `${control.id}-problem`;
    box.append(make('p', { class: 'problem', id, text: message }));
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', control.dataset.hint ? `${id} ${control.dataset.hint}` : id);
  }

  // After a refusal, what is still wrong is told as one types.
  settle(problems) {
    if (!this.list) return;
    const key = this.list.querySelector('li[data-path="key"]');
    this.problems = new Map(problems);
    this.list.replaceChildren(
      ...(key ? [key] : []),
      ...problems.map(([path, message]) => make('li', { 'data-path': path }, make('code', { text: path }), ' ', make('span', { text: message }))),
    );
    this.tell();
    this.refused.hidden = this.list.children.length === 0;
    if (this.view === 'form') this.mark();
  }

  // --- the price: one request under way at most, the last wins ---

  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.preview(), between);
  }

  async preview() {
    this.wanted = true;
    if (this.asking) return;
    this.asking = true;
    while (this.wanted) {
      this.wanted = false;
      // A number that is none yet would be priced as a text.
      if (this.view === 'form' && this.panel.querySelector('[data-wrong]')) break;
      try {
        await this.load();
        this.toggleAttribute('data-stale', false);
      } catch (error) {
        this.toggleAttribute('data-stale', true);
        this.status.textContent = error.message;
      }
    }
    this.asking = false;
  }

  async load() {
    let answer;
    try {
      answer = await fetch(this.dataset.preview, { method: 'POST', body: new URLSearchParams(new FormData(this.form)), headers: { Accept: 'text/html' } });
    } catch {
      throw new Error('Rev cannot be reached. The price is older than the form.');
    }
    if (answer.status === 401) throw new Error('You are signed out. Sign in again in another tab, then go on here.');
    if (!answer.ok) throw new Error('The price could not be worked out. It is older than the form.');
    const made = new DOMParser().parseFromString(await answer.text(), 'text/html');
    this.out.replaceChildren(...made.body.childNodes);
    const told = this.out.querySelector('[data-problems]');
    const problems = Object.entries(JSON.parse(told?.dataset.problems ?? '{}'));
    this.settle(problems.filter(([path]) => !/^(?:example_|action$|model$|tokens_)/.test(path)));
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.status.textContent = told?.dataset.summary ?? '';
    }, 700);
  }

  // --- the form ---

  render() {
    const root = { get: () => this.document, put: () => {} };
    this.panel.replaceChildren(this.basics(root), this.tokens(root), this.bonuses(member(root, 'outcome_bonuses')), this.clocks(root));
    this.suggest();
    this.mark();
  }

  // Fields of the call, and those of metadata that the tier names already.
  suggest() {
    const known = new Set(callFacts);
    const look = (node, name) => {
      if (node.kind === 'object') for (const [inner, value] of node.members) look(value, inner);
      else if (node.kind === 'list') for (const value of node.items) look(value, name);
      else if (node.kind === 'text' && ['field', 'of', 'one_bonus_per'].includes(name) && node.value !== '') known.add(node.value);
    };
    look(this.document, '');
    known.add('metadata.');
    this.facts.replaceChildren(...[...known].map((name) => make('option', { value: name })));
  }

  // A text over one place. Emptied it is taken out, so that its default counts, unless it must stay.
  text(label, at, path, { hint, mode, list, placeholder, also, stays = false, trims = true } = {}) {
    const shown = scalar(at.get());
    const control = make('input', {
      type: 'text', value: shown ?? '', placeholder, inputmode: mode, list, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
      disabled: shown === undefined, 'data-path': path, 'data-also': also,
    });
    control.addEventListener('input', () => {
      const typed = trims ? control.value.trim() : control.value;
      at.put(typed === '' && !stays ? undefined : textOf(typed));
      this.changed();
    });
    return field(label, control, shown === undefined ? cannotShow : hint);
  }

  amount(label, at, path, options) {
    return this.text(label, at, path, { mode: 'decimal', ...options });
  }

  choose(label, options, value, path, change, { hint, also } = {}) {
    const all = options.some(([name]) => name === value) ? options : [[value, value === '' ? 'choose' : value], ...options];
    const control = make('select', { 'data-path': path, 'data-also': also }, ...all.map(([name, text]) => make('option', { value: name, text, selected: name === value })));
    control.addEventListener('change', () => change(control.value));
    return field(label, control, hint);
  }

  time(label, at, path, hint) {
    const shown = scalar(at.get());
    const now = duration(shown ?? '');
    const amount = make('input', {
      type: 'text', value: now.amount, inputmode: now.unit === '' ? undefined : 'numeric', autocomplete: 'off', spellcheck: 'false', disabled: shown === undefined, 'data-path': path,
    });
    const unit = make('select', { 'aria-label': `${label}: unit`, disabled: shown === undefined }, ...units.map(([name, text]) => make('option', { value: name, text, selected: name === now.unit })));
    const changed = () => {
      const text = durationText({ amount: amount.value.trim(), unit: unit.value });
      at.put(text === '' ? undefined : textOf(text));
      this.changed();
    };
    amount.addEventListener('input', changed);
    unit.addEventListener('change', () => {
      // To and from the text of ISO 8601 what stands there is carried over where it can be.
      if (unit.value === '') amount.value = scalar(at.get()) ?? '';
      else if (/\D/.test(amount.value)) amount.value = '';
      changed();
    });
    const box = field(label, amount, shown === undefined ? cannotShow : hint);
    const both = make('div', { class: 'tier-time' });
    amount.before(both);
    both.append(amount, unit);
    return box;
  }

  basics(root) {
    return part(
      'Every call',
      row(
        this.text('Name', member(root, 'name'), 'name', { hint: 'Shown in lists.', trims: false }),
        this.text('Currency', member(root, 'currency'), 'currency', { hint: 'Left empty: that of your account.' }),
        this.amount('Base fee per call', member(root, 'base_fee'), 'base_fee', { placeholder: '0' }),
      ),
    );
  }

  tokens(root) {
    const rates = member(root, 'token_rates');
    if (isOdd(rates, 'object')) return part('Tokens', note(cannotShow));
    return part(
      'Tokens',
      row(
        this.amount('Per million input tokens', member(rates, 'input_per_million'), 'token_rates.input_per_million', { placeholder: '0' }),
        this.amount('Per million output tokens', member(rates, 'output_per_million'), 'token_rates.output_per_million', { placeholder: '0' }),
      ),
      this.models(member(rates, 'models')),
    );
  }

  models(at) {
    if (isOdd(at, 'object')) return note(cannotShow);
    const entries = at.get()?.members ?? [];
    const add = button('Add a model', 'models:add', () => {
      if (at.get()?.kind !== 'object') at.put(objectOf());
      at.get().members.push(['', objectOf(['input_per_million', textOf('0')], ['output_per_million', textOf('0')])]);
      this.again('token_rates.models.');
    });
    return make('div', { class: 'tier-list' }, ...entries.map((entry, i) => this.model(at, entry, i)), make('p', {}, add));
  }

  model(at, entry, i) {
    const path = () => `token_rates.models.${entry[0]}`;
    const rates = { get: () => entry[1], put: (node) => (entry[1] = node) };
    const name = make('input', { type: 'text', value: entry[0], autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'data-path': path() });
    const boxes = ['input_per_million', 'output_per_million'].map((rate) => [
      rate,
      rates.get().kind === 'object' ? this.amount(rate.startsWith('input') ? 'Input per million' : 'Output per million', member(rates, rate), `${path()}.${rate}`) : note(cannotShow),
    ]);
    name.addEventListener('input', () => {
      entry[0] = name.value.trim();
      name.dataset.path = path();
      for (const [rate, box] of boxes) {
        const control = box.querySelector('input');
        if (control) control.dataset.path = `${path()}.${rate}`;
      }
      this.changed();
    });
    const remove = button('Remove', `models:remove:${i}`, () => {
      at.get().members.splice(i, 1);
      this.again('models:add');
    }, { label: `Remove model ${i + 1}` });
    return make(
      'div', { class: 'tier-entry tier-model', role: 'group', 'aria-label': `Model ${i + 1}` },
      row(field('Model', name, i === 0 ? 'A star stands for any end: small-*.' : undefined), ...boxes.map(([, box]) => box)), make('p', {}, remove),
    );
  }

  bonuses(at) {
    if (isOdd(at, 'list')) return part('Bonuses on success', note(cannotShow));
    const items = at.get()?.items ?? [];
    const add = button('Add a bonus', 'bonuses:add', () => {
      if (at.get()?.kind !== 'list') at.put(listOf());
      at.get().items.push(objectOf(['name', textOf('')], ['amount', textOf('')]));
      this.again(`outcome_bonuses[${at.get().items.length - 1}].name`);
    });
    return part(
      'Bonuses on success',
      note(items.length === 0 ? 'None: a success costs what any call does.' : 'Tried in order; the first that matches is charged.'),
      make('div', { class: 'tier-list' }, ...items.map((_, i) => this.bonus(at, i)), make('p', {}, add)),
    );
  }

  bonus(list, i) {
    const at = item(list, i);
    const path = `outcome_bonuses[${i}]`;
    const { length } = list.get().items;
    const move = (to, act) => {
      const all = list.get().items;
      [all[i], all[to]] = [all[to], all[i]];
      this.again(`outcome_bonuses[${to}]:${act}`);
      if (document.activeElement?.dataset.act === undefined || document.activeElement.disabled) this.at(`outcome_bonuses[${to}].name`)?.focus();
      this.status.textContent = `Bonus ${i + 1} is bonus ${to + 1} now.`;
    };
    const up = button('Up', `${path}:up`, () => move(i - 1, 'up'), { label: `Up: bonus ${i + 1}` });
    const down = button('Down', `${path}:down`, () => move(i + 1, 'down'), { label: `Down: bonus ${i + 1}` });
    up.disabled = i === 0;
    down.disabled = i === length - 1;
    const remove = button('Remove', `${path}:remove`, () => {
      list.get().items.splice(i, 1);
      this.again('bonuses:add');
      this.status.textContent = `Bonus ${i + 1} is removed.`;
    }, { label: `Remove bonus ${i + 1}`, danger: true });
    const head = make('div', { class: 'tier-entry-head' }, make('h3', { text: `Bonus ${i + 1}` }), make('p', { class: 'tier-tools' }, up, down, remove));
    const box = make('div', { class: 'tier-entry', role: 'group', 'aria-label': `Bonus ${i + 1}` }, head);
    if (at.get().kind !== 'object') {
      box.append(note(cannotShow));
      return box;
    }
    box.append(
      row(
        this.text('Name', member(at, 'name'), `${path}.name`, { hint: 'Shown with the charge.', trims: false }),
        this.text('Action', member(at, 'action'), `${path}.action`, { hint: 'A star is any run of characters, as in email.*. Empty is any.' }),
      ),
      this.pays(at, path),
      this.when(member(at, 'when'), `${path}.when`),
    );
    return box;
  }

  // A fixed amount or a share: what the other one said is kept for whoever switches back.
  pays(at, path) {
    const bonus = at.get();
    const kept = this.kept.get(bonus) ?? {};
    this.kept.set(bonus, kept);
    const share = ['percent', 'of', 'max_amount'];
    const isShare = kept.isShare ?? (find(bonus, 'amount') === undefined && share.some((name) => find(bonus, name) !== undefined));
    const pick = this.choose('Pays', [['amount', 'a fixed amount'], ['share', 'a share of a field']], isShare ? 'share' : 'amount', `${path}:pays`, (next) => {
      kept.isShare = next === 'share';
      for (const name of kept.isShare ? ['amount'] : share) {
        kept[name] = member(at, name).get();
        member(at, name).put(undefined);
      }
      for (const name of kept.isShare ? share : ['amount']) if (kept[name] !== undefined) member(at, name).put(kept[name]);
      this.again(`${path}:pays`);
    });
    if (!isShare) return row(pick, this.amount('Amount', member(at, 'amount'), `${path}.amount`, { also: `${path}.percent` }));
    return row(
      pick,
      this.amount('Per cent', member(at, 'percent'), `${path}.percent`, { also: `${path}.amount` }),
      this.text('Of', member(at, 'of'), `${path}.of`, { list: factsId, placeholder: 'metadata.deal_value' }),
      this.amount('At most', member(at, 'max_amount'), `${path}.max_amount`, { hint: 'Empty is no cap.' }),
    );
  }

  when(at, path) {
    const box = make('div', { class: 'tier-when', role: 'group', 'aria-label': 'When' }, make('h4', { text: 'When' }));
    if (isNothing(at.get())) {
      box.append(
        make('p', { text: 'Always, on any success.' }),
        make('p', {}, button('Add a condition', `${path}:add`, () => {
          at.put(newLeaf());
          this.again(`${path}.field`);
        })),
      );
      return box;
    }
    box.append(this.condition(at, path, () => {
      at.put(undefined);
      this.again(`${path}:add`);
    }));
    return box;
  }

  condition(at, path, remove) {
    const kind = kindOf(at.get());
    if (kind === 'field') return this.leaf(at, path, remove);
    if (kind === 'not') return this.opposite(at, path, remove);
    if (kind !== undefined) return this.group(at, path, kind, remove);
    return make('div', { class: 'condition' }, note(cannotShow), make('p', {}, button('Remove', `${path}:remove`, remove, { label: 'Remove the condition' })));
  }

  // What can be done to any part of a condition: a group around it, its opposite, nothing of it.
  tools(at, path, remove, what) {
    return make(
      'p', { class: 'tier-tools' },
      button('Group', `${path}:group`, () => {
        at.put(objectOf(['all', listOf(at.get())]));
        this.again(`${path}.all`);
      }, { label: `Group: put ${what} into a group` }),
      button('Not', `${path}:not`, () => {
        at.put(objectOf(['not', at.get()]));
        this.again(`${path}:undo`);
      }, { label: `Not: turn ${what} into its opposite` }),
      button('Remove', `${path}:remove`, remove, { label: `Remove ${what}` }),
    );
  }

  group(at, path, kind, remove) {
    const list = member(at, kind);
    const here = `${path}.${kind}`;
    const pick = this.choose('Holds when', [['all', 'all of these hold'], ['any', 'at least one of these holds']], kind, here, (next) => {
      at.get().members.find(([name]) => name === kind)[0] = next;
      this.again(`${path}.${next}`);
    }, { also: path });
    const parts = list.get().items.map((_, i) => make('li', {}, this.condition(item(list, i), `${here}[${i}]`, () => {
      const left = list.get().items;
      left.splice(i, 1);
      if (left.length === 0) remove();
      else this.again(here);
    })));
    const add = (text, act, node) => button(text, `${here}:${act}`, () => {
      const all = list.get().items;
      all.push(node());
      const last = `${here}[${all.length - 1}]`;
      this.again(act === 'leaf' ? `${last}.field` : `${last}.all`);
    });
    return make(
      'div', { class: 'condition', role: 'group', 'aria-label': 'Group of conditions' },
      make('div', { class: 'condition-head' }, pick, this.tools(at, path, remove, 'this group')),
      make('ul', { class: 'condition-parts' }, ...parts),
      make('p', { class: 'tier-tools' }, add('Add a comparison', 'leaf', newLeaf), add('Add a group', 'inner', () => objectOf(['all', listOf(newLeaf())]))),
    );
  }

  opposite(at, path, remove) {
    const inner = member(at, 'not');
    return make(
      'div', { class: 'condition', role: 'group', 'aria-label': 'Opposite' },
      make(
        'div', { class: 'condition-head' },
        make('p', { class: 'condition-not', text: 'This does not hold:' }),
        make('p', { class: 'tier-tools' }, button('Undo not', `${path}:undo`, () => {
          at.put(inner.get());
          this.again(kindOf(at.get()) === 'not' ? `${path}:undo` : path);
        })),
      ),
      make('ul', { class: 'condition-parts' }, make('li', {}, this.condition(inner, `${path}.not`, remove))),
    );
  }

  leaf(at, path, remove) {
    const operator = scalar(member(at, 'op').get()) ?? '';
    return make(
      'div', { class: 'condition leaf', role: 'group', 'aria-label': 'Comparison' },
      make(
        'div', { class: 'leaf-fields' },
        this.text('Field', member(at, 'field'), `${path}.field`, { list: factsId, placeholder: 'metadata.…', also: path, stays: true }),
        this.choose('Compares', operators, operator, `${path}.op`, (next) => {
          member(at, 'op').put(textOf(next));
          member(at, 'value').put(fitted(member(at, 'value').get(), next));
          this.again(`${path}.op`);
        }),
        ...this.values(member(at, 'value'), `${path}.value`, operator),
      ),
      this.tools(at, path, remove, 'this comparison'),
    );
  }

  values(at, path, operator) {
    const allowed = typesOf(operator);
    if (allowed.length === 0) return [];
    if (!takesList(operator)) return this.operand('Value', at, path, allowed);
    if (at.get()?.kind !== 'list') return [note(cannotShow)];
    const { items } = at.get();
    const rows = items.map((_, i) => make(
      'div', { class: 'leaf-value' },
      ...this.operand(`Value ${i + 1}`, item(at, i), i === 0 ? path : `${path}#${i}`, allowed),
      items.length > 1 && button('Remove', `${path}:remove:${i}`, () => {
        at.get().items.splice(i, 1);
        this.again(`${path}:add`);
      }, { label: `Remove value ${i + 1}` }),
    ));
    const add = button('Add a value', `${path}:add`, () => {
      const all = at.get().items;
      all.push(cast(undefined, typeOf(all[all.length - 1]) === 'number' ? 'number' : 'text'));
      this.again(`${path}#${all.length - 1}`);
    });
    return [make('div', { class: 'leaf-list' }, ...rows, make('p', {}, add))];
  }

  operand(label, at, path, allowed) {
    const type = typeOf(at.get());
    if (type === undefined) return [note(cannotShow)];
    const as = allowed.includes(type) ? type : allowed[0];
    const shown = [];
    if (allowed.length > 1) {
      shown.push(this.choose(`${label} is`, types.filter(([name]) => allowed.includes(name)), as, `${path}:type`, (next) => {
        at.put(cast(at.get(), next));
        this.again(`${path}:type`);
      }, { also: as === 'text' || as === 'number' ? undefined : path }));
    }
    if (as !== 'text' && as !== 'number') return shown;
    const control = make('input', {
      type: 'text', value: scalar(at.get()) ?? '', inputmode: as === 'number' ? 'decimal' : undefined, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'data-path': path,
      'data-wrong': at.get()?.meant === 'number',
    });
    control.addEventListener('input', () => {
      at.put(as === 'number' ? numberOf(control.value.trim()) : textOf(control.value));
      control.toggleAttribute('data-wrong', at.get().meant === 'number');
      this.changed();
    });
    // Whether it is a number is told when it is left, not under the fingers.
    control.addEventListener('change', () => this.mark());
    shown.push(field(label, control));
    return shown;
  }

  clocks(root) {
    const pending = member(root, 'pending');
    const expiry = member(pending, 'on_expiry');
    return part(
      'While outcomes are open',
      isOdd(pending, 'object') ? note(cannotShow) : row(
        this.time('Pending for', member(pending, 'expires_after'), 'pending.expires_after', 'When the call does not say. Empty is 7 days.'),
        ...(isOdd(expiry, 'object') ? [note(cannotShow)] : this.expiry(expiry)),
      ),
      row(
        this.time('Review window', member(root, 'review_window'), 'review_window', 'A success is charged when it has passed. Empty is at once.'),
        this.time('Reversal window', member(root, 'reversal_window'), 'reversal_window', 'From the charge: so long a success can be taken back. Empty is 30 days.'),
      ),
      this.oneBonus(member(root, 'one_bonus_per')),
    );
  }

  expiry(at) {
    const bonus = scalar(member(at, 'bonus').get()) ?? '';
    const chosen = bonus === '' ? 'none' : bonus;
    const pick = this.choose(
      'An expired outcome', [['none', 'charges nothing more'], ['as_success', 'charges as a success'], ['fixed', 'charges a fixed amount']], chosen, 'pending.on_expiry.bonus',
      (next) => {
        const amount = member(at, 'amount');
        if (amount.get() !== undefined) this.fixed = amount.get();
        member(at, 'bonus').put(textOf(next));
        amount.put(next === 'fixed' ? this.fixed : undefined);
        this.again('pending.on_expiry.bonus');
      },
    );
    return chosen === 'fixed' || !isNothing(member(at, 'amount').get())
      ? [pick, this.amount('Fixed amount', member(at, 'amount'), 'pending.on_expiry.amount')]
      : [pick];
  }

  // null, a field's name, or an object of field and scope: the shortest that says it, and an object stays one.
  oneBonus(at) {
    const node = at.get();
    if (!isNothing(node) && node.kind !== 'text' && node.kind !== 'object') return note(cannotShow);
    const isObject = () => at.get()?.kind === 'object';
    const scope = () => (isObject() ? scalar(member(at, 'scope').get()) || 'agent' : 'agent');
    const name = isObject() ? scalar(member(at, 'field').get()) ?? '' : scalar(node);
    const control = make('input', {
      type: 'text', value: name, placeholder: 'metadata.ticket_id', list: factsId, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
      'data-path': 'one_bonus_per', 'data-also': 'one_bonus_per.field',
    });
    let reach = scope();
    const put = () => {
      const typed = control.value.trim();
      if (typed === '') {
        if (at.get() !== undefined) at.put(wordOf('null'));
      } else if (isObject()) {
        member(at, 'field').put(textOf(typed));
        member(at, 'scope').put(textOf(reach));
      } else {
        at.put(reach === 'agent' ? textOf(typed) : objectOf(['field', textOf(typed)], ['scope', textOf(reach)]));
      }
      this.changed();
    };
    control.addEventListener('input', put);
    const pick = this.choose('Over', [['agent', 'one agent’s outcomes'], ['account', 'all agents’ outcomes']], reach, 'one_bonus_per.scope', (next) => {
      reach = next;
      put();
    });
    return row(field('One bonus per', control, 'At most one bonus for each value of this field, for one customer. Empty is no limit.'), pick);
  }
}

customElements.define('rev-tier-editor', TierEditor);
