// Call trees of a selection: the flame graph draws them.

/** What a node is when it is not a function. */
const ROOT = -1;
const THREAD = -2;
const NO_STACK = -3;
const MISSING = -4;

/** The nodes from the root down to `node`. */
function pathInTree(parent, node) {
  const path = [];
  for (let at = node; at >= 0; at = parent[at]) path.push(at);
  return path.reverse();
}

/** Who called whom, and its weight; a node comes after its parent. */
class CallTree {
  constructor(profile, capacity = 1024, isByLine = false) {
    this.profile = profile;
    /** Whether calls of a function from different lines of it are apart. */
    this.isByLine = isByLine;
    this.count = 0;
    this.parent = new Int32Array(capacity);
    /** Index of the function, or one of the constants above. */
    this.item = new Int32Array(capacity);
    /** Index of the thread, or of the kind of run whose end says why callers are missing. */
    this.detail = new Int32Array(capacity);
    this.isInlined = new Uint8Array(capacity);
    /** The line of the function that was seen; 0 where it is not known, or there were several. */
    this.line = new Int32Array(capacity);
    this.own = new Float64Array(capacity);
    /** The part of `own` that a search of the stack found. */
    this.guessed = new Float64Array(capacity);
    this.add(-1, ROOT, 0, 0);
  }

  add(parent, item, detail, isInlined, line = 0) {
    if (this.count === this.parent.length) this.grow();
    const node = this.count++;
    this.parent[node] = parent;
    this.item[node] = item;
    this.detail[node] = detail;
    this.isInlined[node] = isInlined;
    this.line[node] = line;
    return node;
  }

  grow() {
    for (const name of ["parent", "item", "detail", "isInlined", "line", "own", "guessed"]) {
      const old = this[name];
      this[name] = new old.constructor(old.length * 2);
      this[name].set(old);
    }
  }

  /** Sums up the weights, and links each node to its children. */
  finish() {
    const { count, parent } = this;
    this.total = this.own.slice(0, count);
    this.totalGuessed = this.guessed.slice(0, count);
    this.depth = new Int32Array(count);
    this.firstChild = new Int32Array(count).fill(-1);
    this.nextSibling = new Int32Array(count).fill(-1);
    let deepest = 0;
    for (let node = count - 1; node > 0; node--) {
      const above = parent[node];
      this.total[above] += this.total[node];
      this.totalGuessed[above] += this.totalGuessed[node];
      this.nextSibling[node] = this.firstChild[above];
      this.firstChild[above] = node;
    }
    for (let node = 1; node < count; node++) {
      this.depth[node] = this.depth[parent[node]] + 1;
      if (this.depth[node] > deepest) deepest = this.depth[node];
    }
    this.deepest = deepest;
    this.orders = new Map();
    return this;
  }

  /** A node's children: heaviest first, or in order of time. */
  children(node) {
    let order = this.orders.get(node);
    if (order) return order;
    order = [];
    for (let child = this.firstChild[node]; child >= 0; child = this.nextSibling[child]) {
      order.push(child);
    }
    this.orders.set(node, this.isInTime ? order : this.sorted(order));
    return order;
  }

  /** Sorts siblings, heaviest first. */
  sorted(siblings) {
    const { total } = this;
    return siblings.sort((left, right) => total[right] - total[left] || this.compareNames(left, right) || left - right);
  }

  /** Orders siblings of the same weight alike in all views. */
  compareNames(left, right) {
    const [one, other] = [this.item[left], this.item[right]];
    if (one < 0 || other < 0) return other - one;
    const [first, second] = [this.profile.functions[one].name, this.profile.functions[other].name];
    return first < second ? -1 : first > second ? 1 : one - other || this.line[left] - this.line[right];
  }

  /** What identifies a node among its siblings, also in another tree. */
  key(node) {
    const item = this.item[node];
    if (item >= 0) return this.isByLine ? `${item}:${this.line[node]}` : String(item);
    return item === THREAD ? `t${this.detail[node]}` : `s${item}`;
  }

  pathTo(node) { return pathInTree(this.parent, node); }

