// Keyboard shortcuts, and the help that lists them.

const KEYS = [
  ["/", "Find functions"], ["1 – 5", "Wall time, CPU time, ticks, samples, run delay"],
  ["f  r  t  l  w  e  g  b  s", "Flame graph, call tree, tables, lines by thread, waits, freezes, GIL, blame, source"],
  ["c  i  o", "Callers first, inverted, by time"], ["h  n", "Hide idle, show native frames"], ["x", "Show everything: clear all filters"],
  ["← ↑ → ↓", "In the flame graph: move between frames"], ["Enter", "Zoom into the frame"], ["→ ←", "In the call tree: open and close a row"],
  ["Esc", "Zoom out; clear the search"], ["Home", "Zoom out all the way"],
  ["drag", "On the timeline: show only this span, in every view"],
  ["← →  + −", "On the timeline: move the span, make it shorter or longer"],
  ["z  Z", "On the timeline: zoom to the span, zoom out; so does the wheel with Ctrl"],
  ["?", "This help"],
];

function toggleHelp() {
  const help = byId("help");
  if (help.open) return help.close();
  help.replaceChildren(
    element("h2", {}, "Keyboard shortcuts"),
    element("dl", { class: "keys" }, KEYS.flatMap(([key, words]) =>
      [element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)])),
    element("form", { method: "dialog" }, element("button", {}, "Close")));
  help.showModal();
}

function installKeys(page) {
  const tabs = { f: "flame", r: "tree", g: "gil", t: "functions", l: "lines", w: "waits", e: "freezes", b: "blame", s: "source" };
  const modes = { c: "down", i: "up", o: "time" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "Escape" && event.target === page.toolbar?.searchInput) {
      page.setSearch("", false);
      page.toolbar.searchInput.blur();
    }
    if (isTyping) return;
    if (event.key === "/") page.toolbar?.searchInput.focus();
    else if (event.key === "?") toggleHelp();
    else if (UNITS[Number(event.key) - 1]) page.setUnit(UNITS[Number(event.key) - 1]);
    else if (page.tabs[tabs[event.key]]?.hidden === false) page.chooseTab(tabs[event.key]);
    else if (modes[event.key]) page.setMode(modes[event.key]);
    else if (event.key === "x") page.setFilter(noFilter());
    else if (event.key === "h" && page.filter) page.setFilter({ isIdleHidden: !page.filter.isIdleHidden });
    else if (event.key === "n" && page.filter) page.setNative(!page.withNative);
    else if (event.key === "Escape") page.flame.zoom(Math.max(0, page.flame.tree.parent[page.flame.zoomed]));
    else return;
    event.preventDefault();
  });
}
