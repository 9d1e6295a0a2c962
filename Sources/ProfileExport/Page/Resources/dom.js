// Elements of the page; all that comes from a capture goes in as text.

/** An element with attributes, listeners (`onclick`) and children; strings become text. */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) {
      node.style.setProperty(key, text);
    } else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

/** Text from a capture, apart from the direction of writing around it, and not long. */
const name = (text, limit = 300) => element("bdi", {}, shortened(text, limit));

/** A place from a capture, by its end; the whole of it is its title. */
const place = (text, limit = 72) => element("bdi", { title: shortened(text, 600) }, shortPlace(text, limit));

const byId = (id) => document.getElementById(id);

/** An element of SVG. */
function drawing(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A switch that calls `onChange(isOn)`. */
function checkBox(id, onChange) {
  const box = element("input", { type: "checkbox", id });
  box.addEventListener("change", () => onChange(box.checked));
  return box;
}

/** The small window beside the pointer. */
const tip = {
  show(event, ...lines) {
    const box = byId("tip");
    box.replaceChildren(...lines.filter(Boolean).map((line, index) =>
      element("div", { class: index === 0 ? "tip-head" : undefined }, line)));
    box.hidden = false;
    const { innerWidth, innerHeight } = globalThis;
    const [width, height] = [box.offsetWidth, box.offsetHeight];
    const x = Math.min(event.clientX + 14, innerWidth - width - 8);
    const y = event.clientY + 18 + height > innerHeight
      ? event.clientY - height - 10 : event.clientY + 18;
    box.style.left = `${Math.max(8, x)}px`;
    box.style.top = `${Math.max(8, y)}px`;
  },
  hide() { byId("tip").hidden = true; },
};

/** Rows shown at first: more than a person reads. */
const FIRST_ROWS = 100;

/** The most rows that are ordered by their texts, too, where their figures are the same. */
const MOST_TIES = 2000;

/**
 * A table that sorts by the column whose head is clicked.
 *
 * A column has `title`, `text(row)` or `node(row)`, `value(row)` to sort by, and `isNumber`. `order` keeps which
 * column was clicked: `read()` gives its number and `isDescending`, `write()` is called at a click.
 */
function sortableTable({ columns, rows, sort, label, isDescending = true, onRow, order }) {
  const start = { column: columns[sort] ?? columns[0], isDescending };
  const kept = order?.read();
  const state = { ...start, limit: FIRST_ROWS };
  if (columns[kept?.column]) Object.assign(state, { column: columns[kept.column], isDescending: kept.isDescending });
  const body = element("tbody");
  const more = element("button", { class: "more", type: "button" });
  more.addEventListener("click", () => {
    state.limit = state.limit === FIRST_ROWS ? 2000 : state.limit * 4;
    fill();
  });
  const heads = columns.map((column) => {
    const button = element("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      state.isDescending = state.column === column ? !state.isDescending : !!column.isNumber;
      state.column = column;
      fill();
      const isStart = state.column === start.column && state.isDescending === start.isDescending;
      order?.write(isStart ? undefined : { column: columns.indexOf(column), isDescending: state.isDescending });
    });
    return element("th", { scope: "col", class: column.isNumber ? "number" : undefined, title: column.help },
      button);
  });
  const fill = () => {
    heads.forEach((head, index) => {
      if (columns[index] !== state.column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", state.isDescending ? "descending" : "ascending");
    });
    const sign = state.isDescending ? -1 : 1;
    const sorted = rows.map((row, index) => ({ row, index, key: state.column.value(row) }));
    const others = rows.length <= MOST_TIES ? columns : columns.filter(({ isNumber }) => isNumber);
    sorted.sort((left, right) => (left.key < right.key ? -sign : left.key > right.key ? sign
      : tieOrder(others, left.row, right.row) || left.index - right.index));
    body.replaceChildren(...sorted.slice(0, state.limit).map(({ row }) => tableRow(columns, row, onRow)));
    more.hidden = rows.length <= state.limit;
    more.textContent = `${rows.length - state.limit} more rows`;
  };
  fill();
  return element("div", { class: "table" },
    element("table", { "aria-label": label }, element("thead", {}, element("tr", {}, heads)), body), more);
}

/** Orders rows that are equal in the chosen column: by the other ones, large numbers first. */
function tieOrder(columns, left, right) {
  for (const { value, isNumber } of columns) {
    const [one, other] = [value(left), value(right)];
    if (one < other) return isNumber ? 1 : -1;
    if (one > other) return isNumber ? -1 : 1;
  }
  return 0;
}

/** A row of a table; `onRow` makes it a link. */
function tableRow(columns, row, onRow) {
  const cells = columns.map((column) => element("td", { class: column.isNumber ? "number" : column.class },
    column.node ? column.node(row) : column.text(row)));
  const item = element("tr", {}, cells);
  if (onRow) {
    item.classList.add("link");
    item.tabIndex = 0;
    item.addEventListener("click", () => onRow(row));
    item.addEventListener("keydown", (event) => { if (event.key === "Enter") onRow(row); });
  }
  return item;
}

/**
 * A figure with a bar as long as its share of the whole, and a whisker over what the share may be, where
 * that is known.
 */
function bar(text, part, whole, error) {
  const share = (value) => `${(whole > 0 ? Math.max(0, Math.min(1, value / whole)) * 100 : 0).toFixed(1)}%`;
  const style = { "--share": share(part) };
  if (!(error > 0)) return element("span", { class: "bar", style }, text);
  const [low, high] = [share(part - error), share(part + error)];
  return element("span", {
    class: "bar whisker", style: { ...style, "--low": low, "--high": high },
    title: `95 % interval: ${low.replace("%", "")} to ${high.replace("%", " %")}`,
  }, text);
}
