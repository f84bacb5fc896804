// The words of --where: the same grammar, fields and three-valued answers.

/** Short names of what is asked for most. */
const SHORT_NAMES = {
  status: 'http.response.status_code',
  method: 'http.request.method',
  path: 'url.path',
  query: 'url.query',
  scheme: 'url.scheme',
  host: 'h2.request.authority',
  rpc: 'rpc.method',
  grpc: 'rpc.response.status_code',
  error: 'error.type',
  client: 'client.address',
  server: 'server.address',
  conn: 'h2.connection.id',
  stream: 'h2.stream.id',
  size: 'http.response.body.size',
  ttfb: 'h2.timing.ttfb',
  time: 'h2.time',
  user_agent: 'user_agent.original',
};

/** When it is known that there is no field of that name: the first that has it, or what it is in. */
const ABSENCE = [
  ['always', ['record', '@timestamp', 'duration', 'client', 'server', 'network', 'h2.connection', 'h2.stream',
    'h2.complete', 'h2.partial_reason', 'h2.unknown', 'h2.packets', 'h2.lossy_text']],
  ['complete', ['h2.request.trailers']],
  ['request', ['http.request', 'url', 'user_agent', 'h2.request', 'rpc.method', 'rpc.system']],
  ['response', ['http.response', 'h2.response.interim']],
  ['nothing_lost', ['error']],
];

const FALSE = 0;
const UNKNOWN = 1;
const TRUE = 2;
const DEPTH = 64;

class FilterError extends Error {}

/** A function from a record to FALSE, UNKNOWN or TRUE; throws a FilterError. */
function compileFilter(text, fields) {
  const parser = new Parser(text, fields);
  const condition = parser.any();
  parser.expectEnd();
  return condition;
}

class Parser {
  constructor(text, fields) {
    this.text = text;
    this.fields = fields;
    this.at = 0;
    this.depth = 0;
  }

  /** Takes what a sticky expression matches, behind spaces. */
  take(expression) {
    const sticky = new RegExp(`\\s*${expression.source}`, `${expression.flags}y`);
    sticky.lastIndex = this.at;
    const match = sticky.exec(this.text);
    if (match) this.at = sticky.lastIndex;
    return match;
  }

  fail(what) {
    throw new FilterError(`${what} is expected at "${this.text.slice(this.at, this.at + 12).trim() || 'the end'}"`);
  }

  expectEnd() {
    if (!this.take(/$/)) this.fail('"and", "or" or the end');
  }

  any() {
    const list = [this.all()];
    while (this.take(/(?:or(?![\w\-.@])|\|\|)/i)) list.push(this.all());
    return list.length === 1 ? list[0] : (record) => Math.max(...list.map((inner) => inner(record)));
  }

  all() {
    const list = [this.one()];
    while (this.take(/(?:and(?![\w\-.@])|&&)/i)) list.push(this.one());
    return list.length === 1 ? list[0] : (record) => Math.min(...list.map((inner) => inner(record)));
  }

  one() {
    let negated = false;
    while (this.take(/(?:not(?![\w\-.@])|!(?!=))/i)) negated = !negated;
    let inner;
    if (this.take(/\(/)) {
      this.depth += 1;
      if (this.depth > DEPTH) this.fail('an expression with fewer parentheses');
      inner = this.any();
      if (!this.take(/\)/)) this.fail('")"');
      this.depth -= 1;
    } else {
      inner = this.test();
    }
    return negated ? (record) => TRUE - inner(record) : inner;
  }

  test() {
    const name = this.take(/([@._A-Za-z][\w\-.@]*)/)?.[1];
    if (!name || /^(?:and|or|not|in)$/i.test(name)) this.fail('a field, "not" or "("');
    const operator = this.take(/(==|=|!=|<=|<|>=|>|~)/)?.[1];
    if (operator) return question(this, name, operator === '=' ? '==' : operator, [this.value()]);
    if (this.take(/in(?![\w\-.@])/i)) {
      if (!this.take(/\(/)) this.fail('"("');
      const values = [this.value()];
      while (this.take(/,/)) values.push(this.value());
      if (!this.take(/\)/)) this.fail('"," or ")"');
      return question(this, name, '==', values);
    }
    return question(this, name, '', []);
  }

