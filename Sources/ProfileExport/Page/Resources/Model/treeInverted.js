// Call trees from the innermost functions to the outermost.

/** Innermost functions first, and below each those that called it. */
function invertedTree(selection, unit, byThread, byLine = false) {
  return new InvertedTree(callTree(selection, unit, byThread, byLine), byThread);
}

/**
 * A call tree upside down, made as far as it is looked at: as a whole it has as many nodes as all stacks
 * have frames.
 */
class InvertedTree extends CallTree {
  constructor(plain, byThread) {
    super(plain.profile, 1024, plain.isByLine);
    Object.assign(this, { plain, byThread, total: [], totalGuessed: [], isMatch: [], matches: undefined });
    this.orders = new Map();
    /** By node: the nodes of the plain tree whose weight it has, and for each the one that comes next. */
    this.origins = [];
    this.next = [];
    const origins = [];
    for (let node = 1; node < plain.count; node++) {
      if (plain.own[node] !== 0 || plain.guessed[node] !== 0) origins.push(node);
    }
    this.fill(0, origins, origins);
  }

  /** Gives a node its weights and members. */
  fill(node, origins, next) {
    const { plain } = this;
    let [total, guessed, own, ownGuessed] = [0, 0, 0, 0];
    origins.forEach((origin, place) => {
      total += plain.own[origin];
      guessed += plain.guessed[origin];
      if (!this.isEnd(next[place])) return;
      own += plain.own[origin];
      ownGuessed += plain.guessed[origin];
    });
    [this.total[node], this.totalGuessed[node]] = [total, guessed];
    [this.own[node], this.guessed[node]] = [own, ownGuessed];
    [this.origins[node], this.next[node]] = [origins, next];
    this.isMatch[node] = this.matchOf(node);
  }

  /** Whether a stack has no caller further out than the one before this node of the plain tree. */
  isEnd(node) { return node <= 0 || this.plain.item[node] === THREAD; }

  /** What nodes of the plain tree must have in common to be one here. */
  kindOf(node) {
    const { item, detail, line, profile } = this.plain;
    if (item[node] >= 0) return item[node] + (this.isByLine ? line[node] * profile.functions.length : 0);
    return item[node] === MISSING ? -2 - profile.kinds[detail[node]].sameEnd : -1;
  }

  children(node) {
    if (!this.orders.has(node)) {
      const made = node === 0 && this.byThread ? this.makeThreads() : this.makeCallers(node);
      this.orders.set(node, this.sorted(made));
    }
    return this.orders.get(node);
  }

  /** The children of the root: threads, each with the innermost functions of its stacks. */
  makeThreads() {
    const groups = new Map();
    for (const origin of this.origins[0]) {
      const thread = this.plain.threadOf(origin);
      if (!groups.has(thread)) groups.set(thread, []);
      groups.get(thread).push(origin);
    }
    return [...groups].map(([thread, origins]) => {
      const child = this.add(0, THREAD, this.plain.detail[thread], 0);
      this.fill(child, origins, origins);
      return child;
    });
  }

  makeCallers(node) {
    const { plain } = this;
    const groups = new Map();
    const [origins, next] = [this.origins[node], this.next[node]];
    for (let place = 0; place < origins.length; place++) {
      const at = next[place];
      if (this.isEnd(at)) continue;
      const kind = this.kindOf(at);
      let group = groups.get(kind);
      if (!group) groups.set(kind, group = { at, inlined: 1, line: plain.line[at], origins: [], next: [] });
      group.inlined &= plain.isInlined[at];
      if (group.line !== plain.line[at]) group.line = 0;
      group.origins.push(origins[place]);
      group.next.push(plain.parent[at]);
    }
    return [...groups.values()].map((group) => {
      const child = this.add(node, plain.item[group.at], plain.detail[group.at], group.inlined, group.line);
      this.fill(child, group.origins, group.next);
      return child;
    });
  }

  matchOf(node) { return this.matches && this.item[node] >= 0 ? this.matches[this.item[node]] : 0; }

  /** A stack matches here where it does in the plain tree; nodes that are made later are marked, too. */
  search(matches) {
    this.matches = matches;
    for (let node = 0; node < this.count; node++) this.isMatch[node] = this.matchOf(node);
    return { matched: this.plain.search(matches).matched, isMatch: this.isMatch };
  }
}
