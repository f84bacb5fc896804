// Tables that are markup: sorting, and rows that lead somewhere.

/** Makes a heading a button that sorts; `sort` is told 1 or -1. Numbers begin with the greatest. */
function sortButton(head, sort) {
  const button = element('button', { type: 'button' }, head.textContent);
  head.replaceChildren(button);
  button.addEventListener('click', () => {
    const now = head.getAttribute('aria-sort');
    const first = head.classList.contains('number') ? 'descending' : 'ascending';
    const next = now === null ? first : now === 'ascending' ? 'descending' : 'ascending';
    head.setAttribute('aria-sort', next);
    sort(next === 'ascending' ? 1 : -1);
  });
}

/** Lets a table be sorted by each of its columns. */
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const valueOf = (row, index) => row.cells[index].dataset.value || row.cells[index].textContent;
  heads.forEach((head, index) => {
    sortButton(head, (sign) => {
      for (const other of heads) if (other !== head) other.removeAttribute('aria-sort');
      const rows = [...table.tBodies[0].rows];
      const isNumber = rows.every((row) => /^[\d.]+$/.test(valueOf(row, index)));
      const keys = new Map(rows.map((row) => {
        const value = valueOf(row, index);
        return [row, isNumber ? Number(value) : value.toLowerCase()];
      }));
      rows.sort((one, two) => (keys.get(one) < keys.get(two) ? -sign : keys.get(one) > keys.get(two) ? sign : 0));
      table.tBodies[0].append(...rows);
    });
  });
}

/** Rows that do something when they are chosen: one stop of the Tab key, arrows go up and down. */
function choosable(table, selector, choose) {
  const list = table.tBodies[0];
  const rows = () => [...list.querySelectorAll(selector)].map((cell) => cell.closest('tr'));
  rows().forEach((row, index) => row.setAttribute('tabindex', index === 0 ? 0 : -1));
  list.addEventListener('click', (event) => {
    const row = event.target.closest('tr');
    if (row && rows().includes(row)) choose(row);
  });
  list.addEventListener('keydown', (event) => {
    const all = rows();
    const place = all.indexOf(event.target.closest('tr'));
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      choose(all[place]);
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = all[place + (event.key === 'ArrowDown' ? 1 : -1)];
      if (!next) return;
      all[place].setAttribute('tabindex', -1);
      next.setAttribute('tabindex', 0);
      next.focus();
    }
  });
}
