// One call, all of it.

/** Parts of a call's time, in the order in which they are drawn. */
const PARTS = [
  ['wait', 'waiting for the server'],
  ['server_pause', 'the server was silent'],
  ['client_pause', 'the client was silent'],
  ['stream_window', 'no credit on the stream'],
  ['connection_window', 'no credit on the connection'],
  ['tcp_loss', 'bytes were lost'],
  ['tcp_window', 'TCP window full'],
  ['other_streams', 'other streams were served'],
  ['transfer', 'transferred'],
];

class Detail {
  constructor() {
    this.panel = document.querySelector('[data-h2lens=detail]');
    this.panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
  }

  close() {
    this.panel.hidden = true;
    this.opener?.focus({ preventScroll: true });
  }

  open(record, steps) {
    this.opener = document.activeElement;
    const close = element('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×');
    close.addEventListener('click', () => this.close());
    this.panel.replaceChildren(close, ...this.parts(record, steps));
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    this.panel.focus({ preventScroll: true });
  }

  parts(record, steps) {
    const method = at(record, 'http.request.method') ?? '–';
    const url = `${at(record, 'url.scheme') ?? ''}://${at(record, 'h2.request.authority') ?? ''}${at(record, 'url.path') ?? ''}`;
    const query = at(record, 'url.query');
    const failed = at(record, 'error.type');
    return [
      element('h2', {}, visible(`${method} ${url}${query === undefined ? '' : `?${query}`}`)),
      element('p', { class: failed ? 'bad' : 'good' }, visible(outcome(record))),
      timeBar(record),
      facts(record),
      frames(steps),
      headers('Request header fields', at(record, 'h2.request.headers')),
      headers('Request trailer fields', at(record, 'h2.request.trailers')),
      body('Request', at(record, 'http.request.body')),
      headers('Response header fields', at(record, 'h2.response.headers')),
      body('Response', at(record, 'http.response.body')),
      headers('Response trailer fields', at(record, 'h2.response.trailers')),
      messages(at(record, 'h2.messages')),
      element('details', {}, element('summary', {}, 'The record'), element('pre', {}, visibleLines(JSON.stringify(record, null, 2)))),
    ].filter(Boolean);
  }
}

function visibleLines(text) {
  return text.split('\n').map(visible).join('\n');
}

function outcome(record) {
  const status = at(record, 'http.response.status_code');
  const grpc = at(record, 'rpc.response.status_code');
  const words = [status === undefined ? 'no response' : `status ${status}`];
  if (grpc) words.push(`gRPC ${grpc}`);
  if (record.error && String(status) !== record.error.type && grpc !== record.error.type) words.push(record.error.type);
  if (record.h2.grpc?.message) words.push(record.h2.grpc.message);
  if (!record.h2.complete) words.push(`incomplete: ${record.h2.partial_reason.join(', ')}`);
  return `${words.join(' · ')} · ${span(record.duration)}`;
}

/** Where the time went: a bar, and the same in words. */
function timeBar(record) {
  const time = record.h2.time;
  if (!time || !record.duration) return undefined;
  const bar = element('div', { class: 'timebar', 'aria-hidden': 'true' });
  const list = element('ul', { class: 'legend' });
  for (const [part, meaning] of PARTS) {
    if (!time[part]) continue;
    const piece = element('span', { class: `part ${part}` });
    piece.style.flexGrow = time[part] / record.duration;
    bar.append(piece);
    list.append(element('li', {}, element('span', { class: `swatch ${part}` }), `${meaning}: ${span(time[part])}`));
  }
  return element('div', {}, bar, list);
}

function facts(record) {
  const list = element('dl', { class: 'facts' });
  const end = record.h2.stream.end;
  const { packets, retry, trace = {} } = record.h2;
  for (const [name, value] of [
    ['Began', record['@timestamp']],
    ['First byte after', span(at(record, 'h2.timing.ttfb'))],
    ['Client', `${record.client.address} port ${record.client.port}`],
    ['Server', `${record.server.address} port ${record.server.port}`],
    ['Connection, stream', `${record.h2.connection.id}, ${record.h2.stream.id}`],
    ['Packets', `${packets.first} to ${packets.last}${packets.input ? ` (${packets.input})` : ''}`],
    ['Ended', `${end.how} by ${end.by}${end.code ? `: ${end.code}` : ''}`],
    ['Request, response', `${bytes(at(record, 'http.request.body.size'))}, ${bytes(at(record, 'http.response.body.size'))}`],
    ['Try again?', retry && (retry === 'safe' ? 'yes: the server did not process it' : 'only what may be done twice')],
    ['Unknown', record.h2.unknown?.join(', ')],
    ['Trace', trace.trace_id],
  ]) {
    if (value) list.append(element('dt', {}, name), element('dd', {}, visible(value)));
  }
  return list;
}

/** The frames of its stream, one after the other. */
function frames(steps) {
  if (!steps?.length) return undefined;
  const rows = steps.map((step) => {
    if (typeof step === 'number') return element('tr', {}, element('td', { colspan: 6 }, `… ${step} more`));
    const [time, packet, fromClient, name, size, text] = step;
    return element('tr', { class: name ? undefined : 'failed' },
      element('td', { class: 'number' }, span(time / 1e9)),
      element('td', { class: 'number' }, packet),
      element('td', { 'aria-label': fromClient ? 'from the client' : 'from the server' }, fromClient ? '→' : '←'),
      element('th', { scope: 'row' }, visible(name || 'lost')),
      element('td', { class: 'number' }, bytes(size ?? undefined)),
      element('td', {}, visible(text)));
  });
  const names = ['Time', 'Packet', 'From', 'Frame', 'Size', 'Flags, and what it carries'];
  const head = element('thead', {}, element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name))));
  return element('section', {}, element('h3', {}, 'Frames'),
    element('div', { class: 'wide' }, element('table', { 'aria-label': 'Frames' }, head, element('tbody', {}, ...rows))));
}

function headers(title, fields) {
  if (!fields?.length) return undefined;
  const rows = fields.map((field) => element('tr', {},
    element('th', { scope: 'row' }, visible(field.name ?? '(unknown)')),
    element('td', {}, visible(field.value ?? `(unknown ${field.ref ?? ''})`))));
  const head = element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Name'), element('th', { scope: 'col' }, 'Value')));
  return element('section', {}, element('h3', {}, title), element('table', { 'aria-label': title }, head, element('tbody', {}, ...rows)));
}

function body(side, part) {
  const content = part?.content ?? part?.content_base64;
  if (content === undefined) return undefined;
  const note = part.truncated ? ' (cut)' : '';
  return element('section', {}, element('h3', {}, `${side} content${note}`), element('pre', {}, visibleLines(content)));
}

function messages(list) {
  if (!list?.length) return undefined;
  const items = list.map((message) => {
    const json = message.value ?? message.fields;
    const shown = json === undefined ? message.text ?? message.base64 ?? message.error ?? '' : JSON.stringify(json);
    return element('li', {}, visible(`${message.from} +${span(message.at)} ${message.type ?? message.opcode ?? ''} ${shown}`));
  });
  return element('section', {}, element('h3', {}, 'Messages'), element('ol', {}, ...items));
}
