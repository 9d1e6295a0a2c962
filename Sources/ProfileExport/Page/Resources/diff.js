// The page of what changed between two captures.

class ComparePage {
  constructor(data) {
    this.data = data;
    this.comparison = data.comparison;
    this.unit = "time";
    this.side = "after";
    this.showsAll = false;
    this.search = { text: "", isRegex: false };
    this.tabs = {};
  }

  show() {
    byId("header").replaceChildren(...this.header().filter(Boolean));
    this.timelines = [];
    byId("content").replaceChildren(this.flameCard(), this.tableCard(), this.timelineCard());
    for (const timeline of this.timelines) timeline.show(new Uint8Array(timeline.rows.length).fill(1), { from: null, to: null });
    installKeys(this);
    this.refresh();
  }

  header() {
    const { words, warnings, verdicts, before, after, needWords } = this.comparison;
    const tone = this.comparison.changed ? "warm" : "calm";
    const side = (title, { name: text, seconds }) =>
      element("span", {}, `${title}: `, name(text, 200), ` (${seconds.toFixed(2)} s)`);
    return [
      element("p", { class: "over" }, "sprof ", this.data.version, " · ", side("before", before), " · ", side("after", after)),
      element("h1", { id: "verdict", class: `verdict ${tone}` }, name(words[0] ?? "", 2000)),
      words.length > 1 ? element("ul", { class: "words" }, words.slice(1).map((line) => element("li", {}, name(line, 2000)))) : null,
      ...verdicts.map((verdict) => element("p", { class: verdict.exceeded ? "note" : "faint" }, name(verdict.words, 600))),
      ...warnings.map((warning) => element("p", { class: "note" }, "note: ", name(warning, 2000))),
      needWords ? element("p", { class: "about" }, name(needWords, 1000)) : null,
    ];
  }

  // MARK: - Flame graph

  flameCard() {
    const group = (label, entries, isOn, choose) => element("div", { class: "segments", role: "group", "aria-label": label },
      entries.map(([value, title, help]) => element("button", {
        type: "button", "aria-pressed": String(isOn(value)), "data-value": value, title: help, onclick: () => choose(value),
      }, title)));
    this.units = group("Weight", Object.entries(DIFF_UNITS).map(([id, unit]) => [id, unit.title, unit.help]),
      (id) => id === this.unit, (id) => { this.unit = id; this.refresh(); });
    this.sides = group("Width", [["after", "Width: after"], ["before", "before"]], (id) => id === this.side,
      (id) => { this.side = id; this.refresh(); });
    this.searchInput = element("input", { type: "search", id: "search", placeholder: "Find functions …", "aria-label": "Find functions", spellcheck: "false" });
    this.regex = element("button", { type: "button", class: "toggle", id: "regex", "aria-pressed": "false", title: "Regular expression" }, ".*");
    this.match = element("output", { class: "match", id: "match" });
    const search = () => this.setSearch(this.searchInput.value, this.regex.getAttribute("aria-pressed") === "true");
    this.searchInput.addEventListener("input", search);
    this.regex.addEventListener("click", () => {
      this.regex.setAttribute("aria-pressed", String(this.regex.getAttribute("aria-pressed") !== "true"));
      search();
    });
    this.toolbar = { searchInput: this.searchInput };
    this.flameBox = element("div", { class: "scroller flame" });
    this.details = element("aside", { class: "details", "aria-label": "Frame", hidden: true });
    this.flame = new FlameView(this.flameBox, {
      label: "Differential flame graph. Arrows move between frames, Enter zooms, Escape zooms out.",
      onSelect: (node) => this.showDetails(node), describe: (node) => this.describe(node),
    });
    const legend = element("ul", { class: "legend" },
      [["shrank", "Less time"], ["same", "Within noise"], ["grew", "More time"], ["gone", "Gone"], ["new", "New"]]
        .map(([kind, words]) => element("li", {}, element("i", { class: `chip ${kind}` }), words)));
    return element("section", { class: "card", id: "views" },
      element("div", { class: "flame-head" }, this.units, this.sides,
        element("div", { class: "search" }, this.searchInput, this.regex, this.match),
        element("button", { type: "button", id: "zoom-out", onclick: () => this.flame.zoom(0) }, "Zoom out"),
        element("button", { type: "button", class: "help-button", onclick: () => toggleHelp(), "aria-label": "Keyboard shortcuts" }, "?"), legend),
      element("div", { class: "flame-body" }, this.flameBox, this.details));
  }