  value() {
    const double = this.take(/"((?:\\"|[^"])*)"/);
    if (double) return double[1].replaceAll('\\"', '"');
    const single = this.take(/'([^']*)'/);
    if (single) return single[1];
    return this.take(/([^\s"'(),]+)/)?.[1] ?? this.fail('a value');
  }
}

/** What is asked of one field. */
function question(parser, name, operator, values) {
  const short = name.replace(/^\./, '');
  const path = Object.hasOwn(SHORT_NAMES, short) ? SHORT_NAMES[short] : short;
  if (!Object.hasOwn(parser.fields, path)) throw new FilterError(`there is no field "${name}"`);
  const declared = parser.fields[path];
  const type = declared.list ?? declared;
  const absent = absence(path);
  const check = checkOf(path, type, operator, values);
  return (record) => {
    const value = at(record, path);
    if (value === undefined) return absent(record) ? FALSE : UNKNOWN;
    const list = Array.isArray(value) ? value : [value];
    const met = operator === '' && Array.isArray(value) ? true : list.some(check);
    return met !== (operator === '!=') ? TRUE : FALSE;
  };
}

function checkOf(path, type, operator, values) {
  if (operator === '') return type === 'bool' ? (value) => value === true : () => true;
  if (['object', 'objects', 'members'].includes(type)) throw new FilterError(`"${path}" is not one value`);
  const isText = type === 'text' || Array.isArray(type);
  if (operator === '~') {
    if (!isText) throw new FilterError(`"~" is for text, and "${path}" is none`);
    const expression = regular(values[0]);
    return (value) => expression.test(value);
  }
  if (isText || type === 'address' || type === 'bool') {
    if (operator !== '==' && operator !== '!=') throw new FilterError(`"${path}" has no order`);
    const tests = values.map((value) => equals(path, type, value));
    return (value) => tests.some((test) => test(value));
  }
  const [convert, parse] = numeric(path, type);
  const ranges = values.map((value) => parse(value) ?? wrong(path, value));
  if (operator === '==' || operator === '!=') {
    return (value) => ranges.some(([first, last]) => convert(value) >= first && convert(value) <= last);
  }
  const [first, last] = ranges[0];
  if (first !== last) throw new FilterError('a class has no order: a number is expected');
  return {
    '<': (value) => convert(value) < first,
    '<=': (value) => convert(value) <= first,
    '>': (value) => convert(value) > first,
    '>=': (value) => convert(value) >= first,
  }[operator];
}

function wrong(path, value) {
  throw new FilterError(`"${value}" is no value of "${path}"`);
}

function equals(path, type, wanted) {
  if (type === 'bool') {
    if (wanted !== 'true' && wanted !== 'false') wrong(path, wanted);
    return (value) => String(value) === wanted;
  }
  if (type === 'address') {
    const network = networkOf(wanted) ?? wrong(path, wanted);
    return (value) => network(value);
  }
  if (Array.isArray(type) && !type.includes(wanted)) throw new FilterError(`"${path}" is never "${wanted}"`);
  return (value) => value === wanted;
}

function regular(text) {
  const flags = /^\(\?([ims]+)\)/.exec(text);
  try {
    return new RegExp(flags ? text.slice(flags[0].length) : text, `u${flags ? flags[1] : ''}`);
  } catch {
    throw new FilterError(`"${text}" is no regular expression`);
  }
}

/** How values of a type become numbers, and how what is typed becomes a first and a last one. */
function numeric(path, type) {
  const same = (number) => (number === undefined ? undefined : [number, number]);
  const integer = (text) => (/^\d+$/.test(text) ? Number(text) : undefined);
  if (type === 'time') return [nanoseconds, (text) => same(timeOf(text))];
  if (type === 'seconds') return [(value) => Math.round(value * 1e9), (text) => same(scaledBy(text, DURATIONS, 1e9))];
  if (path.endsWith('status_code')) {
    return [Number, (text) => {
      const digit = /^([1-9])(?:xx|XX)$/.exec(text)?.[1];
      return digit ? [digit * 100, digit * 100 + 99] : same(integer(text));
    }];
  }
  const last = path.split('.').pop();
  const isSize = last === 'size' || last === 'length' || last.endsWith('bytes');
  return [Number, (text) => same(isSize ? scaledBy(text, SIZES, 1) : integer(text))];
}

const DURATIONS = { ns: 1, us: 1e3, 'µs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const SIZES = {
  KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, B: 1,
};

/** A decimal number of units, when that is a whole number. */
function scaledBy(text, units, unit) {
  const part = /^(\d*)(?:\.(\d*))?([^\d.]*)$/.exec(text);
  if (!part || !(part[1] || part[2]) || (part[3] && !Object.hasOwn(units, part[3]))) return undefined;
  const value = Number(`${part[1] || 0}.${part[2] || 0}`) * (part[3] ? units[part[3]] : unit);
  return Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : undefined;
}

/** A time of which what follows the minutes, or the day, may be left out. */
function timeOf(text) {
  const part = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?([Zz]|[+-]\d\d:\d\d)?$/.exec(text);
  if (!part) return undefined;
  const [, day, minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = part;
  const millis = Date.parse(`${day}T${minutes}:${seconds}${zone.toUpperCase()}`);
  return Number.isNaN(millis) ? undefined : BigInt(millis) * 1000000n + BigInt(fraction.padEnd(9, '0'));
}

/** Whether an address is in a network. */
function networkOf(text) {
  const [address, length, ...more] = text.split('/');
  const wanted = addressOf(address.replace(/^\[|\]$/g, ''));
  if (!wanted || more.length || (length !== undefined && !/^\d+$/.test(length))) return undefined;
  const bits = wanted.bits;
  const keep = length === undefined ? bits : Number(length);
  if (keep > bits) return undefined;
  const shift = BigInt(bits - keep);
  return (value) => {
    const other = addressOf(value);
    return other?.bits === bits && other.number >> shift === wanted.number >> shift;
  };
}

function addressOf(text) {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const octets = text.split('.').map(Number);
    if (octets.some((octet) => octet > 255)) return undefined;
    return { bits: 32, number: octets.reduce((number, octet) => (number << 8n) | BigInt(octet), 0n) };
  }
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (embedded) {
    const [, head, a, b, c, d] = embedded;
    text = `${head}${(a * 256 + Number(b)).toString(16)}:${(c * 256 + Number(d)).toString(16)}`;
  }
  const halves = text.split('::');
  if (halves.length > 2 || !/^[\da-fA-F:]+$/.test(text)) return undefined;
  const [head, tail] = halves.map((half) => (half ? half.split(':') : []));
  const zeros = halves.length === 2 ? 8 - head.length - tail.length : 0;
  const groups = [...head, ...Array(Math.max(zeros, 0)).fill('0'), ...(tail ?? [])];
  if (groups.length !== 8 || groups.some((group) => !/^[\da-fA-F]{1,4}$/.test(group))) return undefined;
  return { bits: 128, number: groups.reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n) };
}

/** Whether a record is known not to have a field. */
function absence(path) {
  const isIn = (above) => path === above || path.startsWith(`${above}.`);
  const when = ABSENCE.find(([, names]) => names.some(isIn))?.[0] ?? 'complete';
  const readable = (record) => !record.h2.unknown && !(record.h2.partial_reason ?? []).includes('unknown_header');
  const seen = (record, side) => record.http?.[side]?.body?.size !== undefined;
  const unfinished = ['no_response', 'response_cut', 'request_cut'];
  const also = {
    always: () => true,
    complete: () => false,
    request: (record) => seen(record, 'request') && readable(record),
    response: (record) => seen(record, 'response') && readable(record),
    nothing_lost: (record) => record.h2.partial_reason.every((reason) => unfinished.includes(reason)),
  }[when];
  return (record) => record.h2.complete || also(record);
}
