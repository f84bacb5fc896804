// A connection's exchanges over time, on a canvas: drawn only while it is seen, and only those rows.

const BAR = 18;
const AXIS = 24;
const MOST_HEIGHT = 420;

class Waterfall {
  constructor(records, open) {
    this.records = records;
    this.open = open;
    this.panel = document.getElementById('waterfall');
    this.title = element('h3');
    this.canvas = element('canvas', { tabindex: 0, role: 'img' });
    const legend = PARTS.map(([part, meaning]) => element('li', {}, element('span', { class: `swatch ${part}` }), meaning));
    legend.push(element('li', {}, element('span', { class: 'swatch whole' }), 'not known'));
    this.panel.append(
      this.title,
      element('p', { class: 'note' }, 'Parts are as long as they took, in this order, not where they were. Wheel: rows; with Ctrl: zoom; with Shift: pan. '
        + 'Keys: arrows, + and −, Home; Enter opens a call.'),
      element('ul', { class: 'legend' }, ...legend),
      this.canvas,
    );
    this.tip = document.getElementById('tip');
    this.listen();
  }

  /** Draws a connection once its place on the page is seen. */
  whenSeen(connection) {
    this.panel.hidden = false;
    const observer = new IntersectionObserver((entries) => {
      this.isSeen = entries.some((entry) => entry.isIntersecting);
      if (this.isSeen && this.calls === undefined) this.show(connection);
      if (this.isSeen) this.redraw();
    });
    observer.observe(this.panel);
    new ResizeObserver(() => this.redraw()).observe(this.panel);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
  }

  show(connection) {
    this.calls = this.of(connection);
    const origin = this.calls.reduce((least, call) => (call.start < least ? call.start : least), this.calls[0]?.start ?? 0n);
    for (const call of this.calls) call.from = Number(call.start - origin) / 1e9;
    this.end = this.calls.reduce((most, call) => Math.max(most, call.from + call.duration), 1e-9);
    this.view = { from: 0, to: this.end * 1.02 };
    this.top = 0;
    this.selected = 0;
    this.title.textContent = `Connection ${connection}: ${this.calls.length} calls in ${span(this.end)}`;
    this.canvas.setAttribute('aria-label', `Waterfall of connection ${connection}. The table of all calls has the same in text.`);
    this.panel.hidden = false;
    this.redraw();
  }

  /** A connection's calls in the order of their beginning. */
  of(connection) {
    if (!this.byConnection) {
      this.byConnection = new Map();
      for (let number = 0; number < this.records.count; number += 1) {
        const record = this.records.get(number);
        const list = this.byConnection.get(record.h2.connection.id) ?? [];
        list.push({ number, start: nanoseconds(record['@timestamp']), duration: record.duration });
        this.byConnection.set(record.h2.connection.id, list);
      }
    }
    const list = this.byConnection.get(connection) ?? [];
    return list.sort((one, two) => (one.start < two.start ? -1 : one.start > two.start ? 1 : one.number - two.number));
  }

