// Exact amounts as text for people, as Figures.cs writes them. An amount is a decimal text or a BigInt of nanos, never a Number.

const decimals = 9; // of an amount
const symbols = { usd: '$', eur: '€', gbp: '£', jpy: '¥' };

function symbol(currency) {
  return currency ? (symbols[currency] ?? `${currency.toUpperCase()}\u00a0`) : '';
}

function halfEven(value, by) {
  const whole = value / by;
  const twice = (value % by) * 2n;
  return twice > by || (twice === by && whole % 2n === 1n) ? whole + 1n : whole;
}

function taken(exact) {
  const negative = exact.startsWith('-');
  const [whole, part = ''] = (negative ? exact.slice(1) : exact).split('.');
  return { negative, whole, part };
}

// An amount with so many decimals at least and at most: whole units are the head, the point and decimals the tail.
export function split(exact, least = 2, most = 2, currency = 'usd') {
  let { negative, whole, part } = taken(exact);
  if (part.length > most) {
    const rounded = halfEven(BigInt(whole + part), 10n ** BigInt(part.length - most)).toString().padStart(most + 1, '0');
    whole = rounded.slice(0, rounded.length - most);
    part = rounded.slice(rounded.length - most);
  }
  part = part.replace(/0+$/, '').padEnd(least, '0');
  const minus = negative && /[1-9]/.test(whole + part) ? '−' : '';
  const grouped = BigInt(whole).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return { head: minus + symbol(currency) + grouped, tail: part ? `.${part}` : '' };
}

// The same as one text.
export function written(exact, least, most, currency) {
  const { head, tail } = split(exact, least, most, currency);
  return head + tail;
}

// Writes an amount into an element, its decimals muted.
export function fill(element, exact, least, most, currency) {
  const { head, tail } = split(exact, least, most, currency);
  element.replaceChildren(head);
  if (tail) {
    const low = document.createElement('span');
    low.className = 'lo';
    low.textContent = tail;
    element.append(low);
  }
  if (element.tagName === 'DATA') element.value = exact;
}

// The nanos of an amount.
export function nanos(exact) {
  const { negative, whole, part } = taken(exact);
  const value = BigInt(whole + part.padEnd(decimals, '0'));
  return negative ? -value : value;
}

// The amount of nanos.
export function amount(value) {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const part = digits.slice(-decimals).replace(/0+$/, '');
  return (value < 0n ? '-' : '') + digits.slice(0, -decimals) + (part ? `.${part}` : '');
}
