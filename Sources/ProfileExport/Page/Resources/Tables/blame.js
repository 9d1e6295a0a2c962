// Where threads' time went, with waits charged to what those did who held them up.

/** The tree of blame as the flame graph draws one: a root for all threads, and below it each thread. */
class BlameGraph {
  constructor({ parents, words, own, kinds, texts }) {
    this.count = parents.length + 1;
    this.parent = Int32Array.from([-1, ...parents.map((parent) => parent + 1)]);
    this.texts = ["All threads", ...Array.from(words, (word) => texts[word])];
    this.kinds = ["all", ...kinds];
    this.own = Float64Array.from([0, ...own]);
    this.total = this.own.slice();
    for (let node = this.count - 1; node > 0; node--) this.total[this.parent[node]] += this.total[node];
    this.lists = Array.from({ length: this.count }, () => []);
    for (let node = 1; node < this.count; node++) this.lists[this.parent[node]].push(node);
    for (const list of this.lists) list.sort((left, right) => this.total[right] - this.total[left] || left - right);
  }

  children(node) { return this.lists[node]; }
  /** The tree is the same whatever is chosen, and so are its numbers. */
  key(node) { return String(node); }
  pathTo(node) { return pathInTree(this.parent, node); }

  /** Which nodes match a text, and how much is in or below them. */
  search(text) {
    const isMatch = new Uint8Array(this.count);
    const inside = new Uint8Array(this.count);
    const lower = text.toLowerCase();
    let matched = 0;
    for (let node = 1; node < this.count; node++) {
      isMatch[node] = this.texts[node].toLowerCase().includes(lower) ? 1 : 0;
      inside[node] = inside[this.parent[node]] | isMatch[node];
      if (inside[node]) matched += this.own[node];
    }
    return { matched, isMatch };
  }
}

/** The shades of what threads did, as the time line has them. */
const BLAME_SHADES = {
  computed: "running", runnable: "waiting", lock: "lock", io: "io", sleep: "sleep", event: "event", other: "blocked", stopped: "stopped",
};

/** The colour and shape of a node: who, what ran, what waited, and what is not known. */
function blameLook(tree, node) {
  const kind = tree.kinds[node];
  const text = shortened(tree.texts[node], 240);
  const shade = BLAME_SHADES[kind];
  if (shade) return { family: "native", text, fill: palette().states[shade], ink: palette().onState[shade] };
  const family = ["all", "thread", "process"].includes(kind) ? "thread" : "standIn";
  return { family, text, fill: familyColor(family, ""), isDashed: family === "standIn", ink: palette().text };
}

/** Shows the flame graph by blame, and the table of blockers. */
function showBlame(page, panel) {
  const { blame } = page.profile;
  if (!page.blame) {
    const texts = new BlameGraph(blame);
    page.blame = {
      tree: texts,
      table: new TreeTable({
        label: "Time by blame. Arrows move and open rows.", title: "What", nameOf: (node) => name(texts.texts[node], 400),
        rows: page.openRows("blame"),
      }),
      blockers: element("div"),
    };
    const box = element("div", { class: "scroller flame" });
    const details = element("aside", { class: "details", "aria-label": "Time", hidden: true });
    panel.replaceChildren(
      element("div", { class: "flame-head" },
        element("span", { class: "faint" }, "Below a wait: who held it up, and what that one did meanwhile"),
        element("button", { type: "button", onclick: () => page.blame.flame.zoom(0) }, "Zoom out")),
      element("div", { class: "flame-body" }, box, details),
      element("h3", { class: "table-title" }, "Who held up others"), page.blame.blockers,
      element("h3", { class: "table-title" }, "Where the time went"), page.blame.table.element);
    const { tree } = page.blame;
    const share = (node) => `${duration(tree.total[node])}, ${percent(tree.total[node], tree.total[0])}`;
    page.blame.flame = new FlameView(box, {
      label: "Flame graph by blame. Arrows move between boxes, Enter zooms, Escape zooms out.",
      onSelect: (node) => fillDetails(details, node > 0, () => [
        element("h3", {}, name(tree.texts[node], 600), closeButton(page.blame.flame)),
        facts([["Total", share(node)], ["Self", duration(tree.own[node])]])]),
      describe: (node) => [shortened(tree.texts[node], 400), share(node)],
    });
  }
  const { tree, flame, table } = page.blame;
  const found = page.search.text ? tree.search(page.search.text) : undefined;
  flame.select(0);
  flame.show(tree, (node) => blameLook(tree, node), found);
  table.show(tree, "wall", found?.isMatch);
  page.blame.blockers.replaceChildren(blockersTable(page, blame));
}

/** Who held up others, most time first. */
function blockersTable(page, { blockers }) {
  if (blockers.length === 0) return element("p", { class: "hint faint" }, "No thread was seen to wait for a lock whose owner is known, another thread or another process.");
  const text = (title, at) => ({ title, value: ({ words }) => words[at], node: ({ words }) => name(words[at], 400) });
  const table = sortableTable({
    label: "Who held up others", rows: blockers, sort: 0, order: page.order("blockers"),
    columns: [
      { title: "Seconds lost", isNumber: true, value: ({ lost }) => lost, text: ({ lost }) => (lost / 1e9).toFixed(3) },
      { title: "Threads", isNumber: true, value: ({ waiters }) => waiters, text: ({ waiters }) => String(waiters) },
      text("Waiting", 0), text("Held up by", 1), text("Who meanwhile was", 2),
    ],
  });
  table.id = "blockers";
  return table;
}
