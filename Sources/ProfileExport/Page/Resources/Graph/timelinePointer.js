// Pointer and keys on the timeline.

Object.assign(TimelineView.prototype, {
  point(event) {
    const frame = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const row = y < AXIS ? -1 : Math.floor((y - AXIS + this.top) / THREAD_ROW);
    return { x, y, thread: this.shown[row], isName: x < this.gutter };
  },

  down(event) {
    if (event.button !== 0 || !this.onRange) return;
    const { x, thread, isName } = this.point(event);
    if (isName) {
      if (thread !== undefined) this.onThread(thread);
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    this.start = x;
  },

  move(event) {
    const { x, thread, isName } = this.point(event);
    if (this.start !== undefined && Math.abs(x - this.start) > 3) {
      const times = [this.time(Math.min(x, this.start)), this.time(Math.max(x, this.start))];
      this.dragged = { from: this.rounded(times[0]), to: this.rounded(times[1]) };
      tip.show(event, `${moment(this.dragged.from)} to ${moment(this.dragged.to)}`,
        duration(this.dragged.to - this.dragged.from));
      return this.schedule();
    }
    this.canvas.style.cursor = isName ? (thread !== undefined && this.onThread ? "pointer" : "default")
      : this.onRange ? "crosshair" : "default";
    if (thread === undefined) return tip.hide();
    const freeze = isName ? undefined : this.freezeAt(thread, x);
    if (freeze && this.onRange) this.canvas.style.cursor = "pointer";
    tip.show(event, ...(isName ? this.threadWords(thread) : this.words(thread, this.time(x))),
      freeze ? `Frozen: ${shortened(freeze.words, 300)}` : undefined);
  },

  up(event) {
    const { dragged, start } = this;
    this.start = undefined;
    this.dragged = undefined;
    if (!dragged) {
      if (start !== undefined) this.chooseFreeze(event);
      return;
    }
    event.preventDefault();
    tip.hide();
    if (dragged.to > dragged.from) this.onRange(dragged.from, dragged.to);
  },

  /** A click on a freeze chooses its time and its thread, in every view. */
  chooseFreeze(event) {
    const { x, thread } = this.point(event);
    const freeze = this.freezeAt(thread, x);
    if (freeze) this.onFreeze(freeze);
  },

  /** With Ctrl the wheel zooms around the time below the pointer. */
  wheel(event) {
    if (!event.ctrlKey || !this.onZoom) return;
    event.preventDefault();
    const { x } = this.point(event);
    const { start, end } = this.span;
    const factor = event.deltaY > 0 ? 1.5 : 1 / 1.5;
    const at = this.time(x);
    const [first, last] = [Math.round(at - (at - start) * factor), Math.round(at + (end - at) * factor)];
    // As fine as a column of a thousandth of a millisecond.
    if (last - first >= 1e6 || factor > 1) this.onZoom({ start: Math.max(0, first), end: last });
  },

  /** A time that can be written down: a thousandth of the span, in round numbers. */
  rounded(time) {
    const step = 10 ** Math.max(0, Math.floor(Math.log10((this.span.end - this.span.start) / 2000)));
    return Math.round(time / step) * step;
  },

  threadWords(thread) {
    const info = this.profile.threads[thread];
    return [`${shortened(this.profile.threadTitle(thread), 200)}${info.main ? " (main)" : ""}`,
      `thread ${info.tid}${info.ended ? ", ended" : ""}`,
      this.onThread ? "Click to show only this thread" : undefined];
  },

  words(thread, time) {
    const { profile } = this;
    const { firstRun, lastRun } = profile.threads[thread];
    const head = shortened(profile.threadTitle(thread), 120);
    for (let run = firstRun; run < lastRun; run++) {
      const start = profile.runStart[run];
      const end = start + Math.max(0, profile.wall[run]);
      if (time < start || time >= end) continue;
      const kind = profile.kinds[profile.runKind[run]];
      const wait = kind.wait ? this.waitOf(thread, start, end) : undefined;
      return [head, `${kind.words}, ${duration(profile.wall[run])}${kind.many ? " in many waits" : ""}${kind.rest ? ", at rest" : ""}`,
        wait ? shortened(wait.words, 300) : kind.aim,
        this.frameWords(profile.runPath[run]), `at ${duration(time)}`];
    }
    return [head, "not sampled", `at ${duration(time)}`];
  },

  frameWords(path) {
    const { profile } = this;
    if (!path) return undefined;
    const id = profile.functionOfLine(profile.pathLine[path]);
    return `in ${shortened(profile.functions[id].name, 200)}`;
  },

  key(event) {
    if (!this.onRange) return;
    const { start, end } = this.profile.span;
    const from = this.range.from ?? start;
    const to = this.range.to ?? end;
    const step = (to - from) / 4;
    const set = (first, last) => {
      if (first <= start && last >= end) this.onRange(null, null);
      else if (last > first) this.onRange(this.rounded(Math.max(start, first)), this.rounded(Math.min(end, last)));
    };
    if (event.key === "ArrowRight") set(Math.min(from + step, end - (to - from)), Math.min(to + step, end));
    else if (event.key === "ArrowLeft") set(Math.max(from - step, start), Math.max(to - step, start + (to - from)));
    else if (event.key === "+" || event.key === "=") set(from + step, to - step);
    else if (event.key === "-") set(from - step * 2, to + step * 2);
    else if (event.key === "Escape") this.onRange(null, null);
    else if (event.key === "z") this.onZoom({ start: from, end: to });
    else if (event.key === "Z") this.onZoom(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
});
