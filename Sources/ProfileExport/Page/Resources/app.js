// The page of one capture: what is selected, and the views of it.

const TABS = [
  ["flame", "Flame graph"], ["functions", "Tables"], ["lines", "Lines by thread"],
  ["waits", "Waits"], ["blame", "Blame"], ["source", "Source"],
];

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
  const print = (isOn) => () => {
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
    this.filter = noFilter();
    this.unit = this.profile.wall.some((wall) => wall > 0) ? "wall" : "samples";
    this.mode = "down";
    this.byThread = this.profile.threads.length > 1 && this.profile.threads.length <= 16;
    this.search = { text: "", isRegex: false };
    this.tab = "flame";
    this.tableUnit = "function";
    this.trees = new Map();
  }

  show() {
    const { profile } = this;
    byId("header").replaceChildren(...profileHeader(profile, this.data).filter(Boolean));
    this.toolbar = new Toolbar(this);
    const hasTime = profile.span.end > profile.span.start;
    this.timelineBox = element("div", { class: "scroller timeline" });
    const timelineCard = element("section", { class: "card", "aria-label": "Timeline" },
      element("div", { class: "card-head" }, element("h2", {}, "Threads over time"), stateLegend(profile)),
      this.timelineBox);
    this.panels = Object.fromEntries(TABS.map(([id]) =>
      [id, element("div", { class: "panel", id: `panel-${id}`, role: "tabpanel", hidden: true, "aria-labelledby": `tab-${id}` })]));
    const views = element("section", { class: "card", id: "views" }, this.tabList(), Object.values(this.panels));
    byId("content").replaceChildren(...[hasTime ? freezeList(this) : null, hasTime ? timelineCard : null, this.toolbar.element, views].filter(Boolean));
    this.buildFlame();
    if (hasTime) {
      this.timeline = new TimelineView(this.timelineBox, profile, {
        label: "Threads over time. Drag to select a span; arrows move it, + and - resize it, Escape clears it.",
        onRange: (from, to) => this.setFilter({ from, to }),
        onThread: (thread) => this.chooseThread(thread),
      });
    }
    installKeys(this);
    this.update();
    this.chooseTab(this.tab);
  }

  tabList() {
    this.tabs = Object.fromEntries(TABS.map(([id, title]) => [id, element("button", {
      type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`,
      onclick: () => this.chooseTab(id), hidden: id === "source" && !this.profile.sources?.length || id === "blame" && !this.profile.blame?.parents.length,
    }, title)]));
    return element("div", { class: "tabs", role: "tablist" }, Object.values(this.tabs));
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
    this.threadSwitch = element("input", { type: "checkbox", id: "by-thread" });
    this.threadSwitch.checked = this.byThread;
    this.threadSwitch.addEventListener("change", () => {
      this.byThread = this.threadSwitch.checked;
      this.refresh();
    });
    const head = element("div", { class: "flame-head" }, this.modes,
      element("label", { class: "check" }, this.threadSwitch, " Split by thread"),
      element("button", { type: "button", id: "zoom-out", onclick: () => this.flame.zoom(0) }, "Zoom out"),
      frameLegend(this.profile));
    this.flameBox = element("div", { class: "scroller flame" });
    this.details = element("aside", { class: "details", "aria-label": "Frame" });
    this.panels.flame.replaceChildren(head, element("div", { class: "flame-body" }, this.flameBox, this.details));
    this.flame = new FlameView(this.flameBox, {
      label: "Flame graph. Arrows move between frames, Enter zooms, Escape zooms out.",
      onSelect: (node) => this.select(node),
      describe: (node) => this.describe(node),
    });
  }

  // MARK: - What is chosen

  setFilter(change) {
    Object.assign(this.filter, change);
    this.update();
  }

  chooseThread(thread) {
    const tid = String(this.profile.threads[thread].tid);
    this.setFilter({ thread: this.filter.thread === tid ? "" : tid });
  }

  setUnit(unit) {
    this.unit = unit;
    this.refresh();
  }

  setMode(mode) {
    this.mode = mode;
    for (const button of this.modes.children) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
    this.threadSwitch.disabled = mode === "time";
    this.refresh();
  }

  setSearch(text, isRegex) {
    this.search = { text, isRegex };
    this.toolbar.showSearch(this.search);
    this.applySearch();
    if (this.tab !== "flame") this.showTab();
  }

  /** Filters anew; a filter that cannot be read leaves everything as it was, and says so. */
  update() {
    try {
      this.selection = new Selection(this.profile, this.filter);
      this.toolbar.complain("");
    } catch (error) {
      return this.toolbar.complain(error.message);
    }
    this.refresh();
  }

  refresh() {
    this.trees.clear();
    this.toolbar.show(this);
    this.timeline?.show(this.selection.threads, this.filter);
    this.showTab();
  }

  tree() {
    return this.known(`${this.mode} ${this.byThread}`, () => {
      if (this.mode === "up") return invertedTree(this.selection, this.unit, this.byThread);
      if (this.mode === "time") return timedTree(this.selection, this.unit);
      return callTree(this.selection, this.unit, this.byThread);
    });
  }

  /** Callers first, threads together: what the panel of a frame counts with. */
  plainTree() {
    return this.known("down false", () => callTree(this.selection, this.unit, false));
  }

  known(key, make) {
    if (!this.trees.has(key)) this.trees.set(key, make());
    return this.trees.get(key);
  }

  // MARK: - Views

  chooseTab(tab) {
    this.tab = tab;
    for (const [id, button] of Object.entries(this.tabs)) {
      button.setAttribute("aria-selected", String(id === tab));
      button.tabIndex = id === tab ? 0 : -1;
      this.panels[id].hidden = id !== tab;
    }
    this.showTab();
  }

  showTab() {
    if (this.tab === "flame") this.showFlame();
    else if (this.tab === "functions") showTables(this, this.panels.functions);
    else if (this.tab === "lines") showLines(this, this.panels.lines);
    else if (this.tab === "waits") showWaits(this, this.panels.waits);
    else if (this.tab === "blame") showBlame(this, this.panels.blame);
    else showSource(this, this.panels.source);
  }

  showFlame() {
    const tree = this.tree();
    this.flameBox.classList.toggle("empty", tree.total[0] === 0);
    this.flame.show(tree, (node) => nodeLook(tree, node), this.searchResult(tree));
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
    this.details.replaceChildren(...detailsPanel(this, this.tree(), node).filter(Boolean));
  }

  describe(node) {
    const tree = this.tree();
    const item = tree.item[node];
    const own = this.mode === "up" ? "" : ` · self ${amount(tree.own[node], this.unit)}`;
    return [shortened(nodeWords(tree, node), 400),
      `${amount(tree.total[node], this.unit)} · ${percent(tree.total[node], tree.total[0])}${own}`,
      item >= 0 ? shortened(this.profile.place(item), 200) : undefined,
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
          zoomedTotal: tree.total[this.flame.zoomed], boxes: this.flame.boxes.length };
      },
    };
  }
}
