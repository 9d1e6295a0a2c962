// The page of one capture: what is selected, and the views of it.

const TABS = [
  ["flame", "Flame graph"], ["tree", "Call tree"], ["functions", "Tables"], ["lines", "Lines by thread"], ["waits", "Waits"],
  ["freezes", "Freezes"], ["gil", "GIL"], ["blame", "Blame"], ["source", "Source"],
];

/** Which tabs a profile has something for; all others are always there. */
const TAB_NEEDS = {
  source: (profile) => profile.sources?.length > 0,
  blame: (profile) => profile.blame?.parents.length > 0,
  freezes: (profile) => profile.freezes?.length > 0,
  gil: (profile) => hasLockUse(profile),
};

/** What fills the panel of a tab, other than the flame graph. */
const VIEWS = {
  tree: (...at) => showCallTree(...at), gil: (...at) => showLockUse(...at),
  functions: (...at) => showTables(...at), lines: (...at) => showLines(...at), waits: (...at) => showWaits(...at),
  freezes: (...at) => showFreezes(...at), blame: (...at) => showBlame(...at), source: (...at) => showSource(...at),
};

/** Reads the document and shows the page that it is for. */
async function start() {
  const data = await readDocument(byId("document").textContent, byId("columns").textContent)
    .catch((error) => {
      byId("loading").textContent = `Cannot read the data of this page: ${error.message}`;
      throw error;
    });
  const page = data.kind === "compare" ? new ComparePage(data) : new ProfilePage(data);
  byId("loading").remove();
  page.show();
  watchSystem(page);
  globalThis.sprof = page.tools();
}

/** Draws anew when the size of the window, the system's colours or the medium change. */
function watchSystem(page) {
  let width = 0;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    page.redraw();
  }).observe(document.body);
  darkWish.addEventListener?.("change", () => page.recolor());
  // On paper nothing can be opened: what is folded in the head is printed, too.
  let opened = [];
  const print = (isOn) => () => {
    if (isOn) opened = [...document.querySelectorAll("header details:not([open])")];
    for (const box of opened) box.open = isOn;
    printing.isOn = isOn;
    page.recolor();
  };
  globalThis.addEventListener("beforeprint", print(true));
  globalThis.addEventListener("afterprint", print(false));
}

class ProfilePage {
  constructor(data) {
    this.data = data;
    this.profile = data.profiles[0];
    const { profile } = this;
    this.start = {
      tab: "flame", mode: "down", tableUnit: "function",
      unit: profile.wall.some((wall) => wall > 0) ? "wall" : "samples",
      byThread: profile.threads.length > 1 && profile.threads.length <= 16, byLine: false,
      withNative: !hasInterpreted(profile), filter: startFilter(profile),
    };
    Object.assign(this, stateOf(profile, location.hash.slice(1), this.start));
    this.trees = new Map();
  }

  /** What the address of the page keeps. */
  address() {
    return addressOf(this.profile, { ...this.start, ...this, place: this.place ?? this.flame.place(), span: this.timeline?.zoomedSpan }, this.start);
  }

  /** Shows another state, as its address names it. */
  goTo(address) {
    Object.assign(this, stateOf(this.profile, address, this.start));
    this.timeline?.zoomTo(this.span);
    this.toolbar.showSearch(this.search);
    this.choose(this.tab);
    this.update();
  }

  show() {
    const { profile } = this;
    byId("header").replaceChildren(...profileHeader(this).filter(Boolean));
    this.toolbar = new Toolbar(this);
    if (profile.span.end > profile.span.start) this.timelineCard = new TimelineCard(this);
    this.timeline = this.timelineCard?.view;
    this.addressBar = new AddressBar({ address: () => this.address(), show: (address) => this.goTo(address) });
    this.panels = Object.fromEntries(TABS.map(([id]) =>
      [id, element("div", { class: "panel", id: `panel-${id}`, role: "tabpanel", hidden: true, "aria-labelledby": `tab-${id}` })]));
    const views = element("section", { class: "card", id: "views" }, this.tabList(), Object.values(this.panels));
    byId("content").replaceChildren(...[this.timelineCard?.element, this.toolbar.element, views].filter(Boolean));
    this.buildFlame();
    installKeys(this);
    this.timeline?.zoomTo(this.span);
    this.toolbar.showSearch(this.search);
    this.choose(this.tab);
    this.update();
  }

