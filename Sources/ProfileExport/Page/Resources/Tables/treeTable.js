// A tree as a table whose rows open: the call tree, and the tree of blame.

/** The most children of a node that are listed before `N more`, and the most rows of a table. */
const FIRST_CHILDREN = 40;
const MOST_ROWS = 3000;
/** How far a table is open at first: as long as one child has this part of its parent. */
const CLEAR_SHARE = 0.5;
const OPEN_DEPTH = 60;

/**
 * Draws a tree with `total`, `own`, `children(node)` and `key(node)` as rows.
 *
 * `nameOf(node)` gives the content of a row's last cell, `onOpen(node)` is called for the row at Enter. `rows` keeps
 * what was opened and closed: `read()` gives a map from paths to `open`, `closed` or `whole` (all children are
 * listed), `write(path, state)` is called at each change.
 */
class TreeTable {
  constructor({ label, title = "Function", nameOf, onOpen, rows }) {
    Object.assign(this, { nameOf, onOpen, kept: rows });
    this.body = element("tbody", {});
    const heads = ["Total", "%", "Self", "%", title];
    this.table = element("table", { role: "treegrid", "aria-label": label },
      element("thead", {}, element("tr", {}, heads.map((head, at) =>
        element("th", { scope: "col", class: at < 4 ? "number" : undefined }, head)))), this.body);
    this.element = element("div", { class: "table tree-table" }, this.table);
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("keydown", (event) => this.key(event));
  }

  /** Shows another tree, open where rows of the same paths were opened; `marks` are the nodes that a search found. */
  show(tree, unit, marks) {
    Object.assign(this, { tree, unit, marks });
    this.clear = this.clearPaths();
    this.fill();
  }

  /** The paths of what has most of the weight, down to where it divides: these are open at first. */
  clearPaths() {
    const { tree } = this;
    const paths = new Set();
    let [node, path] = [0, ""];
    for (let depth = 0; depth < OPEN_DEPTH; depth++) {
      paths.add(path);
      const [heaviest] = this.shownChildren(node);
      if (heaviest === undefined || tree.total[heaviest] < tree.total[node] * CLEAR_SHARE) break;
      path = this.pathOf(path, heaviest);
      node = heaviest;
    }
    return paths;
  }

  /** The keys from the root to a child of the row with a path. */
  pathOf(path, child) { return path === "" ? `${this.tree.key(child)}` : `${path}.${this.tree.key(child)}`; }

  isOpen(path) {
    const state = this.kept.read().get(path);
    return state === undefined ? this.clear.has(path) : state !== "closed";
  }

  isWhole(path) { return this.kept.read().get(path) === "whole"; }

  shownChildren(node) { return this.tree.children(node).filter((child) => this.tree.total[child] > 0); }

  /** The rows in sight: nodes below open ones, in the order of the tree. */
  visibleRows() {
    const rows = [];
    const stack = [{ node: 0, level: 1, path: "" }];
    while (stack.length > 0 && rows.length < MOST_ROWS) {
      const row = stack.pop();
      rows.push(row);
      if (row.more) continue;
      const children = this.shownChildren(row.node);
      row.hasChildren = children.length > 0;
      row.isOpen = row.hasChildren && this.isOpen(row.path);
      if (!row.isOpen) continue;
      const limit = this.isWhole(row.path) ? children.length : FIRST_CHILDREN;
      const level = row.level + 1;
      if (children.length > limit) stack.push({ node: row.node, level, path: row.path, more: children.length - limit });
      for (const child of children.slice(0, limit).reverse()) {
        stack.push({ node: child, level, path: this.pathOf(row.path, child) });
      }
    }
    return rows;
  }

  fill() {
    this.rows = this.visibleRows();
    if (this.focused === undefined || this.focused >= this.rows.length) this.focused = 0;
    this.body.replaceChildren(...this.rows.map((row, index) => this.rowElement(row, index)));
  }

