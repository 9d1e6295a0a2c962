// Call trees from the innermost functions to the outermost.

/** Innermost functions first, and below each those that called it. */
function invertedTree(selection, unit, byThread, byLine = false) {
  const plain = callTree(selection, unit, byThread, byLine);
  const tree = new CallTree(selection.profile, plain.count, byLine);
  const table = new NodeTable(tree, plain.count);
  for (let node = 1; node < plain.count; node++) {
    if (plain.own[node] === 0 && plain.guessed[node] === 0) continue;
    let at = byThread ? table.below(0, plain, plain.threadOf(node)) : 0;
    for (let from = node; from > 0 && plain.item[from] !== THREAD; from = plain.parent[from]) {
      at = table.below(at, plain, from);
    }
    tree.own[at] += plain.own[node];
    tree.guessed[at] += plain.guessed[node];
  }
  return tree.finish();
}

/** The nodes of a tree by parent and name: a Map takes ten times as long for very many. */
class NodeTable {
  constructor(tree, capacity) {
    this.tree = tree;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2 + 64)));
  }

  /** The child of `parent` that is like a node of another tree; made where there is none yet. */
  below(parent, other, from) {
    const { tree } = this;
    const slot = this.find(parent, other.item[from], this.detail(other, from), this.lineOf(other, from));
    const node = this.slots[slot];
    if (node === 0) {
      this.slots[slot] = tree.add(parent, other.item[from], other.detail[from], other.isInlined[from], other.line[from]);
      if (tree.count * 2 > this.slots.length) this.grow();
      return tree.count - 1;
    }
    tree.isInlined[node] &= other.isInlined[from];
    if (tree.line[node] !== other.line[from]) tree.line[node] = 0;
    return node;
  }

  /** What tells nodes without a function apart: the thread, or why callers are missing. */
  detail(tree, node) {
    const item = tree.item[node];
    if (item === THREAD) return tree.detail[node];
    return item === MISSING ? tree.profile.kinds[tree.detail[node]].sameEnd : 0;
  }

  lineOf(tree, node) { return tree.isByLine ? tree.line[node] : 0; }

  /** The slot of a node; an empty one where there is none. */
  find(parent, item, detail, line) {
    const { tree, slots } = this;
    const mask = slots.length - 1;
    let slot = slotOf(parent, item ^ Math.imul(detail + 1, 0xc2b2ae35) ^ Math.imul(line, 0x27d4eb2f)) & mask;
    for (;;) {
      const node = slots[slot];
      const isSame = node === 0 || (tree.parent[node] === parent && tree.item[node] === item
        && this.detail(tree, node) === detail && this.lineOf(tree, node) === line);
      if (isSame) return slot;
      slot = (slot + 1) & mask;
    }
  }

  grow() {
    const { tree } = this;
    this.slots = new Int32Array(this.slots.length * 2);
    for (let node = 1; node < tree.count; node++) {
      this.slots[this.find(tree.parent[node], tree.item[node], this.detail(tree, node), this.lineOf(tree, node))] = node;
    }
  }
}