  tabList() {
    this.tabs = Object.fromEntries(TABS.map(([id, title]) => [id, element("button", {
      type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`,
      onclick: () => this.chooseTab(id), hidden: TAB_NEEDS[id]?.(this.profile) === false,
    }, title)]));
    const list = element("div", { class: "tabs", role: "tablist", "aria-label": "Views" }, Object.values(this.tabs));
    list.addEventListener("keydown", (event) => this.moveTab(event));
    return list;
  }

  /** Arrows go to the tab beside the chosen one. */
  moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = Object.keys(this.tabs).filter((id) => !this.tabs[id].hidden);
    const next = shown[(shown.indexOf(this.tab) + step + shown.length) % shown.length];
    this.chooseTab(next);
    this.tabs[next].focus();
    event.preventDefault();
  }

  buildFlame() {
    const choice = (title, value, isOn, help) => element("button", {
      type: "button", "aria-pressed": String(isOn), "data-mode": value, title: help,
      onclick: () => this.setMode(value),
    }, title);
    this.modes = element("div", { class: "segments", role: "group", "aria-label": "Layout" },
      choice("Callers first", "down", true, "Icicle graph: outermost callers at the top, heaviest on the left"),
      choice("Inverted", "up", false, "Innermost functions at the top, their callers below"),
      choice("By time", "time", false, "Each thread in order of time"));
    this.threadSwitch = checkBox("by-thread", (isOn) => this.setLayout({ byThread: isOn }));
    this.lineSwitch = checkBox("by-line", (isOn) => this.setLayout({ byLine: isOn }));
    this.layoutHead = element("div", { class: "flame-head" }, this.modes,
      element("label", { class: "check" }, this.threadSwitch, " Split by thread"),
      element("label", { class: "check", title: "Frames of one function apart by the line that was seen" }, this.lineSwitch, " Split by line"),
      element("button", { type: "button", id: "zoom-out", onclick: () => this.flame.zoom(0) }, "Zoom out"),
      frameLegend(this.profile));
    this.flameBox = element("div", { class: "scroller flame" });
    this.details = element("aside", { class: "details", "aria-label": "Frame", hidden: true });
    this.panels.flame.replaceChildren(this.layoutHead, element("div", { class: "flame-body" }, this.flameBox, this.details));
    this.flame = new FlameView(this.flameBox, {
      label: "Flame graph. Arrows move between frames, Enter zooms, Escape zooms out.",
      onSelect: (node) => this.select(node),
      onZoom: () => this.addressBar.note(),
      describe: (node) => this.describe(node),
      describeSmall: (total) => `${amount(total, this.unit)} · ${percent(total, this.tree().total[0])}`,
    });
  }

  // MARK: - What is chosen

  /** The order of a table, which the address keeps. */
  order(table) {
    return {
      read: () => this.orders.get(table),
      write: (order) => {
        if (order) this.orders.set(table, order);
        else this.orders.delete(table);
        this.addressBar.note();
      },
    };
  }

  /** What was opened and closed of a tree's table, which the address keeps. */
  openRows(table) {
    return {
      read: () => this.opened[table],
      write: (path, state) => {
        this.opened[table].delete(path);
        if (state) this.opened[table].set(path, state);
        this.addressBar.note();
      },
    };
  }

  setTableUnit(tableUnit) {
    this.tableUnit = tableUnit;
    this.showTab();
    this.addressBar.note();
  }

  setFilter(change) {
    Object.assign(this.filter, change);
    this.update();
    this.addressBar.note();
  }

  /** Chooses threads by their indexes; these alone again, and all are chosen. */
  chooseThreads(threads, change = {}) {
    const isAgain = this.filter.only?.length === threads.length && threads.every((thread) => this.filter.only.includes(thread));
    this.setFilter({ thread: "", only: isAgain ? null : threads, ...change });
  }

  /** Chooses the time and the thread of a freeze. */
  chooseFreeze({ from, to, thread }) { this.setFilter({ from, to, thread: "", only: [thread] }); }

  setUnit(unit) {
    this.unit = unit;
    this.refresh();
    this.addressBar.note();
  }

  setMode(mode) { this.setLayout({ mode }); }

  /** Changes how stacks become a tree: `mode`, `byThread`, `byLine`. */
  setLayout(change) {
    Object.assign(this, change);
    this.refresh();
    this.addressBar.note();
  }

  setNative(isShown) {
    this.withNative = isShown;
    this.update();
    this.addressBar.note();
  }

  setSearch(text, isRegex) {
    this.search = { text, isRegex };
    this.toolbar.showSearch(this.search);
    this.applySearch();
    if (this.tab !== "flame") this.showTab();
    this.addressBar.note("search");
  }

  /** Filters anew; a filter that cannot be read leaves everything as it was, and says so. */
  update() {
    try {
      this.selection = new Selection(this.profile, this.filter, this.withNative);
      this.toolbar.complain("");
    } catch (error) {
      return this.toolbar.complain(error.message);
    }
    this.refresh();
  }

  refresh() {
    this.trees.clear();
    this.toolbar.show(this);
    for (const button of this.modes.children) button.setAttribute("aria-pressed", String(button.dataset.mode === this.mode));
    [this.threadSwitch.checked, this.lineSwitch.checked] = [this.byThread, this.byLine];
    this.threadSwitch.disabled = this.mode === "time";
    this.timelineCard?.show(this.shownThreads(), this.filter);
    this.showTab();
  }

  /** By thread, whether the time line has a row for it: not where it only rests, and that is hidden. */
  shownThreads() {
    const { selection, filter } = this;
    return filter.isIdleHidden ? selection.liveThreads() : selection.threads;
  }

  tree() {
    const { selection, unit, byThread, byLine, mode } = this;
    return this.known(`${mode} ${byThread} ${byLine}`, () => {
      if (mode === "up") return invertedTree(selection, unit, byThread, byLine);
      if (mode === "time") return timedTree(selection, unit, byLine);
      return callTree(selection, unit, byThread, byLine);
    });
  }

  /** Callers first, threads together: what the panel of a frame counts with. */
  plainTree() {
    return this.known("down false false", () => callTree(this.selection, this.unit, false));
  }

  known(key, make) {
    if (!this.trees.has(key)) this.trees.set(key, make());
    return this.trees.get(key);
  }

  // MARK: - Views

  chooseTab(tab) {
    this.choose(tab);
    this.showTab();
    this.addressBar.note();
  }

  /** Makes a tab the chosen one; what a profile has no view for is the flame graph. */
  choose(id) {
    const tab = this.tabs[id].hidden ? "flame" : id;
    this.tab = tab;
    for (const [id, button] of Object.entries(this.tabs)) {
      button.setAttribute("aria-selected", String(id === tab));
      button.tabIndex = id === tab ? 0 : -1;
      this.panels[id].hidden = id !== tab;
    }
  }

  showTab() {
    if (this.tab === "flame") this.showFlame();
    else VIEWS[this.tab](this, this.panels[this.tab]);
  }

  showFlame() {
    const tree = this.tree();
    // The call tree has the same controls.
    this.panels.flame.prepend(this.layoutHead);
    this.flameBox.classList.toggle("empty", tree.total[0] === 0);
    this.flame.show(tree, (node) => nodeLook(tree, node), this.searchResult(tree), this.place);
    this.place = undefined;
    this.showDetails(this.flame.selected);
  }

  searchResult(tree) {
    const { text, isRegex } = this.search;
    if (!text) {
      this.toolbar.showMatch(undefined);
      return undefined;
    }
    try {
      const result = tree.search(matchesOf(this.profile, text, !isRegex));
      this.toolbar.showMatch({ ...result, total: tree.total[0], unit: this.unit });
      return result;
    } catch (error) {
      this.toolbar.showMatch({ error: error.message });
      return undefined;
    }
  }

  applySearch() {
    this.flame.mark(this.searchResult(this.tree()));
  }

  select(node) {
    this.showDetails(node);
    const tree = this.tree();
    byId("live").textContent =
      `${shortened(nodeWords(tree, node), 200)}, ${amount(tree.total[node], this.unit)}, ${percent(tree.total[node], tree.total[0])}`;
  }

  showDetails(node) {
    if (fillDetails(this.details, node > 0, () => detailsPanel(this, this.tree(), node))) this.flame.draw();
  }

  describe(node) {
    const tree = this.tree();
    const item = tree.item[node];
    const own = this.mode === "up" ? "" : ` · self ${amount(tree.own[node], this.unit)}`;
    return [shortened(nodeWords(tree, node), 400),
      `${amount(tree.total[node], this.unit)} · ${percent(tree.total[node], tree.total[0])}${own}`,
      item >= 0 ? shortened(this.profile.place(item), 200) + (tree.line[node] > 0 ? `:${tree.line[node]}` : "") : undefined,
      tree.item[node] >= 0 && tree.isInlined[node] ? "inlined" : undefined];
  }

  redraw() {
    this.timeline?.draw();
    if (this.tab === "flame") this.flame.draw();
  }

  recolor() {
    this.timeline?.draw();
    if (this.tab === "flame") this.showFlame();
  }

  /** What scripts and tests may ask the page. */
  tools() {
    return {
      totals: () => this.selection.totals(), page: this,
      rows: (tableUnit) => flatRows(this.selection, tableUnit),
      shown: () => {
        const tree = this.tree();
        return { total: tree.total[0], zoomed: nodeWords(tree, this.flame.zoomed),
          zoomedTotal: tree.total[this.flame.zoomed], boxes: this.flame.boxes.length,
          small: this.flame.boxes.filter(({ small }) => small).map(({ small }) => small) };
      },
    };
  }
}
