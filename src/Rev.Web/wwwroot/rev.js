// What every page can do with a script: switch the theme, copy, close menus, and tell times as the reader's clock does. No
// dependencies, no eval.

const root = document.documentElement;

function switchTheme() {
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const next = isDark ? 'light' : 'dark';
  root.dataset.theme = next;
  const secure = location.protocol === 'https:' ? '; secure' : '';
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// The clipboard is closed to pages that came over plain http from another host.
function copyBySelection(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'sr';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}

async function copy(button) {
  const what = button.dataset.copy;
  const text = what === 'address' ? location.href : document.getElementById(what).textContent;
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copied = copyBySelection(text);
    button.focus();
  }
  const label = button.querySelector('[data-copy-label]');
  button.dataset.before ??= label.textContent;
  label.textContent = copied ? 'Copied' : 'Select it and copy';
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    label.textContent = button.dataset.before;
  }, 1600);
}

// Made when there is a time to tell: a page without one is painted earlier.
let clock;

function told(at) {
  clock ??= new Intl.DateTimeFormat('en-GB', {
    day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  });
  return clock.format(at);
}

// Puts the instants within an element into the reader's zone. What the server wrote, in UTC, stays as the title. Days are left:
// those that Rev counts and bills by are days in UTC.
export function localTimes(within) {
  for (const time of within.querySelectorAll('time[data-when=instant]')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (!time.title) time.title = `${time.textContent} UTC`;
    time.textContent = told(at);
  }
}

const menus = '.site-menu[open], .appnav-menu[open], .account[open], td.actions .confirm[open]';

// A menu closes when something else is pressed, or Escape.
function closeMenus(event) {
  for (const menu of document.querySelectorAll(menus)) {
    if (event.type === 'keydown') menu.querySelector('summary').focus();
    else if (menu.contains(event.target)) continue;
    menu.open = false;
  }
}

// A module that imports this one gets it by another address than the page did, and runs it again: it listens once all the same.
if (!root.hasAttribute('data-scripted')) {
  root.setAttribute('data-scripted', '');
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') closeMenus(event);
  });
  document.addEventListener('click', (event) => {
    closeMenus(event);
    const button = event.target.closest('[data-theme-switch], [data-copy]');
    if (!button) return;
    if (button.hasAttribute('data-theme-switch')) switchTheme();
    else copy(button);
  });
  localTimes(document);
}
