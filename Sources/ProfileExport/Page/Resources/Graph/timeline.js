// Threads over time: a row for each thread, coloured by its state.

const THREAD_ROW = 24;
const AXIS = 26;

/** Round steps of an axis, in nanoseconds. */
function axisStep(span, width) {
  const least = (span / Math.max(width, 1)) * 110;
  for (let power = 0; power < 18; power++) {
    for (const digit of [1, 2, 5]) if (digit * 10 ** power >= least) return digit * 10 ** power;
  }
  return span;
}

/** A time on the axis, as fine as its steps. */
function axisLabel(time, step) {
  if (time === 0) return "0";
  if (step >= 1e9) return `${Math.round(time / 1e9)} s`;
  if (step >= 1e6) return time >= 1e9 && step >= 1e7 ? `${(time / 1e9).toFixed(2)} s` : `${Math.round(time / 1e6)} ms`;
  if (step >= 1e3) return `${(time / 1e6).toFixed(3)} ms`;
  return `${(time / 1e3).toFixed(3)} µs`;
}

/**
 * What a thread did in each of `count` columns of a span, as time by shade, `SHADES.length` numbers
 * a column.
 */
function stateColumns(profile, thread, from, to, count) {
  const width = SHADES.length;
  const times = new Float32Array(count * width);
  const { firstRun, lastRun } = profile.threads[thread];
  const scale = count / (to - from);
  for (let run = firstRun; run < lastRun; run++) {
    const start = (profile.runStart[run] - from) * scale;
    const end = (profile.runStart[run] + Math.max(0, profile.wall[run]) - from) * scale;
    if (!(end > start) || end <= 0 || start >= count) continue;
    const shade = profile.kindShade[profile.runKind[run]];
    const first = Math.max(0, Math.floor(start));
    const last = Math.min(count - 1, Math.ceil(end) - 1);
    for (let column = first; column <= last; column++) {
      times[column * width + shade] += Math.min(end, column + 1) - Math.max(start, column);
    }
  }
  return times;
}