  /** The node of the thread that a node is below, in a tree by thread. */
  threadOf(node) {
    let at = node;
    while (at > 0 && this.item[at] !== THREAD) at = this.parent[at];
    return at;
  }

  /** How much of the weight is in or below matching nodes, and which nodes match. */
  search(matches) {
    const inside = new Uint8Array(this.count);
    const isMatch = new Uint8Array(this.count);
    let matched = 0;
    for (let node = 1; node < this.count; node++) {
      const item = this.item[node];
      isMatch[node] = item >= 0 ? matches[item] : 0;
      // In an inverted tree a node also belongs to the function at its root.
      inside[node] = inside[this.parent[node]] | isMatch[node];
      if (inside[node]) matched += this.own[node];
    }
    return { matched, isMatch };
  }
}

/** The paths of a profile as it keeps them, by line. */
function linePaths(profile) {
  const count = profile.pathCount;
  const [ofPath, item, line] = [0, 0, 0].map(() => new Int32Array(count));
  item[0] = -1;
  for (let path = 1; path < count; path++) {
    ofPath[path] = path;
    item[path] = profile.functionOfLine(profile.pathLine[path]);
    line[path] = profile.lineNumber(profile.pathLine[path]);
  }
  return { count, ofPath, parent: profile.pathParent, item, inlined: profile.pathInlined, line };
}

