// The details of one frame: where it is, what it cost, its callers and its callees.

/** The words that name a node of a call tree. */
function nodeWords(tree, node) {
  const { profile } = tree;
  const item = tree.item[node];
  if (item >= 0) return profile.functions[item].name;
  if (item === ROOT) return "All threads";
  if (item === THREAD) {
    const thread = profile.threads[tree.detail[node]];
    return `${profile.threadTitle(tree.detail[node])} (${thread.main ? "main, " : ""}${thread.tid})`;
  }
  if (item === MISSING) return `Callers unknown: ${profile.kinds[tree.detail[node]].why}`;
  return "No stack";
}

/** The family that gives a node its colour and shape. */
function nodeFamily(tree, node) {
  const item = tree.item[node];
  if (item === ROOT || item === THREAD) return "thread";
  if (item < 0) return "standIn";
  const { kind } = tree.profile.functions[item];
  if (kind === STAND_IN) return "standIn";
  if (kind === PYTHON) return "python";
  if (kind === KERNEL) return "kernel";
  if (kind === JAVA) return "java";
  return tree.isInlined[node] ? "inlined" : "native";
}

const FAMILY_WORDS = {
  native: "native code", python: "Python", java: "Java", kernel: "kernel", inlined: "inlined by the compiler",
  standIn: "in place of missing frames", thread: "",
};

/** Whether all of a node's weight comes from stacks that a search had to complete. */
const isGuessed = (tree, node) =>
  tree.totalGuessed[node] > 0 && tree.totalGuessed[node] >= tree.total[node];

/** How a node of a call tree is drawn. */
function nodeLook(tree, node) {
  const family = nodeFamily(tree, node);
  const words = nodeWords(tree, node);
  const module = tree.item[node] >= 0 ? tree.profile.functions[tree.item[node]].module : 0;
  const isMissing = tree.item[node] === MISSING || tree.item[node] === NO_STACK;
  return {
    family, words, text: shortened(words, 240) + (tree.line[node] > 0 ? `:${tree.line[node]}` : ""),
    fill: familyColor(family, family === "thread" || isMissing ? "" : `${words} ${module}`),
    isHatched: isMissing || isGuessed(tree, node), isDashed: family === "standIn",
    ink: family === "thread" || family === "standIn" ? palette().text : undefined,
  };
}

/**
 * Fills the panel beside a flame graph, which is there for as long as something is selected; returns whether
 * the flame graph has another width now.
 */
function fillDetails(panel, isShown, parts) {
  const isOther = panel.hidden === isShown;
  panel.hidden = !isShown;
  panel.parentElement.classList.toggle("with-details", isShown);
  panel.replaceChildren(...(isShown ? parts().filter(Boolean) : []));
  return isOther;
}

/** The button that closes the panel. */
const closeButton = (flame) => element("button", {
  type: "button", class: "close", "aria-label": "Close the details", title: "Close",
  onclick: () => {
    flame.select(0);
    flame.draw();
    flame.canvas.focus();
  },
}, "×");

/** What the panel beside the flame graph has of a frame. */
function detailsPanel(context, tree, node) {
  const { profile, unit } = context;
  const item = tree.item[node];
  const whole = tree.total[0];
  const family = nodeFamily(tree, node);
  const rows = [
    ["Total", `${amount(tree.total[node], unit)}, ${percent(tree.total[node], whole)}`],
    ["Self", context.mode === "up" ? undefined
      : `${amount(tree.own[node], unit)}, ${percent(tree.own[node], whole)}`],
  ];
  const parts = [
    element("h3", {}, element("i", { class: `chip ${family}` }), name(nodeWords(tree, node), 600), closeButton(context.flame)),
    element("p", { class: "faint" },
      FAMILY_WORDS[family] + (isGuessed(tree, node) ? ", found by scanning the stack: likely, not certain" : "")),
  ];
  if (item < 0) return [...parts, facts(rows)];
  const source = profile.functions[item];
  const plain = context.plainTree();
  const around = neighbours(plain, item);
  const errors = functionErrors(context.selection, item);
  const figures = (weight, key) =>
    `${amount(weight, unit)}, ${percentWithError(weight, whole, errorOf(errors?.[key], 0, unit))}${whole > 0 ? " %" : ""}`;
  rows.push(["Total, all places", figures(around.total, "all")]);
  rows.push(["Self, all places", figures(around.own, "own")]);
  const lines = linesOf(context.selection, item, unit).slice(0, 6);
  if (source.file >= 0) rows.push(["File", name(profile.files[source.file], 400)]);
  if (lines.length > 0) {
    rows.push(["Lines", lines.map(([line, weight], index) =>
      element("span", {}, index > 0 ? ", " : "", String(line),
        element("small", {}, ` ${percent(weight, around.total)}`)))]);
  }
  if (source.module >= 0) rows.push(["Module", name(profile.modules[source.module].path, 400)]);
  const pattern = `^${literalPattern(source.name)}$`;
  return [
    ...parts, facts(rows),
    element("p", { class: "actions" },
      element("button", { type: "button", onclick: () => context.setFilter({ focus: pattern }) }, "Focus"),
      element("button", { type: "button", onclick: () => context.setFilter({ ignore: pattern }) }, "Ignore"),
      element("button", { type: "button", onclick: () => context.setSearch(source.name, false) }, "Find all")),
    neighbourList("Called by", around.callers, around.total, context),
    neighbourList("Calls", around.callees, around.total, context),
  ];
}

const facts = (rows) => element("dl", {}, rows.filter(([, value]) => value !== undefined)
  .flatMap(([title, value]) => [element("dt", {}, title), element("dd", {}, value)]));

function neighbourList(title, entries, whole, context) {
  if (entries.length === 0) return undefined;
  const { profile, unit } = context;
  return element("section", {}, element("h4", {}, title), element("ul", { class: "calls" },
    entries.slice(0, 12).map(([id, weight]) => {
      const text = id >= 0 ? profile.functions[id].name : "(outermost)";
      const words = bar(name(text, 120), weight, whole);
      return element("li", {},
        id >= 0 ? element("button", { type: "button", title: shortened(text, 600), onclick: () => context.setSearch(text, false) }, words)
          : words,
        element("span", { class: "number" }, percent(weight, whole)));
    }), entries.length > 12 ? element("li", { class: "faint" }, `… ${entries.length - 12} more`) : null));
}
