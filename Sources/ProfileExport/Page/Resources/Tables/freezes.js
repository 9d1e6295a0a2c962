// The freezes: when a thread did not respond, and by what.

/** The table of freezes, whose rows choose their time and thread in every view. */
function showFreezes(page, panel) {
  const { profile } = page;
  const { freezes } = profile;
  const rest = profile.freezeCount - freezes.length;
  const isFound = searchFilter(page);
  const rows = freezes.map((freeze) => ({ freeze, thread: profile.threadTitle(freeze.thread) }))
    .filter(({ freeze, thread }) => isFound(thread) || isFound(freeze.words));
  const length = ({ freeze }) => freeze.to - freeze.from;
  panel.replaceChildren(
    element("p", { class: "hint faint" }, "A row shows only its time and its thread, in every view.",
      rest > 0 ? ` ${grouped(rest)} shorter freezes are left out.` : ""),
    sortableTable({
      label: "Freezes", rows, sort: 0, order: page.order("freezes"), isDescending: false, onRow: ({ freeze }) => page.chooseFreeze(freeze),
      columns: [
        { title: "At s", isNumber: true, value: ({ freeze }) => freeze.from, text: ({ freeze }) => (freeze.from / 1e9).toFixed(3) },
        { title: "Length", isNumber: true, value: length,
          text: (row) => (row.freeze.atLeast ? "at least " : "") + duration(length(row)) },
        { title: "Thread", value: (row) => row.thread, node: (row) => name(row.thread, 80) },
        { title: "What it did", value: ({ freeze }) => freeze.words, node: ({ freeze }) => name(freeze.words, 400) },
      ],
    }));
}
