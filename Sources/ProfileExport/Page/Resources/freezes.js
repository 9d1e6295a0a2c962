// The list of freezes: when a thread did not respond, and by what.

/** The list, whose rows choose their time in every view; null without any freeze. */
function freezeList(page) {
  const { profile } = page;
  const freezes = profile.freezes ?? [];
  if (freezes.length === 0) return null;
  const rows = freezes.map((freeze) => element("li", {}, element("button", {
    type: "button", class: "freeze", title: "Show only this time, in every view",
    onclick: () => page.setFilter({ from: freeze.from, to: freeze.to }),
  }, element("b", {}, `${(freeze.from / 1e9).toFixed(3)} s · ${freeze.atLeast ? "at least " : ""}${duration(freeze.to - freeze.from)}`),
  " ", name(profile.threadTitle(freeze.thread), 80), " · ", name(freeze.words, 400))));
  const rest = profile.freezeCount - freezes.length;
  return element("section", { class: "card", "aria-label": "Freezes" },
    element("div", { class: "card-head" }, element("h2", {}, "Freezes"),
      element("button", { type: "button", id: "whole-time", onclick: () => page.setFilter({ from: null, to: null }) },
        "All of the time")),
    element("ol", { class: "freezes" }, rows),
    rest > 0 ? element("p", { class: "faint" }, `… ${grouped(rest)} shorter ones`) : null);
}