  rowElement(row, index) {
    const { tree, unit } = this;
    const level = { "--level": String(Math.min(row.level, 200) - 1) };
    const attributes = { role: "row", "aria-level": row.level, "data-row": index, tabindex: index === this.focused ? 0 : -1 };
    if (row.more) {
      return element("tr", { ...attributes, class: "link faint" }, element("td", { colspan: 4 }),
        element("td", { class: "name", style: level }, `… ${grouped(row.more)} more`));
    }
    const [total, own, whole] = [tree.total[row.node], tree.own[row.node], tree.total[0]];
    const number = (content) => element("td", { class: "number" }, content);
    const sign = element("span", { class: "twist", "aria-hidden": "true" }, row.hasChildren ? (row.isOpen ? "▾" : "▸") : "");
    return element("tr", {
      ...attributes, class: this.marks?.[row.node] ? "link found" : "link",
      "aria-expanded": row.hasChildren ? String(row.isOpen) : undefined,
    }, number(bar(cell(total, unit), total, whole)), number(percent(total, whole).replace(" %", "")),
    number(own > 0 ? cell(own, unit) : ""), number(own > 0 ? percent(own, whole).replace(" %", "") : ""),
    element("td", { class: "name", style: level }, sign, this.nameOf(row.node)));
  }

  // MARK: - Pointer and keys

  rowOf(event) {
    const item = event.target.closest?.("tr[data-row]");
    return item ? Number(item.dataset.row) : undefined;
  }

  click(event) {
    const index = this.rowOf(event);
    if (index !== undefined) this.toggle(index);
  }

  /** Opens or closes a row; the row of what is not listed yet lists it. */
  toggle(index, isOpen = !this.rows[index].isOpen) {
    const row = this.rows[index];
    if (row.more) this.kept.write(row.path, "whole");
    else this.kept.write(row.path, isOpen === this.clear.has(row.path) ? undefined : isOpen ? "open" : "closed");
    this.focused = index;
    this.fill();
    this.focus(index);
  }

  focus(index) {
    const place = Math.max(0, Math.min(this.rows.length - 1, index));
    this.body.children[this.focused]?.setAttribute("tabindex", "-1");
    this.focused = place;
    this.body.children[place]?.setAttribute("tabindex", "0");
    this.body.children[place]?.focus();
  }

  key(event) {
    const index = this.rowOf(event);
    if (index === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.rows[index];
    const parent = () => this.rows.findLastIndex((other, at) => at < index && other.level < row.level);
    if (event.key === "ArrowDown") this.focus(index + 1);
    else if (event.key === "ArrowUp") this.focus(index - 1);
    else if (event.key === "Home") this.focus(0);
    else if (event.key === "End") this.focus(this.rows.length - 1);
    else if (event.key === "ArrowRight" && (row.more || row.hasChildren && !row.isOpen)) this.toggle(index, true);
    else if (event.key === "ArrowRight" && row.isOpen) this.focus(index + 1);
    else if (event.key === "ArrowLeft" && row.isOpen) this.toggle(index, false);
    else if (event.key === "ArrowLeft") this.focus(Math.max(0, parent()));
    else if (event.key === " ") this.toggle(index);
    else if (event.key === "Enter" && row.more) this.toggle(index);
    else if (event.key === "Enter") this.onOpen?.(row.node);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Shows the tree of the flame graph as a table. */
function showCallTree(page, panel) {
  page.callTable ??= new TreeTable({
    label: "Call tree. Arrows move and open rows, Enter shows the frame in the flame graph.",
    nameOf: (node) => treeTableName(page.tree(), node),
    onOpen: (node) => {
      page.place = page.tree().pathTo(node).slice(1).map((at) => page.tree().key(at));
      page.chooseTab("flame");
    },
    rows: page.openRows("tree"),
  });
  const tree = page.tree();
  panel.replaceChildren(page.layoutHead, page.callTable.element);
  page.callTable.show(tree, page.unit, page.searchResult(tree)?.isMatch);
}

/** A node's chip, name and place. */
function treeTableName(tree, node) {
  const item = tree.item[node];
  const where = item >= 0 ? tree.profile.place(item) : "";
  const line = tree.line[node];
  return element("span", {}, element("i", { class: `chip ${nodeFamily(tree, node)}` }), " ", name(nodeWords(tree, node), 160),
    where ? element("span", { class: "faint" }, " ", place(where + (line > 0 ? `:${line}` : ""), 48)) : null);
}
