// All calls: records that are read when they are needed, and a table of those rows alone that can be seen.

const ROW_HEIGHT = 28;
const SPARE_ROWS = 8;

/** The records, by their number. Each element for data holds so many. */
class Records {
  constructor(count, chunk) {
    this.count = count;
    this.chunk = chunk;
    this.elements = [...document.querySelectorAll('script.calls-data')];
    this.steps = [...document.querySelectorAll('script.steps-data')];
    this.read = [];
    this.readSteps = [];
  }

  get(number) {
    const place = Math.floor(number / this.chunk);
    this.read[place] ??= JSON.parse(this.elements[place].textContent);
    return this.read[place][number % this.chunk];
  }

  /** Its frames, where they are held. */
  stepsOf(number) {
    const place = Math.floor(number / this.chunk);
    this.readSteps[place] ??= JSON.parse(this.steps[place].textContent);
    return this.readSteps[place][number % this.chunk];
  }

  /** The number of the call with that connection and stream. */
  find(place) {
    this.places ??= new Map(Array.from({ length: this.count }, (_, number) => [placeOf(this.get(number)), number]));
    return this.places.get(place);
  }
}

function placeOf(record) {
  return `${record.h2.connection.id}/${record.h2.stream.id}`;
}

/** What the columns show, and what they are sorted by. */
const COLUMNS = [
  [(record, start) => `+${span(Number(nanoseconds(record['@timestamp']) - start) / 1e9)}`, (record) => nanoseconds(record['@timestamp'])],
  [(record) => at(record, 'http.request.method') ?? '–'],
  [(record) => at(record, 'h2.request.authority') ?? at(record, 'server.address')],
  [(record) => (at(record, 'url.path') ?? '–') + (at(record, 'url.query') === undefined ? '' : `?${record.url.query}`)],
  [(record) => at(record, 'http.response.status_code') ?? '–', (record) => at(record, 'http.response.status_code') ?? 0],
  [(record) => at(record, 'error.type') ?? (record.h2.complete ? '' : 'incomplete')],
  [(record) => span(record.duration), (record) => record.duration],
  [(record) => span(at(record, 'h2.timing.ttfb')), (record) => at(record, 'h2.timing.ttfb') ?? -1],
  [(record) => record.h2.connection.id, (record) => record.h2.connection.id],
  [(record) => record.h2.stream.id, (record) => record.h2.stream.id],
];

/** The table of all calls. */
class CallTable {
  constructor(records, start, open) {
    this.records = records;
    this.start = start;
    this.open = open;
    this.table = document.querySelector('[data-h2lens=calls]');
    this.body = this.table.tBodies[0];
    this.scroller = document.getElementById('scroller');
    this.height = document.getElementById('height');
    this.shown = Array.from({ length: records.count }, (_, number) => number);
    this.current = 0;
    this.scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.body.addEventListener('click', (event) => this.pick(event.target.closest('tr')));
    this.body.addEventListener('keydown', (event) => this.key(event));
    this.columnsSort();
    this.draw();
  }

  /** Shows those calls for which `test` is true. */
  filter(test) {
    this.test = test;
    this.refresh();
  }

  refresh() {
    let shown = Array.from({ length: this.records.count }, (_, number) => number);
    if (this.test) shown = shown.filter((number) => this.test(this.records.get(number)) === TRUE);
    if (this.order) {
      const { key, sign } = this.order;
      const keys = new Map(shown.map((number) => [number, key(this.records.get(number))]));
      shown.sort((one, two) => {
        const [a, b] = [keys.get(one), keys.get(two)];
        return a < b ? -sign : a > b ? sign : one - two;
      });
    }
    this.shown = shown;
    this.current = 0;
    this.scroller.scrollTop = 0;
    this.draw();
    return shown.length;
  }

  columnsSort() {
    const heads = [...this.table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      sortButton(head, (sign) => {
        for (const other of heads) if (other !== head) other.removeAttribute('aria-sort');
        const [show, by] = COLUMNS[index];
        this.order = { key: by ?? ((record) => String(show(record, this.start)).toLowerCase()), sign };
        this.refresh();
      });
    });
  }

  /** Draws the rows that can be seen. */
  draw(focus) {
    const count = this.shown.length;
    const seen = Math.ceil(this.scroller.clientHeight / ROW_HEIGHT) + 2 * SPARE_ROWS;
    const first = Math.max(0, Math.min(Math.floor(this.scroller.scrollTop / ROW_HEIGHT) - SPARE_ROWS, count - seen));
    const rows = [];
    for (let place = first; place < Math.min(first + seen, count); place += 1) rows.push(this.row(place));
    // The rows that are not there are room above and below.
    this.height.style.height = `${(count + 1) * ROW_HEIGHT + 2}px`;
    this.table.style.transform = `translateY(${first * ROW_HEIGHT}px)`;
    this.table.tHead.style.transform = `translateY(${this.scroller.scrollTop - first * ROW_HEIGHT}px)`;
    const focused = focus || this.body.contains(document.activeElement);
    this.body.replaceChildren(...rows);
    this.table.setAttribute('aria-rowcount', count + 1);
    if (focused) this.body.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  row(place) {
    const record = this.records.get(this.shown[place]);
    const row = element('tr', { 'aria-rowindex': place + 2, tabindex: place === this.current ? 0 : -1 });
    COLUMNS.forEach(([show, by]) => {
      const text = visible(show(record, this.start));
      row.append(element('td', { title: text.length > 24 ? text.slice(0, 2000) : undefined, class: by ? 'number' : undefined }, text.slice(0, 500)));
    });
    if (record.error) row.classList.add('failed');
    else if (!record.h2.complete) row.classList.add('unfinished');
    return row;
  }

  pick(row) {
    if (!row) return;
    this.current = Number(row.getAttribute('aria-rowindex')) - 2;
    this.draw(true);
    this.open(this.shown[this.current]);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_HEIGHT) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.pick(event.target.closest('tr'));
    } else if (event.key in steps) {
      event.preventDefault();
      this.current = Math.min(Math.max(this.current + steps[event.key], 0), this.shown.length - 1);
      const top = this.current * ROW_HEIGHT;
      const room = this.scroller.clientHeight - 2 * ROW_HEIGHT;
      if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
      else if (top > this.scroller.scrollTop + room) this.scroller.scrollTop = top - room;
      this.draw(true);
    }
  }
}