  refresh() {
    for (const [box, value] of [[this.units, this.unit], [this.sides, this.side]]) {
      for (const button of box.children) button.setAttribute("aria-pressed", String(button.dataset.value === value));
    }
    this.tree = new DiffTree(this.comparison, this.unit, this.side);
    this.flame.show(this.tree, (node) => diffLook(this.tree, node), this.searchResult());
    this.showDetails(this.flame.selected);
  }

  setSearch(text, isRegex) {
    this.search = { text, isRegex };
    if (this.searchInput.value !== text) this.searchInput.value = text;
    this.flame.mark(this.searchResult());
  }

  searchResult() {
    const { text, isRegex } = this.search;
    this.match.textContent = "";
    if (!text) return undefined;
    try {
      const pattern = isRegex ? new RegExp(text, "u") : undefined;
      const lower = text.toLowerCase();
      const matches = this.comparison.functions.map(({ name: each }) =>
        (pattern ? pattern.test(each) : each.toLowerCase().includes(lower)) ? 1 : 0);
      const result = this.tree.search(matches);
      const whole = this.side === "after" ? this.tree.after[0] : this.tree.before[0];
      this.match.textContent = `${percent(result.matched, whole)} · ${result.matched.toFixed(3)} s/s`;
      return result;
    } catch {
      this.match.textContent = "not a regular expression";
      return undefined;
    }
  }

  describe(node) {
    const { tree } = this;
    const change = tree.change(node);
    return [shortened(tree.words(node), 300),
      `${tree.before[node].toFixed(3)} → ${tree.after[node].toFixed(3)} s/s`,
      change ? `time ${changeWords(change)}` : undefined,
      node > 0 && tree.item[node] >= 0 && !tree.isSignificant(node) ? "within noise, or not tested" : undefined];
  }

  showDetails(node) {
    const { tree, comparison } = this;
    const item = tree.item[node];
    const source = comparison.functions[item];
    const rows = [
      [DIFF_UNITS[this.unit].title, `${tree.before[node].toFixed(3)} → ${tree.after[node].toFixed(3)} s/s`],
      ["Self", `${tree.ownBefore[node].toFixed(3)} → ${tree.ownAfter[node].toFixed(3)} s/s`],
    ];
    const change = tree.change(node);
    if (change) rows.push(["Time here", changeWords(change)]);
    if (source) {
      rows.push(["Total, all places", changeWords(source.inclusive.time)], ["Self, all places", changeWords(source.self.time)]);
      if (source.file) rows.push(["File", name(source.file, 400)]);
      if (source.module) rows.push(["Module", name(source.module, 400)]);
      if (comparison.notes[item]) rows.push(["Match", name(comparison.notes[item], 400)]);
    }
    const isOther = fillDetails(this.details, node > 0, () => [
      element("h3", {}, name(tree.words(node), 600), closeButton(this.flame)),
      source ? element("p", { class: "faint" }, tree.isSignificant(node)
        ? "changed beyond noise" : "within noise here") : "",
      facts(rows)]);
    if (isOther) this.flame.draw();
  }

  // MARK: - Tables

  tableCard() {
    this.tables = element("div", {});
    const all = element("input", { type: "checkbox", id: "show-all" });
    all.addEventListener("change", () => { this.showsAll = all.checked; this.showTables(); });
    this.showTables();
    return element("section", { class: "card", "aria-label": "Tables" },
      element("div", { class: "card-head" }, element("h2", {}, "What changed, in seconds per second"),
        element("label", { class: "check" }, all, " Include changes within noise")), this.tables);
  }

