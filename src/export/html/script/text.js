// Values as text, and elements that only ever get text.

/** What could hide in a text, or turn its direction: shown as an escape. */
const HIDDEN = /[\0-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;

function visible(text) {
  return String(text).replace(HIDDEN, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
}

/** An element with attributes and children; strings are text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== ''));
  return made;
}

/** Three digits and a unit that fits. */
function scaled(value, units, base) {
  let index = 0;
  while (index + 1 < units.length && Math.abs(value) >= base * 0.9995) {
    value /= base;
    index += 1;
  }
  const digits = index === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 1))));
  return `${value.toFixed(digits)} ${units[index]}`;
}

/** Seconds as text. */
function span(seconds) {
  if (seconds === undefined) return '–';
  if (seconds < 60) return scaled(Math.round(seconds * 1e9), ['ns', 'µs', 'ms', 's'], 1000);
  const whole = Math.round(seconds);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Seconds to the nanosecond, as the record has them. */
function exact(seconds) {
  const nanos = Math.round(seconds * 1e9);
  const [unit, digits] = [['s', 9], ['ms', 6], ['µs', 3], ['ns', 0]].find((one) => nanos >= 10 ** one[1]) ?? ['ns', 0];
  return `${Number((nanos / 10 ** digits).toFixed(digits))} ${unit}`;
}

/** Bytes as text. */
function bytes(count) {
  return count === undefined ? '–' : scaled(count, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);
}

/** The value at a path, as `h2.stream.id`. */
function at(record, path) {
  let value = record;
  for (const key of path.split('.')) {
    if (value === undefined || value === null) return undefined;
    value = value[key];
  }
  return value;
}

/** Nanoseconds of a time: more than a number holds. */
function nanoseconds(time) {
  const part = /^(.{19})(?:\.(\d+))?Z$/.exec(time);
  if (!part) return undefined;
  return BigInt(Date.parse(`${part[1]}Z`)) * 1000000n + BigInt((part[2] || '').padEnd(9, '0'));
}