  redraw() {
    if (!this.calls || this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  /** How far names reach, and how wide time is. */
  layout() {
    const width = this.panel.clientWidth;
    const names = Math.min(260, Math.round(width * 0.3));
    const height = Math.min(MOST_HEIGHT, AXIS + Math.max(1, this.calls.length) * BAR + 4);
    return { width, names, height, scale: (width - names - 4) / (this.view.to - this.view.from) };
  }

  draw() {
    const { width, names, height, scale } = this.layout();
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    const context = this.canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const x = (time) => names + (time - this.view.from) * scale;
    this.axis(context, color, x, names, width, height);
    const rows = Math.ceil((height - AXIS) / BAR);
    for (let place = this.top; place < Math.min(this.top + rows, this.calls.length); place += 1) {
      const y = AXIS + (place - this.top) * BAR;
      const record = this.records.get(this.calls[place].number);
      if (place === this.selected) {
        context.fillStyle = color('chosen');
        context.fillRect(0, y, width, BAR);
      }
      context.fillStyle = color(record.error ? 'bad' : 'ink');
      context.save();
      context.beginPath();
      context.rect(0, y, names - 6, BAR);
      context.clip();
      context.fillText(visible(`${at(record, 'http.request.method') ?? '–'} ${at(record, 'url.path') ?? '–'}`).slice(0, 80), 2, y + BAR / 2);
      context.restore();
      context.save();
      context.beginPath();
      context.rect(names, y, width - names, BAR);
      context.clip();
      this.bar(context, color, record, this.calls[place].from, x, y);
      context.restore();
    }
  }

  /** Times along the top, at round numbers. */
  axis(context, color, x, names, width, height) {
    const wanted = (this.view.to - this.view.from) / Math.max(2, (width - names) / 110);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= wanted) * power;
    for (let tick = Math.ceil(this.view.from / step); tick * step <= this.view.to; tick += 1) {
      const place = x(tick * step);
      context.fillStyle = color('line');
      context.fillRect(place, AXIS - 6, 1, height);
      context.fillStyle = color('faint');
      context.fillText(tick === 0 ? '0' : span(tick * step), place + 3, AXIS / 2 - 2);
    }
  }

  bar(context, color, record, from, x, y) {
    const time = record.h2.time;
    let begin = from;
    const piece = (seconds, name) => {
      context.fillStyle = color(name);
      context.fillRect(x(begin), y + 3, Math.max(x(begin + seconds) - x(begin), 1.5), BAR - 6);
      begin += seconds;
    };
    if (time) for (const [part] of PARTS) if (time[part]) piece(time[part], `part-${part}`);
    if (!time || begin === from) piece(record.duration, 'part-whole');
  }

  /** The call at a place of the pointer. */
  hit(event) {
    const place = this.top + Math.floor((event.offsetY - AXIS) / BAR);
    return event.offsetY >= AXIS && place < this.calls.length ? place : undefined;
  }

  zoom(factor, around) {
    const { from, to } = this.view;
    const length = Math.min(Math.max((to - from) * factor, 1e-6), this.end * 1.02);
    const share = (around - from) / (to - from);
    this.pan(around - share * length - from, length);
  }

  pan(by, length = this.view.to - this.view.from) {
    const from = Math.min(Math.max(this.view.from + by, 0), Math.max(0, this.end * 1.02 - length));
    this.view = { from, to: from + length };
    this.redraw();
  }

  /** Moves the rows; says whether that was possible. */
  scroll(rows) {
    const room = Math.floor((this.layout().height - AXIS) / BAR);
    const top = Math.min(Math.max(this.top + rows, 0), Math.max(0, this.calls.length - room));
    const moved = top !== this.top;
    this.top = top;
    if (moved) this.redraw();
    return moved;
  }

  listen() {
    this.canvas.addEventListener('wheel', (event) => {
      if (!this.calls) return;
      const { names, scale } = this.layout();
      if (event.ctrlKey || event.metaKey || event.altKey) {
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.view.from + Math.max(0, event.offsetX - names) / scale);
      } else if (event.shiftKey || event.deltaX) {
        this.pan((event.deltaX || event.deltaY) / scale);
      } else if (!this.scroll(Math.sign(event.deltaY) * 3)) {
        return;
      }
      event.preventDefault();
    }, { passive: false });
    this.canvas.addEventListener('click', (event) => {
      const place = this.calls && this.hit(event);
      if (place === undefined) return;
      this.selected = place;
      this.redraw();
      this.open(this.calls[place].number);
    });
    this.canvas.addEventListener('mousemove', (event) => this.hover(event));
    this.canvas.addEventListener('mouseleave', () => { this.tip.hidden = true; });
    this.canvas.addEventListener('keydown', (event) => this.key(event));
  }

  hover(event) {
    const place = this.calls && this.hit(event);
    this.tip.hidden = place === undefined;
    if (place === undefined) return;
    const record = this.records.get(this.calls[place].number);
    const parts = PARTS.filter(([part]) => record.h2.time?.[part]).map(([part, meaning]) => element('li', {}, `${meaning}: ${exact(record.h2.time[part])}`));
    this.tip.replaceChildren(
      element('b', {}, visible(`${at(record, 'http.request.method') ?? '–'} ${at(record, 'url.path') ?? '–'}`).slice(0, 200)),
      element('div', {}, visible(`stream ${record.h2.stream.id} · +${exact(this.calls[place].from)} · ${outcome(record)}`)),
      element('ul', {}, element('li', {}, `in all: ${exact(record.duration)}`), ...parts),
    );
    this.tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - 320)}px`;
    this.tip.style.top = `${Math.min(event.clientY + 12, window.innerHeight - 140)}px`;
  }

  key(event) {
    if (!this.calls?.length) return;
    const length = this.view.to - this.view.from;
    const middle = this.view.from + length / 2;
    const acts = {
      '+': () => this.zoom(0.8, middle),
      '=': () => this.zoom(0.8, middle),
      '-': () => this.zoom(1.25, middle),
      ArrowLeft: () => this.pan(-length / 10),
      ArrowRight: () => this.pan(length / 10),
      ArrowUp: () => this.select(this.selected - 1),
      ArrowDown: () => this.select(this.selected + 1),
      Home: () => { this.view = { from: 0, to: this.end * 1.02 }; this.select(0); },
      Enter: () => this.open(this.calls[this.selected].number),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    acts[event.key]();
  }

  select(place) {
    this.selected = Math.min(Math.max(place, 0), this.calls.length - 1);
    const room = Math.floor((this.layout().height - AXIS) / BAR);
    if (this.selected < this.top) this.top = this.selected;
    if (this.selected >= this.top + room) this.top = this.selected - room + 1;
    this.redraw();
  }
}