class TimelineView {
  /**
   * Calls `onRange(from, to)` when a span is selected, `onThread(index)` when a row's name is clicked,
   * `onFreeze(freeze)` when the mark of one is, and `onZoom(span)` when a part is to have all of the width.
   */
  constructor(scroller, profile, { onRange, onThread, onFreeze, onZoom, label }) {
    Object.assign(this, { scroller, profile, onRange, onThread, onFreeze, onZoom });
    const interactive = onRange ? { tabindex: 0 } : {};
    this.canvas = element("canvas", { role: "application", "aria-label": label, ...interactive });
    this.spacer = element("div", { class: "spacer" });
    scroller.replaceChildren(this.spacer, this.canvas);
    this.span = profile.span;
    /** The part of it that takes all of the width; null for the whole. */
    this.zoomedSpan = null;
    this.rows = this.ordered();
    this.shown = this.rows;
    this.range = { from: null, to: null };
    this.waits = Map.groupBy ? Map.groupBy(profile.waits, ({ thread }) => thread) : new Map();
    if (!Map.groupBy) for (const wait of profile.waits) {
      this.waits.set(wait.thread, [...(this.waits.get(wait.thread) ?? []), wait]);
    }
    this.freezes = new Map();
    for (const freeze of profile.freezes ?? []) {
      if (!this.freezes.has(freeze.thread)) this.freezes.set(freeze.thread, []);
      this.freezes.get(freeze.thread).push(freeze);
    }
    this.cache = new Map();
    scroller.addEventListener("scroll", () => this.schedule());
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerleave", () => tip.hide());
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointerup", (event) => this.up(event));
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener("dblclick", () => this.onRange?.(null, null));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** The main thread first, then by CPU time; process by process. */
  ordered() {
    const { profile } = this;
    const cpu = new Float64Array(profile.threads.length);
    for (let run = 0; run < profile.runCount; run++) cpu[profile.runThread[run]] += profile.cpu[run];
    const inCycle = new Set(profile.waits.filter(({ ring }) => ring).map(({ thread }) => thread));
    const inChain = new Set(profile.verdict?.nodes.map(({ thread }) => thread));
    const rank = (index) => (inCycle.has(index) || inChain.has(index) ? 0 : 1);
    const key = (thread) => [thread.process ?? -1, thread.main ? 0 : 1, rank(thread.index),
      -cpu[thread.index], thread.tid];
    return profile.threads.map((thread) => ({ index: thread.index, key: key(thread) }))
      .sort((left, right) => {
        const place = left.key.findIndex((value, at) => value !== right.key[at]);
        return place < 0 ? 0 : left.key[place] - right.key[place];
      }).map(({ index }) => index);
  }

  /** Shows the chosen threads, and the selected span set off. */
  show(isChosen, range) {
    this.shown = this.rows.filter((thread) => isChosen[thread]);
    this.range = range;
    this.draw();
  }

  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => { this.isScheduled = false; this.draw(); });
  }

  /** Gives a part of the time all of the width; null shows the whole. */
  zoomTo(span) {
    const { start, end } = this.profile.span;
    const isPart = span && (span.start > start || span.end < end) && span.start < span.end;
    this.zoomedSpan = isPart ? { start: Math.max(span.start, start), end: Math.min(span.end, end) } : null;
    this.span = this.zoomedSpan ?? this.profile.span;
    this.cache.clear();
    this.draw();
  }

  get gutter() {
    if (this.scroller.clientWidth < 560) return 96;
    return this.profile.processes.length > 1 ? 270 : 190;
  }

  /** Where the rows end. */
  get right() { return this.scroller.clientWidth - 8; }

  time(x) {
    const share = (x - this.gutter) / (this.scroller.clientWidth - this.gutter - 8);
    return this.span.start + Math.max(0, Math.min(1, share)) * (this.span.end - this.span.start);
  }

  place(time) {
    const { start, end } = this.span;
    const width = this.scroller.clientWidth - this.gutter - 8;
    return this.gutter + (end > start ? ((time - start) / (end - start)) * width : 0);
  }

  // MARK: - Drawing

  draw() {
    const width = this.scroller.clientWidth;
    if (width === 0) return;
    const rows = this.shown.length * THREAD_ROW + AXIS + 4;
    this.spacer.style.height = `${rows}px`;
    this.scroller.style.height = `${rows}px`;
    const height = Math.min(rows, this.scroller.clientHeight || rows);
    const top = Math.min(this.scroller.scrollTop, Math.max(0, rows - height));
    const context = prepare(this.canvas, width, height);
    this.top = top;
    const first = Math.floor(top / THREAD_ROW);
    const last = Math.min(this.shown.length, Math.ceil((top + height - AXIS) / THREAD_ROW) + 1);
    for (let row = first; row < last; row++) {
      this.drawRow(context, this.shown[row], AXIS + row * THREAD_ROW - top, width);
    }
    this.drawAxis(context, width, height);
    this.drawRange(context, width, height);
  }

  drawAxis(context, width, height) {
    const colors = palette();
    context.fillStyle = colors.back;
    context.fillRect(0, 0, width, AXIS);
    const { start, end } = this.span;
    if (end <= start) return;
    const step = axisStep(end - start, width - this.gutter);
    context.strokeStyle = colors.line;
    context.fillStyle = colors.faint;
    context.lineWidth = 1;
    for (let time = Math.ceil(start / step) * step; time <= end; time += step) {
      const x = Math.round(this.place(time)) + 0.5;
      context.globalAlpha = 0.6;
      context.beginPath();
      context.moveTo(x, AXIS - 6);
      context.lineTo(x, height);
      context.stroke();
      context.globalAlpha = 1;
      const label = axisLabel(time, step);
      const half = textWidth(context, label) / 2;
      const center = Math.max(this.gutter + half - 4, Math.min(x, width - half - 4));
      context.fillText(label, center - half, AXIS / 2 - 2);
    }
  }

  drawRow(context, thread, y, width) {
    const colors = palette();
    const { gutter } = this;
    const inset = 3;
    const height = THREAD_ROW - inset * 2;
    const title = this.profile.threadTitle(thread);
    const info = this.profile.threads[thread];
    const isInCycle = (this.waits.get(thread) ?? []).some((wait) => wait.ring);
    context.fillStyle = isInCycle ? colors.mark : info.ended ? colors.faint : colors.text;
    const label = (isInCycle ? "⟳ " : "") + shortened(title, 60) + (info.main ? " (main)" : "");
    const text = fitted(context, label, gutter - 16 - (gutter > 120 ? 54 : 0));
    context.fillText(text, 10, y + THREAD_ROW / 2);
    if (gutter > 120) {
      context.fillStyle = colors.faint;
      const number = String(info.tid);
      context.fillText(number, gutter - 10 - textWidth(context, number), y + THREAD_ROW / 2);
    }
    this.drawStates(context, thread, y + inset, height, width - gutter - 8);
    this.drawCycles(context, thread, y + inset, height);
    this.drawWaits(context, thread, y + inset, height);
    this.drawFreezes(context, thread, y, inset);
  }

  columns(thread, count) {
    const known = this.cache.get(thread);
    if (known && known.count === count) return known.times;
    const { start, end } = this.span;
    const times = stateColumns(this.profile, thread, start, end, count);
    if (this.cache.size > 400) this.cache.clear();
    this.cache.set(thread, { count, times });
    return times;
  }

  /** Where states alternate faster than columns can show, each has its share of the height. */
  drawStates(context, thread, y, height, width) {
    const count = Math.max(1, Math.floor(width));
    if (this.span.end <= this.span.start) return;
    const times = this.columns(thread, count);
    const colors = palette().states;
    const size = SHADES.length;
    for (let shade = 0; shade < size; shade++) {
      context.fillStyle = colors[SHADES[shade]];
      let [startColumn, startKey, from, part] = [0, "", 0, 0];
      for (let column = 0; column <= count; column++) {
        let [below, own] = [0, 0];
        if (column < count) {
          const base = column * size;
          let sum = 0;
          for (let other = 0; other < size; other++) sum += times[base + other];
          const scale = sum > 0.02 ? 1 / sum : 0;
          for (let other = 0; other < shade; other++) below += times[base + other] * scale;
          own = times[base + shade] * scale;
        }
        const key = `${Math.round(below * height)}:${Math.round(own * height)}`;
        if (key === startKey) continue;
        if (part > 0.03) {
          const bottom = y + height - from * height;
          context.fillRect(this.gutter + startColumn, bottom - part * height, column - startColumn, part * height);
        }
        [startColumn, startKey, from, part] = [column, key, below, own];
      }
    }
  }

  /**
   * The wait that a stretch of a thread's time is of: one that was looked up a moment before a sample met it begins
   * within the stretch before its own.
   */
  waitOf(thread, start, end) {
    return (this.waits.get(thread) ?? []).findLast(({ from, to }) => {
      const shared = Math.min(end, to) - Math.max(start, from);
      return shared >= 0 && from < end && 2 * shared >= Math.min(end - start, to - from);
    });
  }

  /** What a thread waits for, in words where that is known. */
  drawWaits(context, thread, y, height) {
    const { profile } = this;
    const colors = palette();
    const { firstRun, lastRun } = profile.threads[thread];
    for (let run = firstRun; run < lastRun;) {
      const kind = profile.kinds[profile.runKind[run]];
      const shade = profile.kindShade[profile.runKind[run]];
      const start = profile.runStart[run];
      let end = start + Math.max(0, profile.wall[run]);
      let next = run + 1;
      while (next < lastRun && profile.kinds[profile.runKind[next]].aim === kind.aim
        && profile.kinds[profile.runKind[next]].wait === kind.wait
        && profile.kindShade[profile.runKind[next]] === shade) {
        end = profile.runStart[next] + Math.max(0, profile.wall[next]);
        next++;
      }
      run = next;
      const [left, right] = [Math.max(this.place(start), this.gutter), Math.min(this.place(end), this.right)];
      if (!kind.wait || right - left < 44) continue;
      const known = this.waitOf(thread, start, end);
      context.fillStyle = colors.onState[SHADES[shade]];
      const text = fitted(context, printable(known?.words ?? kind.aim ?? kind.wait), right - left - 16);
      context.fillText(text, left + 8, y + height / 2 + 0.5);
    }
  }

  /** Highlights the time in which a thread waited in a cycle. */
  drawCycles(context, thread, y, height) {
    const colors = palette();
    const { start, end } = this.span;
    const inside = (time) => this.place(Math.max(start, Math.min(end, time)));
    for (const wait of this.waits.get(thread) ?? []) {
      if (!wait.ring || wait.from > end || wait.to < start) continue;
      const [left, right] = [inside(wait.from), inside(Math.max(wait.to, wait.from))];
      const size = Math.max(right - left, 6);
      hatch(context, left, y, size, height, "rgba(192, 57, 43, 0.28)");
      context.strokeStyle = colors.mark;
      context.lineWidth = 2;
      context.strokeRect(left + 1, y + 1, size - 2, height - 2);
      context.lineWidth = 1;
    }
  }

  /** Marks the time in which a thread was frozen, above and below its states. */
  drawFreezes(context, thread, y, inset) {
    context.fillStyle = palette().mark;
    const { start, end } = this.span;
    for (const freeze of this.freezes.get(thread) ?? []) {
      if (freeze.from > end || freeze.to < start) continue;
      const left = this.place(Math.max(freeze.from, start));
      const size = Math.max(this.place(Math.min(freeze.to, end)) - left, 3);
      context.fillRect(left, y + 1, size, inset - 1);
      context.fillRect(left, y + THREAD_ROW - inset, size, inset - 1);
    }
  }

  /** The freeze of a thread that is drawn at a place; undefined for none. */
  freezeAt(thread, x) {
    return (this.freezes.get(thread) ?? []).find((freeze) => {
      const left = this.place(freeze.from);
      return x >= left - 2 && x <= Math.max(this.place(freeze.to), left + 3) + 2;
    });
  }

  drawRange(context, width, height) {
    const range = this.dragged ?? this.range;
    if (range.from === null && range.to === null) return;
    const colors = palette();
    const inside = (time) => this.place(Math.max(this.span.start, Math.min(this.span.end, time)));
    const left = inside(range.from ?? this.span.start);
    const right = inside(range.to ?? this.span.end);
    context.fillStyle = colors.veil;
    context.fillRect(this.gutter, 0, Math.max(0, left - this.gutter), height);
    context.fillRect(right, 0, Math.max(0, width - right), height);
    context.fillStyle = colors.accent;
    context.fillRect(left - 1, 0, 2, height);
    context.fillRect(right - 1, 0, 2, height);
  }
}
