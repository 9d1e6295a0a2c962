// The views that are tables: functions and others, lines by thread, waits, source.

/** A row's name and place. */
function rowWords(profile, tableUnit, row) {
  if (row.item === undefined) return { text: "(no stack)", place: "" };
  if (tableUnit === "thread") {
    const thread = profile.threads[row.item];
    return { text: profile.threadTitle(row.item), place: `${thread.tid}${thread.main ? " (main)" : ""}` };
  }
  if (tableUnit === "module") {
    const module = profile.modules[row.item];
    if (module) return { text: module.name, place: module.path };
    const file = profile.files[row.item - profile.modules.length - 1];
    return file !== undefined ? { text: lastPart(file), place: file } : { text: "(no module)", place: "" };
  }
  if (tableUnit === "file") {
    return row.file >= 0 ? { text: lastPart(profile.files[row.file]), place: profile.files[row.file] }
      : { text: "(no file)", place: "" };
  }
  const id = tableUnit === "line" ? profile.functionOfLine(row.item) : row.item;
  const line = tableUnit === "line" ? profile.lineNumber(row.item) : 0;
  return { text: profile.functions[id].name, place: profile.place(id) + (line > 0 ? `:${line}` : "") };
}

/** Which rows the search leaves in a table. */
function searchFilter(page) {
  const { text, isRegex } = page.search;
  if (!text) return () => true;
  try {
    const pattern = isRegex ? new RegExp(text, "u") : undefined;
    const lower = text.toLowerCase();
    return (words) => (pattern ? pattern.test(words) : words.toLowerCase().includes(lower));
  } catch {
    return () => true;
  }
}

function showTables(page, panel) {
  const { profile, selection, unit, tableUnit } = page;
  const isFound = searchFilter(page);
  const rows = flatRows(selection, tableUnit).map((row) => ({ ...row, ...rowWords(profile, tableUnit, row) }))
    .filter(({ text }) => isFound(text));
  const total = selection.total(unit);
  const number = (title, key, help) => ({
    title, isNumber: true, help, value: (row) => row[key][unit],
    node: (row) => bar(cell(row[key][unit], unit), row[key][unit], total, row.error?.(key, unit)),
  });
  const share = (key) => ({
    title: "%", isNumber: true, help: "±: the true share is within this in 19 of 20 captures",
    value: (row) => row[key][unit],
    text: (row) => percentWithError(row[key][unit], total, row.error?.(key, unit)),
  });
  const word = UNIT_WORDS[unit].toLowerCase() + (isTime(unit) ? ", seconds" : "");
  const columns = [
    number("Self", "own", `${word}: spent in it itself`), share("own"),
    ...(tableUnit === "thread" ? [] : [number("Total", "all", `${word}: with everything it called`), share("all")]),
    { title: { function: "Function", line: "Function", file: "File", module: "Module", thread: "Thread" }[tableUnit],
      value: (row) => row.text.toLowerCase(), node: (row) => name(row.text, 140), class: "name" },
    { title: tableUnit === "thread" ? "Tid" : "Where", value: (row) => row.place, class: "place", node: (row) => place(row.place) },
  ];
  panel.replaceChildren(
    element("div", { class: "flame-head" }, element("div", { class: "segments", role: "group", "aria-label": "Rows" },
      TABLE_UNITS.map((each) => element("button", {
        type: "button", "aria-pressed": String(each === tableUnit), "data-table": each,
        onclick: () => page.setTableUnit(each),
      }, each[0].toUpperCase() + each.slice(1)))),
    element("span", { class: "faint" }, `${rows.length} rows · ${word}`)),
    sortableTable({ columns, rows, sort: 0, label: `By ${tableUnit}`, onRow: rowAction(page, tableUnit), order: page.order(tableUnit) }));
  page.shownRows = rows;
}

/** What a click on a row does. */
function rowAction(page, tableUnit) {
  return {
    function: (row) => row.item !== undefined && showInFlame(page, page.profile.functions[row.item].name),
    line: (row) => row.item !== undefined
      && showInFlame(page, page.profile.functions[page.profile.functionOfLine(row.item)].name),
    module: (row) => row.place && page.setFilter({ module: row.text.replace(/[\\*?[\]]/g, "\\$&") }),
    thread: (row) => page.chooseThreads([row.item]),
  }[tableUnit];
}

function showInFlame(page, text) {
  page.chooseTab("flame");
  page.setSearch(text, false);
}

/** The most threads whose tables are open at first. */
const OPEN_THREADS = 3;