  showTables() {
    const { functions, threads, total } = this.comparison;
    const totals = [["All threads, on a CPU", total.cpu], ["All threads, waiting for a CPU", total.delay], ["All threads, blocked", total.blocked]]
      .map(([text, change]) => ({ text, change, note: "" }));
    const ofFunctions = (key) => functions.map((source, index) => ({
      text: source.name, change: source[key].time, note: this.comparison.notes[index] ?? source.file ?? source.module ?? "",
    })).filter(({ change }) => this.showsAll || change.significant);
    const ofThreads = threads.flatMap((group) => [["on a CPU", group.times.cpu], ["waiting for a CPU", group.times.delay], ["blocked", group.times.blocked]]
      .filter(([, change]) => this.showsAll || change.significant)
      .map(([kind, change]) => ({ text: `${group.name} ${kind}`, change, note: group.root_function ?? "" })));
    this.tables.replaceChildren(
      this.table("All threads", totals), this.table("Functions by total time", ofFunctions("inclusive")),
      this.table("Functions by self time", ofFunctions("self")), this.table("Threads", ofThreads));
  }

  table(title, rows) {
    const number = (head, value, text) => ({ title: head, isNumber: true, value: (row) => value(row) ?? 0, text });
    const columns = [
      number("before", (row) => row.change.before, (row) => row.change.before.toFixed(3)),
      number("after", (row) => row.change.after, (row) => row.change.after.toFixed(3)),
      { ...number("change", (row) => Math.abs(row.change.change), undefined), node: (row) => element("span", {
        class: !row.change.significant ? undefined : row.change.change > 0 ? "change more-time" : "change less-time",
      }, signed(row.change.change)) },
      number("%", (row) => (row.change.before > 0 ? row.change.change / row.change.before : Infinity),
        (row) => (row.change.before > 0 ? ratioWords(row.change) : "")),
      number("95 % interval", (row) => row.change.low, (row) => (row.change.low === null ? "not tested"
        : `${signed(row.change.low)} … ${signed(row.change.high)}`)),
      { title: "beyond noise", value: (row) => Number(row.change.significant), text: (row) => (row.change.significant ? "★ changed" : "") },
      { title: "what", value: (row) => row.text, class: "name", node: (row) => [name(row.text, 140),
        row.note ? element("span", { class: "faint" }, " ", name(row.note, 120)) : null] },
    ];
    return element("div", { class: "table-group" }, element("h3", {}, `${title}: ${rows.length}`),
      rows.length > 0 ? sortableTable({ columns, rows, sort: 2, label: title })
        : element("p", { class: "faint" }, "nothing changed beyond noise"));
  }

  // MARK: - Timelines

  timelineCard() {
    const side = (number, title) => {
      const profiles = this.data.profiles.filter((profile) => profile.side === number);
      return element("div", {}, element("div", { class: "card-head" }, element("h2", {}, title), profiles[0] ? stateLegend(profiles[0]) : null),
        profiles.map((profile) => {
          const box = element("div", { class: "scroller timeline" });
          this.timelines.push(new TimelineView(box, profile, { label: `Threads over time, ${title}` }));
          return box;
        }));
    };
    return element("section", { class: "card sides", "aria-label": "Timelines" }, side(0, "Threads before"), side(1, "Threads after"));
  }

  redraw() {
    this.flame.draw();
    for (const timeline of this.timelines) timeline.draw();
  }

  recolor() {
    this.refresh();
    for (const timeline of this.timelines) timeline.draw();
  }

  // Keys of the page of one capture that do nothing here.
  setUnit() {}
  setMode() {}
  setFilter() {}

  tools() {
    return { page: this, shown: () => ({ total: this.tree.total[0], before: this.tree.before[0], after: this.tree.after[0], boxes: this.flame.boxes.length }) };
  }
}
