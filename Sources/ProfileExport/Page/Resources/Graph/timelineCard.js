// The card of the time line: its legend, and the buttons that zoom it and widen the choice of threads.

const SHADE_WORDS = {
  running: "Running", waiting: "Waiting for a CPU", lock: "Waiting for a lock", io: "Waiting for I/O", sleep: "Sleeping",
  event: "Waiting for a thread or signal", blocked: "Blocked", uninterruptible: "Uninterruptible", stopped: "Stopped",
  rest: "At rest", unknown: "Unknown",
};

/** What threads of a profile did, each with its colour. */
function stateLegend(profile) {
  const seen = new Set(profile.kinds.map(shadeOf));
  return element("ul", { class: "legend" }, SHADES.filter((shade) => seen.has(shade)).map((shade) =>
    element("li", {}, element("i", { class: `swatch ${shade}` }), SHADE_WORDS[shade])));
}

class TimelineCard {
  constructor(page) {
    this.page = page;
    const { profile } = page;
    const button = (id, title, onclick) => element("button", { type: "button", id, hidden: true, onclick }, title);
    this.zoomIn = button("zoom-span", "Zoom to the span", () => this.zoom({ start: page.filter.from, end: page.filter.to }));
    this.zoomOut = button("zoom-whole", "All of the time", () => this.zoom(null));
    this.allThreads = button("all-threads", "All threads", () => page.setFilter({ thread: "", only: null }));
    const box = element("div", { class: "scroller timeline" });
    this.element = element("section", { class: "card", "aria-label": "Timeline" },
      element("div", { class: "card-head" }, element("h2", {}, "Threads over time"), stateLegend(profile),
        element("span", { class: "buttons" }, this.zoomIn, this.zoomOut, this.allThreads)), box);
    this.view = new TimelineView(box, profile, {
      label: "Threads over time. Drag to select a span; arrows move it, + and - resize it, z zooms to it, Z zooms out, Escape clears it.",
      onRange: (from, to) => page.setFilter({ from, to }),
      onThread: (thread) => page.chooseThreads([thread]),
      onFreeze: (freeze) => page.chooseFreeze(freeze),
      onZoom: (span) => this.zoom(span),
    });
  }

  /** Gives a part of the time all of the width; null shows the whole. */
  zoom(span) {
    const { start, end } = this.page.profile.span;
    this.view.zoomTo(span && { start: span.start ?? start, end: span.end ?? end });
    this.showButtons();
    this.page.addressBar.note("span");
  }

  show(threads, filter) {
    this.view.show(threads, filter);
    this.showButtons();
  }

  showButtons() {
    const { page, view } = this;
    const { from, to, thread, only } = page.filter;
    const { start, end } = view.span;
    const isChosen = from !== null || to !== null;
    this.zoomIn.hidden = !isChosen || ((from ?? start) === start && (to ?? end) === end);
    this.zoomOut.hidden = !view.zoomedSpan;
    const count = page.profile.threads.length;
    this.allThreads.hidden = !thread && !only;
    this.allThreads.textContent = `All ${grouped(count)} threads`;
  }
}
