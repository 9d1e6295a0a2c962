// The flame graph: a tree as boxes, of which only those in sight are drawn.

const ROW = 21;
const LEAST_WIDTH = 0.4;

const smallWords = (count) => (count === 1 ? "1 frame too small to draw" : `${grouped(count)} frames too small to draw`);

/**
 * Draws a tree with `total`, `parent`, `count` and `children(node)` on a canvas in a box that scrolls.
 *
 * `look(node)` gives a node's `text`, `fill`, `family` and what else sets it off.
 */
class FlameView {
  constructor(scroller, { onSelect, onZoom, describe, describeSmall, label }) {
    Object.assign(this, { scroller, onSelect, onZoom, describe, describeSmall });
    this.canvas = element("canvas", { tabindex: 0, role: "application", "aria-label": label });
    this.spacer = element("div", { class: "spacer" });
    scroller.replaceChildren(this.spacer, this.canvas);
    this.zoomed = 0;
    this.selected = 0;
    this.boxes = [];
    scroller.addEventListener("scroll", () => this.schedule());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("dblclick", () => this.zoom(0));
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => { this.hovered = undefined; tip.hide(); this.schedule(); });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Shows another tree, zoomed to `place` or the same one as before, as far as the new tree has it. */
  show(tree, look, search, place = this.place()) {
    this.tree = tree;
    this.look = look;
    this.search = search;
    this.looks = new Map();
    this.hovered = undefined;
    this.tallest = 0;
    this.zoomed = this.find(place);
    this.selected = this.zoomed;
    this.draw();
  }

  /** The keys of the nodes from the root, which has none, to the zoomed one. */
  place() {
    return this.tree ? this.tree.pathTo(this.zoomed).slice(1).map((at) => this.tree.key(at)) : [];
  }

  /** The node at the end of a path of keys, or as far along it as the tree goes. */
  find(keys) {
    let node = 0;
    for (const key of keys) {
      const next = this.tree.children(node).find((child) => this.tree.key(child) === key);
      if (next === undefined) break;
      node = next;
    }
    return node;
  }

