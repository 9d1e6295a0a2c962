// What a page shows, in the part of its address behind `#`: a reload keeps it, and Back undoes a step.

/** The members of a page's state that are text, by their names in the address. */
const ADDRESS_TEXTS = { tab: "tab", mode: "layout", unit: "weight", tableUnit: "rows" };
const ADDRESS_FLAGS = { byThread: "split", byLine: "lines", withNative: "native" };
const FILTER_TEXTS = { thread: "thread", wait: "blocked", focus: "with", ignore: "without", module: "module" };
const FILTER_TIMES = { from: "from", to: "to" };

/** The address of a state: what differs from the one that a page starts with. */
function addressOf(profile, state, start) {
  const parts = new URLSearchParams();
  const add = (key, value, initial) => { if (value !== initial) parts.set(key, value); };
  for (const [member, key] of Object.entries(ADDRESS_TEXTS)) add(key, state[member], start[member]);
  for (const [member, key] of Object.entries(ADDRESS_FLAGS)) add(key, state[member] ? "1" : "0", start[member] ? "1" : "0");
  const [filter, initial] = [state.filter, start.filter];
  for (const [member, key] of Object.entries(FILTER_TEXTS)) add(key, filter[member], initial[member]);
  for (const [member, key] of Object.entries(FILTER_TIMES)) add(key, String(filter[member] ?? ""), String(initial[member] ?? ""));
  add("idle", filter.isIdleHidden ? "0" : "1", initial.isIdleHidden ? "0" : "1");
  add("states", filter.states.join(","), initial.states.join(","));
  const threads = ({ only }) => (only ? only.map((index) => profile.threads[index].tid).join(",") : "all");
  add("threads", threads(filter), threads(initial));
  add("find", state.search.text, "");
  if (state.search.isRegex) parts.set("regex", "1");
  add("zoom", state.place.join("."), "");
  add("sort", [...state.orders].map(([table, { column, isDescending }]) => `${table}.${column}.${isDescending ? "d" : "a"}`).join(","), "");
  for (const [table, key] of Object.entries(ADDRESS_ROWS)) add(key, rowsText(state.opened[table]), "");
  add("span", state.span ? `${state.span.start}-${state.span.end}` : "", "");
  return parts.toString();
}

/** The state that an address names; what it does not name, or names wrongly, is as at the start. */
function stateOf(profile, address, start) {
  const parts = new URLSearchParams(address);
  const text = (key, initial) => parts.get(key) ?? initial;
  const flag = (key, initial) => (parts.has(key) ? parts.get(key) === "1" : initial);
  const time = (key, initial) => (parts.has(key) ? readNumber(parts.get(key)) : initial);
  const initial = start.filter;
  const filter = { ...noFilter(), isIdleHidden: parts.has("idle") ? parts.get("idle") !== "1" : initial.isIdleHidden };
  for (const [member, key] of Object.entries(FILTER_TEXTS)) filter[member] = text(key, initial[member]);
  for (const [member, key] of Object.entries(FILTER_TIMES)) filter[member] = time(key, initial[member]);
  const states = parts.get("states")?.split(",") ?? initial.states;
  filter.states = STATES.filter((each) => states.includes(each));
  filter.only = parts.has("threads") ? threadsWithNumbers(profile, parts.get("threads")) : initial.only;
  const state = { filter, search: { text: text("find", ""), isRegex: parts.get("regex") === "1" } };
  for (const [member, key] of Object.entries(ADDRESS_TEXTS)) {
    const known = ADDRESS_VALUES[member]();
    state[member] = known.includes(parts.get(key)) ? parts.get(key) : start[member];
  }
  for (const [member, key] of Object.entries(ADDRESS_FLAGS)) state[member] = flag(key, start[member]);
  state.place = text("zoom", "").split(".").filter(Boolean);
  state.orders = readOrders(text("sort", ""));
  state.opened = {};
  for (const [table, key] of Object.entries(ADDRESS_ROWS)) state.opened[table] = readRows(text(key, ""));
  state.span = readSpan(parts.get("span") ?? "", profile.span);
  return state;
}

/** The tables whose rows open. */
const ADDRESS_ROWS = { tree: "rows-of-calls", blame: "rows-of-blame" };

/** The most letters that opened rows take in an address; the latest are kept. */
const MOST_ROWS_TEXT = 4000;

/** What was opened and closed of a table: the first letter of what it is, and its path. */
function rowsText(opened) {
  const parts = [];
  let length = 0;
  for (const [path, state] of [...opened].reverse()) {
    length += path.length + 2;
    if (length > MOST_ROWS_TEXT) break;
    parts.push(state[0] + path);
  }
  return parts.reverse().join(",");
}

function readRows(text) {
  const states = { o: "open", c: "closed", w: "whole" };
  const parts = text.split(",").filter((part) => states[part[0]]);
  return new Map(parts.slice(0, MOST_ROWS_TEXT).map((part) => [part.slice(1), states[part[0]]]));
}

/** By table the column that it is sorted by. */
function readOrders(text) {
  const matches = text.split(",").slice(0, 300).map((part) => /^(\w{1,20})\.(\d{1,2})\.([ad])$/.exec(part)).filter(Boolean);
  return new Map(matches.map(([, table, column, order]) => [table, { column: Number(column), isDescending: order === "d" }]));
}

/** What each text of a state may be. */
const ADDRESS_VALUES = {
  tab: () => TABS.map(([id]) => id), mode: () => ["down", "up", "time"], unit: () => UNITS, tableUnit: () => TABLE_UNITS,
};

/** A number of nanoseconds; null for what is none. */
function readNumber(text) {
  return /^\d{1,18}$/.test(text) ? Number(text) : null;
}

/** A part of a longer span, as `start-end` in nanoseconds; null for what is none. */
function readSpan(text, whole) {
  const match = /^(\d{1,18})-(\d{1,18})$/.exec(text);
  if (!match) return null;
  const [start, end] = [Math.max(Number(match[1]), whole.start), Math.min(Number(match[2]), whole.end)];
  return start < end ? { start, end } : null;
}

/** Indexes of the threads with these numbers; null for `all`, and where none has such a number. */
function threadsWithNumbers(profile, text) {
  const wanted = new Set(text.split(","));
  const found = profile.threads.filter(({ tid }) => wanted.has(String(tid))).map(({ index }) => index);
  return text === "all" || found.length === 0 ? null : found;
}

/** Keeps the address of the window as a page's state is; steps that follow each other at once are one. */
class AddressBar {
  /** `address()` is that of the page's state now, `show(address)` shows another one. */
  constructor({ address, show }) {
    Object.assign(this, { address, show });
    globalThis.addEventListener("popstate", () => this.goTo(location.hash.slice(1)));
  }

  goTo(address) {
    clearTimeout(this.timer);
    this.lastKind = "";
    this.show(address);
  }

  /** To be called after each step; several of one `kind`, such as letters that are typed, are one. */
  note(kind = "") {
    this.kind = kind;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), 150);
  }

  write() {
    const address = `#${this.address()}`;
    if (address === (location.hash || "#")) return;
    const isSameKind = this.kind !== "" && this.kind === this.lastKind;
    this.lastKind = this.kind;
    try {
      if (isSameKind) history.replaceState(null, "", address);
      else history.pushState(null, "", address);
    } catch {
      // A viewer that forbids it: the page works without.
    }
  }
}
