// Puts the parts together.

function main() {
  const meta = JSON.parse(document.getElementById('meta').textContent);
  document.documentElement.classList.add('scripted');
  const records = new Records(meta.held, meta.chunk);
  const start = meta.start ? nanoseconds(meta.start) : 0n;
  const detail = new Detail();
  const open = (number) => detail.open(records.get(number), records.stepsOf(number));
  const calls = new CallTable(records, start, open);

  const openPlace = (place) => {
    const number = records.find(place);
    if (number !== undefined) open(number);
  };
  for (const name of ['failures', 'slowest']) {
    const table = document.querySelector(`[data-h2lens=${name}]`);
    choosable(table, '[data-call]', (row) => openPlace(row.querySelector('[data-call]').dataset.call));
  }
  sortable(document.querySelector('[data-h2lens=endpoints]'));

  const connections = document.querySelector('[data-h2lens=connections]');
  sortable(connections);
  if (connections.tBodies[0].rows.length) {
    const waterfall = new Waterfall(records, open);
    choosable(connections, 'td:first-child', (row) => {
      for (const other of connections.tBodies[0].rows) other.removeAttribute('aria-selected');
      row.setAttribute('aria-selected', 'true');
      waterfall.show(Number(row.dataset.connection));
      waterfall.panel.scrollIntoView({ block: 'nearest' });
    });
    waterfall.whenSeen(Number(connections.tBodies[0].rows[0].dataset.connection));
  }
  filterBox(calls, meta.fields);
}

/** The box that takes the words of --where. */
function filterBox(calls, fields) {
  const box = document.querySelector('[data-h2lens=filter]');
  const count = document.querySelector('[data-h2lens=count]');
  const problem = document.getElementById('problem');
  let timer;
  const apply = () => {
    clearTimeout(timer);
    const text = box.value.trim();
    try {
      const test = text ? compileFilter(text, fields) : undefined;
      calls.filter(test);
      count.textContent = calls.shown.length;
      box.removeAttribute('aria-invalid');
      problem.hidden = true;
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      box.setAttribute('aria-invalid', 'true');
      problem.textContent = visible(error.message);
      problem.hidden = false;
    }
  };
  box.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 300);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') apply();
  });
}

main();