/** The paths of a profile by function: made once. */
function functionPaths(profile) {
  if (profile.functionPaths) return profile.functionPaths;
  const count = profile.pathCount;
  const ofPath = new Int32Array(count);
  const parent = new Int32Array(count);
  const item = new Int32Array(count).fill(-1);
  const inlined = new Uint8Array(count);
  const line = new Int32Array(count);
  // A table of its own: a Map takes ten times as long for very many paths.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(count * 2 + 2)));
  const mask = slots.length - 1;
  let next = 1;
  for (let path = 1; path < count; path++) {
    const caller = ofPath[profile.pathParent[path]];
    const id = profile.functionOfLine(profile.pathLine[path]);
    const number = profile.lineNumber(profile.pathLine[path]);
    let slot = (Math.imul(caller, 0x9e3779b1) ^ Math.imul(id, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    let place = slots[slot];
    while (place !== 0 && (parent[place] !== caller || item[place] !== id)) {
      slot = (slot + 1) & mask;
      place = slots[slot];
    }
    if (place === 0) {
      place = slots[slot] = next++;
      parent[place] = caller;
      item[place] = id;
      inlined[place] = 1;
      line[place] = number;
    }
    if (line[place] !== number) line[place] = 0;
    inlined[place] &= profile.pathInlined[path];
    ofPath[path] = place;
  }
  profile.functionPaths = { count: next, ofPath, parent, item, inlined, line };
  return profile.functionPaths;
}

/**
 * Callers first, equal ones together; with a node for each thread if `byThread`, and for each line of a
 * function if `byLine`.
 */
function callTree(selection, unit, byThread, byLine = false) {
  const builder = new CallTreeBuilder(selection, unit, byThread, byLine);
  const { profile } = selection;
  let thread = byThread ? -1 : 0;
  for (const run of selection.runs) {
    if (byThread && profile.runThread[run] !== thread) {
      thread = profile.runThread[run];
      builder.startThread(thread);
    }
    builder.addRun(run);
  }
  builder.addMissing();
  return builder.tree.finish();
}

/** A call tree while runs are added to it. */
class CallTreeBuilder {
  constructor(selection, unit, byThread, byLine) {
    this.profile = selection.profile;
    this.runPath = selection.runPath;
    this.paths = byLine ? linePaths(this.profile) : functionPaths(this.profile);
    this.weights = selection.column(unit);
    const { count } = this.paths;
    this.tree = new CallTree(this.profile, Math.max(1024, byThread ? 1024 : count + 16), byLine);
    /** By path: its node, and the node that its outermost function is below. */
    this.nodeOf = new Int32Array(count);
    this.topOf = new Int32Array(count).fill(-1);
    /** Runs whose callers are missing. */
    this.missing = [];
    this.root = 0;
    this.noStack = -1;
  }

  startThread(thread) {
    this.addMissing();
    this.root = this.tree.add(0, THREAD, thread, 0);
    this.noStack = -1;
  }

  addRun(run) {
    const { profile, tree } = this;
    const path = this.paths.ofPath[this.runPath[run]];
    const { end, isCut } = profile.kinds[profile.runKind[run]];
    if (path === 0) {
      if (this.noStack < 0) this.noStack = tree.add(this.root, NO_STACK, 0, 0);
      tree.own[this.noStack] += this.weights[run];
    } else if (isCut) this.missing.push({ end, run });
    else this.add(path, this.root, run);
  }

  add(path, top, run) {
    const { paths, tree, nodeOf, topOf } = this;
    const stack = [];
    let at = path;
    while (at !== 0 && topOf[at] !== top) {
      stack.push(at);
      at = paths.parent[at];
    }
    let node = at === 0 ? top : nodeOf[at];
    while (stack.length > 0) {
      at = stack.pop();
      node = tree.add(node, paths.item[at], 0, paths.inlined[at], paths.line[at]);
      nodeOf[at] = node;
      topOf[at] = top;
    }
    tree.own[node] += this.weights[run];
    const { end } = this.profile.kinds[this.profile.runKind[run]];
    if (end === "inferred") tree.guessed[node] += this.weights[run];
  }

  /** Adds the runs whose callers are missing, one kind of end after the other: a path has one place only. */
  addMissing() {
    const { profile, paths, tree, missing } = this;
    missing.sort((left, right) => left.end.localeCompare(right.end) || left.run - right.run);
    let [top, end] = [-1, undefined];
    for (const entry of missing) {
      if (entry.end !== end) {
        end = entry.end;
        top = tree.add(this.root, MISSING, profile.runKind[entry.run], 0);
      }
      this.add(paths.ofPath[this.runPath[entry.run]], top, entry.run);
    }
    missing.length = 0;
  }
}

/** The most nodes of a tree in the order of time: beyond, stacks lose their inner frames. */
const TIMED_LIMIT = 3e6;

/** Thread by thread in the order of time; what follows itself is one. */
function timedTree(selection, unit, byLine = false) {
  const { profile } = selection;
  const paths = byLine ? linePaths(profile) : functionPaths(profile);
  const weights = selection.column(unit);
  const tree = new CallTree(profile, 1 << 16, byLine);
  tree.isInTime = true;
  let thread = -1;
  let [open, frames] = [[], []];
  for (const run of selection.runs) {
    if (profile.runThread[run] !== thread) {
      thread = profile.runThread[run];
      open = [tree.add(0, THREAD, thread, 0)];
      frames = [0];
    }
    const stack = [];
    for (let at = paths.ofPath[selection.runPath[run]]; at !== 0; at = paths.parent[at]) stack.push(at);
    const kind = profile.runKind[run];
    // Entries below 0 are no paths; the first one is the thread's own.
    if (stack.length === 0) stack.push(NO_STACK);
    else if (profile.kinds[kind].isCut) stack.push(MISSING - profile.kinds[kind].sameEnd);
    stack.push(0);
    stack.reverse();
    let same = 1;
    while (same < stack.length && frames[same] === stack[same]) same++;
    open.length = same;
    frames.length = same;
    for (let at = same; at < stack.length && tree.count < TIMED_LIMIT; at++) {
      const entry = stack[at];
      const node = entry === NO_STACK ? tree.add(open[at - 1], NO_STACK, 0, 0)
        : entry < 0 ? tree.add(open[at - 1], MISSING, kind, 0)
          : tree.add(open[at - 1], paths.item[entry], 0, paths.inlined[entry], paths.line[entry]);
      open.push(node);
      frames.push(entry);
    }
    const last = open[open.length - 1];
    tree.own[last] += weights[run];
    if (profile.kinds[kind].end === "inferred") tree.guessed[last] += weights[run];
  }
  return tree.finish();
}
