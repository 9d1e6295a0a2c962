// The tree of a comparison: both sides in one.

/** The weights that a comparison may be drawn by: sums of the parts, which are CPU time, blocked, run delay. */
const DIFF_UNITS = {
  time: { title: "Time", parts: [0, 1], help: "On a CPU or blocked: the program's own doing" },
  cpu: { title: "CPU time", parts: [0], help: "On a CPU" },
  blocked: { title: "Blocked", parts: [1], help: "Sleeping in the kernel" },
  delay: { title: "Run delay", parts: [2], help: "Runnable, waiting for a CPU: the machine's doing" },
};

/**
 * As wide as one side of the comparison; what only the other side has stands in its place all the
 * same, as wide as it was there.
 */
class DiffTree {
  constructor(comparison, unit, side) {
    const { tree } = comparison;
    this.comparison = comparison;
    this.side = side;
    this.count = tree.parent.length + 1;
    const { parts } = DIFF_UNITS[unit];
    const own = (column) => {
      const sums = new Float64Array(this.count);
      for (let node = 1; node < this.count; node++) {
        for (const part of parts) sums[node] += column[(node - 1) * 3 + part];
      }
      return sums;
    };
    this.parent = new Int32Array(this.count).fill(-1);
    /** Index of the function; -1 for a group of threads and for the root. */
    this.item = new Int32Array(this.count).fill(-1);
    this.threads = new Int32Array(this.count).fill(-1);
    this.path = new Int32Array(this.count).fill(-1);
    for (let node = 1; node < this.count; node++) {
      this.parent[node] = tree.parent[node - 1] + 1;
      this.item[node] = tree.function[node - 1];
      this.threads[node] = tree.threads[node - 1];
    }
    tree.paths.forEach((node, path) => { this.path[node + 1] = path; });
    this.ownBefore = own(tree.before);
    this.ownAfter = own(tree.after);
    this.before = this.sumUp(this.ownBefore);
    this.after = this.sumUp(this.ownAfter);
    this.layOut();
  }

  sumUp(own) {
    const sums = own.slice();
    for (let node = this.count - 1; node > 0; node--) sums[this.parent[node]] += sums[node];
    return sums;
  }

  isOnlyOn(other, node) {
    const [here, there] = other === "before" ? [this.after, this.before] : [this.before, this.after];
    return here[node] === 0 && there[node] > 0;
  }

  isGone(node) { return this.isOnlyOn("before", node); }
  isNew(node) { return this.isOnlyOn("after", node); }

  /** `total` is the width: of the chosen side, and of what only the other one has. */
  layOut() {
    const [here, there] = this.side === "after" ? [this.ownAfter, this.ownBefore] : [this.ownBefore, this.ownAfter];
    const sums = this.side === "after" ? this.after : this.before;
    this.own = here.slice();
    for (let node = 1; node < this.count; node++) if (sums[node] === 0) this.own[node] = there[node];
    this.total = this.sumUp(this.own);
    this.lists = Array.from({ length: this.count }, () => []);
    for (let node = 1; node < this.count; node++) this.lists[this.parent[node]].push(node);
    for (const list of this.lists) list.sort((left, right) => this.total[right] - this.total[left] || left - right);
  }

  children(node) { return this.lists[node]; }
  key(node) { return this.item[node] >= 0 ? this.item[node] : `t${this.threads[node]}`; }

  pathTo(node) { return pathInTree(this.parent, node); }

  /** Which nodes match, and how much of the chosen side is in or below them. */
  search(matches) {
    const inside = new Uint8Array(this.count);
    const isMatch = new Uint8Array(this.count);
    const weights = this.side === "after" ? this.ownAfter : this.ownBefore;
    let matched = 0;
    for (let node = 1; node < this.count; node++) {
      isMatch[node] = this.item[node] >= 0 ? matches[this.item[node]] : 0;
      inside[node] = inside[this.parent[node]] | isMatch[node];
      if (inside[node]) matched += weights[node];
    }
    return { matched, isMatch };
  }

  words(node) {
    if (node === 0) return "All threads";
    if (this.item[node] >= 0) return this.comparison.functions[this.item[node]].name;
    const group = this.comparison.threads[this.threads[node]];
    return `Threads ${group.name}`;
  }

  /** The change of a node's time, with its interval; undefined where it was not tested. */
  change(node) {
    const path = this.path[node];
    return path >= 0 ? this.comparison.paths[path].inclusive.time : undefined;
  }

  /** Whether a node changed beyond noise. */
  isSignificant(node) {
    if (this.item[node] < 0 && node > 0) {
      const { cpu, blocked } = this.comparison.threads[this.threads[node]].times;
      return cpu.significant || blocked.significant;
    }
    return this.change(node)?.significant ?? false;
  }
}

/** A part of a whole that grew or shrank, in words. */
function ratioWords({ before, change }) {
  if (!(before > 0)) return "new";
  const ratio = change / before;
  if (ratio > 100) return `×${Math.round(ratio + 1)}`;
  const size = Math.abs(ratio * 100).toFixed(1);
  return `${size === "0.0" ? "" : ratio > 0 ? "+" : "−"}${size} %`;
}

/** A change with its interval in words. */
function changeWords(change) {
  const interval = change.low === null ? "" : `; 95 %: ${signed(change.low)} to ${signed(change.high)}`;
  const ratio = change.before > 0 ? `, ${ratioWords(change)}` : "";
  return `${change.before.toFixed(3)} → ${change.after.toFixed(3)} s/s (${signed(change.change)}${ratio}${interval})`;
}

/** A colour of change: orange for more time, blue for less, deeper for more of it. */
function changeColor(change) {
  const { more, less, changeLightness: [low, high] } = palette();
  const [hue, saturation] = change.change > 0 ? more : less;
  const size = Math.min(1, Math.abs(change.change) / Math.max(change.before, change.after, 1e-9));
  const depth = Math.sqrt(size);
  return `hsl(${hue} ${saturation}% ${(low + (high - low) * (0.25 + 0.75 * depth)).toFixed(1)}%)`;
}

/** How a node of a comparison is drawn. */
function diffLook(tree, node) {
  const words = shortened(tree.words(node), 200);
  const colors = palette();
  if (node === 0 || tree.item[node] < 0) {
    return { family: "thread", text: words, fill: familyColor("thread", ""), ink: colors.text };
  }
  const change = tree.change(node);
  const isChanged = tree.isSignificant(node) && change;
  const sign = isChanged ? (change.change > 0 ? " ▲ " : " ▼ ") + ratioWords(change) : "";
  if (tree.isGone(node)) {
    return {
      family: "native", text: `${words} · gone`, fill: isChanged ? changeColor(change) : colors.same,
      isHatched: true, isDashed: true, edge: colors.text, ink: colors.text,
    };
  }
  return {
    family: "native", text: words + (tree.isNew(node) ? " · new" : sign), ink: colors.text,
    fill: isChanged ? changeColor(change) : colors.same, isDashed: tree.isNew(node), edge: colors.text,
  };
}
