// The source of what was sampled, with the cost of each line.

/** The source that was found when the page was written, with what each line cost. */
function showSource(page, panel) {
  const { profile, selection, unit } = page;
  const costs = new Map(flatRows(selection, "place").filter(({ item }) => item !== undefined)
    .map((row) => [row.file, { own: row.own[unit], all: row.all[unit] }]));
  const total = selection.total(unit);
  const files = (profile.sources ?? []).map(({ file, lines }) => {
    let weight = 0;
    const rows = [];
    for (let at = 0; at < lines.length; at += 2) {
      const cost = costs.get(`${file}:${lines[at]}`);
      weight += cost?.own ?? 0;
      rows.push({ line: lines[at], text: lines[at + 1], cost, isAfterGap: at > 0 && lines[at] !== lines[at - 2] + 1 });
    }
    const hottest = Math.max(0, ...rows.map(({ cost }) => cost?.own ?? 0));
    return { file, rows, weight, hottest };
  }).filter(({ rows }) => rows.some(({ cost }) => cost?.all > 0)).sort((left, right) => right.weight - left.weight);
  if (files.length === 0) return panel.replaceChildren(element("p", { class: "hint faint" }, "No line of source has time in what is chosen."));
  panel.replaceChildren(...files.slice(0, 60).map(({ file, rows, weight, hottest }, place) => {
    const box = element("details", { class: "thread-lines" }, element("summary", {},
      element("strong", {}, name(lastPart(profile.files[file]), 100)),
      element("span", { class: "faint" }, ` ${shortened(profile.files[file], 160)} · ${amount(weight, unit)} · ${percent(weight, total)}`)));
    box.open = place < OPEN_THREADS;
    box.append(element("div", { class: "table source" }, element("table", {},
      element("thead", {}, element("tr", {}, ["Self", "Total", "Line", ""].map((title, at) =>
        element("th", { class: at < 3 ? "number" : undefined }, title)))),
      element("tbody", {}, rows.map((row) => element("tr", heat(row, hottest),
        element("td", { class: "number" }, row.cost?.own ? bar(cell(row.cost.own, unit), row.cost.own, total) : ""),
        element("td", { class: "number" }, row.cost?.all ? cell(row.cost.all, unit) : ""),
        element("td", { class: "number faint" }, String(row.line)),
        element("td", { class: "code" }, sourceText(row.text))))))));
    return box;
  }));
}

/** How hot a line is drawn: by its own cost, next to the hottest one of its file. */
function heat({ cost, isAfterGap }, hottest) {
  const share = cost?.own > 0 && hottest > 0 ? Math.sqrt(cost.own / hottest) : 0;
  return { class: [isAfterGap ? "gap" : "", share > 0 ? "hot" : ""].join(" ").trim() || undefined, style: { "--heat": `${(share * 100).toFixed(0)}%` } };
}

/** A line of source: its tabs and spaces stay. */
const sourceText = (text) => element("bdi", {}, printable(text.replace(/\t/g, "    ")));