  mark(search) {
    this.search = search;
    this.draw();
  }

  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => { this.isScheduled = false; this.draw(); });
  }

  lookOf(node) {
    let look = this.looks.get(node);
    if (!look) this.looks.set(node, look = this.look(node));
    return look;
  }

  // MARK: - Drawing

  draw() {
    if (!this.tree || this.scroller.clientWidth === 0) return;
    const width = this.scroller.clientWidth;
    const above = this.tree.pathTo(this.zoomed).slice(0, -1);
    this.above = above.length;
    const rows = above.length + this.depthInSight(width);
    this.spacer.style.height = `${rows * ROW}px`;
    // As tall as what it holds, but not less than before: zooming must not move the page.
    this.tallest = Math.max(this.tallest, rows * ROW + 2);
    this.scroller.style.height = `${this.tallest}px`;
    const height = Math.min(rows * ROW, this.scroller.clientHeight || 400);
    const top = Math.min(this.scroller.scrollTop, Math.max(0, rows * ROW - height));
    const context = prepare(this.canvas, width, Math.max(ROW, height));
    this.boxes = [];
    const area = { context, width, top, bottom: top + height };
    above.forEach((node, row) => this.box(area, node, 0, width, row, true));
    this.drawBelow(area, width);
  }

  /** How many rows the boxes below the zoomed node take that are wide enough to be seen. */
  depthInSight(width) {
    const { tree } = this;
    const least = (LEAST_WIDTH / width) * tree.total[this.zoomed];
    let deepest = 0;
    const open = [[this.zoomed, 1]];
    while (open.length > 0) {
      const [node, depth] = open.pop();
      if (depth > deepest) deepest = depth;
      let small = 0;
      for (const child of tree.children(node)) {
        if (tree.total[child] > 0 && tree.total[child] >= least) open.push([child, depth + 1]);
        else small += tree.total[child];
      }
      // The row that says how many are too small.
      if (small * LEAST_WIDTH >= least && small > 0) deepest = Math.max(deepest, depth + 1);
    }
    return deepest;
  }

  drawBelow(area, width) {
    const { tree } = this;
    const whole = tree.total[this.zoomed];
    const scale = whole > 0 ? width / whole : 0;
    const open = [[this.zoomed, 0, this.above]];
    while (open.length > 0) {
      const [node, x, row] = open.pop();
      const size = whole > 0 ? tree.total[node] * scale : width;
      if (row * ROW >= area.bottom) continue;
      if ((row + 1) * ROW > area.top) this.box(area, node, x, size, row, false);
      let at = x;
      let small = { x, count: 0, total: 0 };
      for (const child of tree.children(node)) {
        const part = tree.total[child] * scale;
        if (part >= LEAST_WIDTH) {
          if (small.count > 0) this.smallBox(area, node, small, scale, row + 1);
          open.push([child, at, row + 1]);
          small = { x: at + part, count: 0, total: 0 };
        } else if (tree.total[child] > 0) {
          small.count++;
          small.total += tree.total[child];
        }
        at += part;
      }
      if (small.count > 0) this.smallBox(area, node, small, scale, row + 1);
    }
  }

  /** Stands for callees of a node that are too small to be drawn, one beside the other. */
  smallBox({ context, top, bottom }, parent, { x, count, total }, scale, row) {
    const [y, width, height] = [row * ROW - top, total * scale, ROW - 1];
    if (width < 1 || row * ROW >= bottom || y + ROW <= 0) return;
    const colors = palette();
    context.globalAlpha = this.search ? 0.42 : 1;
    context.fillStyle = familyColor("standIn", "");
    context.fillRect(x, y, width, height);
    hatch(context, x, y, width, height);
    context.globalAlpha = 1;
    const words = smallWords(count);
    const text = fitted(context, words, width - 10);
    if (text) {
      context.fillStyle = colors.text;
      context.fillText(text, x + 6, y + height / 2 + 0.5);
    }
    this.boxes.push({ node: parent, x, y, width, height, small: { words, total } });
  }

  box({ context, top }, node, x, size, row, isAbove) {
    const colors = palette();
    const look = this.lookOf(node);
    const y = row * ROW - top;
    const gap = size > 3 ? 1 : 0;
    const width = Math.max(size - gap, LEAST_WIDTH);
    const height = ROW - 1;
    const isFaded = isAbove || (this.search && !this.search.isMatch[node]);
    context.globalAlpha = isFaded ? 0.42 : 1;
    context.fillStyle = look.fill;
    fillShape(context, look.family, x, y, width, height);
    if (look.isHatched && width > 2) hatch(context, x, y, width, height, look.hatch);
    if (look.isDashed && width > 4) {
      context.strokeStyle = look.edge ?? colors.faint;
      context.setLineDash([4, 3]);
      context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
      context.setLineDash([]);
    }
    context.globalAlpha = isFaded ? 0.75 : 1;
    if (this.search?.isMatch[node] && width > 6) this.edge(context, x, y, width, height, colors.accent, 2);
    if (node === this.selected && node > 0) this.edge(context, x, y, width, height, colors.text, 2);
    else if (node === this.hovered) this.edge(context, x, y, width, height, colors.text, 1);
    const inset = look.family === "kernel" ? 9 : 6;
    const text = fitted(context, look.text, width - inset * 2 + 2);
    if (text) {
      context.fillStyle = look.ink ?? colors.onFrame;
      context.fillText(text, x + inset, y + height / 2 + 0.5);
    }
    context.globalAlpha = 1;
    this.boxes.push({ node, x, y, width: Math.max(width, 1), height });
  }

  edge(context, x, y, width, height, color, thickness) {
    context.strokeStyle = color;
    context.lineWidth = thickness;
    const inset = thickness / 2;
    context.strokeRect(x + inset, y + inset, Math.max(width - thickness, 0.5), height - thickness);
    context.lineWidth = 1;
  }

  // MARK: - Pointer and keys

  at(event) {
    const frame = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    return this.boxes.findLast((box) =>
      x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);
  }

  /** Frames too small to be seen get more room when what called them is zoomed. */
  click(event) {
    const box = this.at(event);
    if (box) this.zoom(box.node);
  }

  hover(event) {
    const box = this.at(event);
    const node = box?.small ? undefined : box?.node;
    if (!box) tip.hide();
    else if (box.small) tip.show(event, box.small.words, this.describeSmall?.(box.small.total), "Click to zoom into their caller");
    else tip.show(event, ...this.describe(node));
    if (node === this.hovered) return;
    this.hovered = node;
    this.schedule();
  }

  /** Gives a node all of the width, and its callers the rows above. */
  zoom(node) {
    const isOther = this.zoomed !== node;
    this.zoomed = node;
    this.select(node);
    this.draw();
    if (isOther) this.onZoom?.();
  }

  select(node) {
    this.selected = node;
    this.onSelect(node);
  }

  key(event) {
    const { tree } = this;
    if (!tree || event.ctrlKey || event.metaKey || event.altKey) return;
    const parent = tree.parent[this.selected];
    const siblings = parent >= 0 ? tree.children(parent) : [0];
    const place = siblings.indexOf(this.selected);
    const moves = {
      ArrowDown: () => tree.children(this.selected)[0],
      ArrowUp: () => (parent >= 0 ? parent : 0),
      ArrowRight: () => siblings[Math.min(place + 1, siblings.length - 1)],
      ArrowLeft: () => siblings[Math.max(place - 1, 0)],
    };
    if (moves[event.key]) this.go(moves[event.key]());
    else if (event.key === "Enter" || event.key === " ") this.zoom(this.selected);
    else if (event.key === "Escape" || event.key === "Backspace") {
      this.zoom(Math.max(0, tree.parent[this.zoomed]));
    } else if (event.key === "Home") this.zoom(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Selects a node, and zooms out as far as it takes to see it. */
  go(node) {
    if (node === undefined || this.tree.total[node] === 0) return;
    const path = this.tree.pathTo(node);
    const before = this.zoomed;
    while (!path.includes(this.zoomed)) this.zoomed = this.tree.parent[this.zoomed];
    this.select(node);
    this.scrollTo(path.length - 1);
    this.draw();
    if (this.zoomed !== before) this.onZoom?.();
  }

  scrollTo(row) {
    const { scroller } = this;
    if (row * ROW < scroller.scrollTop) scroller.scrollTop = row * ROW;
    const bottom = (row + 1) * ROW;
    if (bottom > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = bottom - scroller.clientHeight;
    }
  }
}