/** The table of lines that each thread has in the text report, too. */
function showLines(page, panel) {
  const { profile, selection } = page;
  const live = selection.liveThreads();
  const isFound = searchFilter(page);
  const threads = (page.timeline?.rows ?? profile.threads.map((thread) => thread.index)).filter((thread) => live[thread]);
  const cpu = new Float64Array(profile.threads.length);
  const column = selection.column("cpu");
  for (const run of selection.runs) cpu[profile.runThread[run]] += column[run];
  const shown = threads.slice(0, 200);
  const fill = (box, thread) => {
    if (box.childElementCount > 1) return;
    const rows = flatRows(selection, "line", (run) => profile.runThread[run] === thread)
      .map((row) => ({ ...row, ...rowWords(profile, "line", row) })).filter(({ text }) => isFound(text));
    const number = (title, key, unit) => ({
      title, isNumber: true, value: (row) => row[key][unit], text: (row) => cell(row[key][unit], unit),
    });
    box.append(sortableTable({
      label: `Lines of thread ${profile.threads[thread].tid}`, rows, sort: 0, order: page.order(`thread${thread}`),
      columns: [
        number("cpu_time", "own", "cpu"), number("(cum)", "all", "cpu"), number("ticks", "own", "ticks"),
        number("(cum)", "all", "ticks"), number("samples", "own", "samples"), number("(cum)", "all", "samples"),
        { title: "filename:lineno", value: (row) => row.place, class: "place", node: (row) => place(row.place) },
        { title: "function", value: (row) => row.text, class: "name", node: (row) => name(row.text, 140) },
      ],
      onRow: rowAction(page, "line"),
    }));
  };
  panel.replaceChildren(...shown.map((thread, place) => {
    const info = profile.threads[thread];
    const box = element("details", { class: "thread-lines" }, element("summary", {},
      element("strong", {}, name(profile.threadTitle(thread), 120)), info.main ? " (main)" : "",
      element("span", { class: "faint" }, ` thread ${info.tid} · ${(cpu[thread] / 1e9).toFixed(3)} s CPU`)));
    box.addEventListener("toggle", () => { if (box.open) fill(box, thread); });
    if (place < OPEN_THREADS) {
      box.open = true;
      fill(box, thread);
    }
    return box;
  }), ...(threads.length > shown.length ? [element("p", { class: "faint" }, `… ${threads.length - shown.length} more threads (use the thread filter to see them)`)] : []));
}

function showWaits(page, panel) {
  const { profile, selection } = page;
  const isFound = searchFilter(page);
  const whole = selection.total("wall");
  // Made for the rows that are looked at: there may be very many.
  const chain = ({ path }) => {
    const words = [];
    for (let at = path; at !== 0 && words.length < 6; at = profile.pathParent[at]) {
      words.push(shortened(profile.functions[profile.functionOfLine(profile.pathLine[at])].name, 60));
    }
    return words.join(" ← ");
  };
  const all = waitRows(selection);
  const rows = page.search.text ? all.filter((row) => isFound(chain(row))) : all;
  const who = (row) => {
    const [first] = row.threads;
    return row.threads.size === 1 ? shortened(profile.threadTitle(first), 40) : `${row.threads.size} threads`;
  };
  const known = profile.waits.filter((wait) => selection.threads[wait.thread])
    .sort((left, right) => Number(right.ring) - Number(left.ring) || (right.to - right.from) - (left.to - left.from));
  panel.replaceChildren(
    known.length > 0 ? element("ul", { class: "known-waits" }, known.slice(0, 30).map((wait) =>
      element("li", { class: wait.ring ? "ring" : undefined },
        element("strong", {}, name(profile.threadTitle(wait.thread), 80)), " ", name(wait.words, 400),
        element("span", { class: "faint" }, ` · for ${duration(wait.to - wait.from)}`),
        wait.ring ? element("b", {}, " · in a cycle") : null))) : "",
    sortableTable({
      label: "Waits", rows, sort: 0, order: page.order("waits"),
      columns: [
        { title: "Total s", isNumber: true, value: (row) => row.wall, node: (row) => bar(cell(row.wall, "wall"), row.wall, whole) },
        { title: "Longest s", isNumber: true, value: (row) => row.longest, text: (row) => cell(row.longest, "wall") },
        { title: "Count", isNumber: true, value: (row) => row.count, text: (row) => grouped(row.count) },
        { title: "What for", value: (row) => row.kind.aim ?? "", node: (row) => [
          element("i", { class: `swatch ${shadeOf(row.kind)}` }), " ", name((row.kind.aim ?? "blocked") + (row.kind.rest ? ", at rest" : ""), 160)] },
        { title: "Blocked in", value: (row) => row.kind.wait ?? "", text: (row) => (row.kind.wait ?? "blocked") + (row.kind.state === "uninterruptible" ? " (uninterruptible)" : "") },
        { title: "Thread", value: who, node: (row) => name(who(row)) },
        { title: "Function ← callers", value: chain, class: "name", node: (row) => name(chain(row), 400) },
      ],
    }));
}
