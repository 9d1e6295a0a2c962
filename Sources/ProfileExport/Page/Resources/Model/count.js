// The figures of tables: what each function, line, file, module or thread cost.

/** The units of the rows of a flat table. */
const TABLE_UNITS = ["function", "line", "file", "module", "thread"];

/** By line: the item that it counts for, and how many items there are; -1 counts for none. */
function itemsOf(profile, tableUnit) {
  const lines = profile.lines.length / 2;
  const items = new Int32Array(lines);
  const modules = profile.modules.length;
  const files = new Map();
  const names = [];
  for (let line = 0; line < lines; line++) {
    const id = profile.functionOfLine(line);
    const source = profile.functions[id];
    if (source.kind === STAND_IN) items[line] = -1;
    else if (tableUnit === "line") items[line] = line;
    else if (tableUnit === "function") items[line] = id;
    // What has a file and no module, such as Python, counts for the file; behind the modules is the place of what has neither.
    else if (tableUnit === "module") items[line] = source.module >= 0 ? source.module : modules + 1 + source.file;
    else {
      // A place is a line of a file, whatever functions it was compiled into.
      const key = tableUnit === "file" ? source.file : `${source.file}:${profile.lineNumber(line)}`;
      if (!files.has(key)) {
        files.set(key, names.length);
        names.push(tableUnit === "file" ? source.file : key);
      }
      items[line] = files.get(key);
    }
  }
  const counts = {
    line: lines, function: profile.functions.length, module: modules + 1 + profile.files.length,
    file: names.length, place: names.length,
  };
  return { items, count: counts[tableUnit], files: names };
}

/** Sums of all units. */
const noWeight = () => ({ wall: 0, cpu: 0, ticks: 0, samples: 0, delay: 0 });

/** The weights of the runs of a selection that `isCounted` names, by path. */
function weightsByPath(selection, isCounted = () => true) {
  const { profile } = selection;
  const columns = UNITS.map((unit) => selection.column(unit));
  const places = new Int32Array(profile.pathCount).fill(-1);
  const paths = [];
  const sums = [];
  for (const run of selection.runs) {
    if (!isCounted(run)) continue;
    const path = selection.runPath[run];
    let place = places[path];
    if (place < 0) {
      place = places[path] = paths.length;
      paths.push(path);
      sums.push(0, 0, 0, 0, 0);
    }
    for (let unit = 0; unit < 5; unit++) sums[place * 5 + unit] += columns[unit][run];
  }
  return { paths, sums };
}

/**
 * Rows of `{item, own, all, error}`: an item counts once for a stack that it is in; `error(key, unit)` is how
 * far a figure may be off by chance, in 19 of 20 captures.
 */
function flatRows(selection, tableUnit, isCounted) {
  if (tableUnit === "thread") return threadRows(selection);
  const { profile } = selection;
  const { items, count, files } = itemsOf(profile, tableUnit);
  const { paths, sums } = weightsByPath(selection, isCounted);
  const own = new Float64Array(count * 5);
  const all = new Float64Array(count * 5);
  const lastStack = new Int32Array(count).fill(-1);
  const seen = [];
  const noStack = noWeight();
  const errors = itemErrors(selection, items, count, isCounted);
  let hasNoStack = false;
  paths.forEach((path, stack) => {
    if (path === 0) {
      hasNoStack = true;
      UNITS.forEach((unit, place) => { noStack[unit] += sums[stack * 5 + place]; });
    }
    for (let at = path; at !== 0; at = profile.pathParent[at]) {
      const item = items[profile.pathLine[at]];
      if (item < 0 || lastStack[item] === stack) continue;
      if (lastStack[item] < 0) seen.push(item);
      lastStack[item] = stack;
      for (let unit = 0; unit < 5; unit++) {
        const weight = sums[stack * 5 + unit];
        all[item * 5 + unit] += weight;
        if (at === path) own[item * 5 + unit] += weight;
      }
    }
  });
  const weight = (column, item) =>
    Object.fromEntries(UNITS.map((unit, place) => [unit, column[item * 5 + place]]));
  const rows = seen.map((item) => ({
    item,
    file: tableUnit === "file" || tableUnit === "place" ? files[item] : undefined,
    own: weight(own, item), all: weight(all, item),
    error: (key, unit) => errorOf(errors?.[key], item, unit),
  }));
  if (hasNoStack) rows.push({ item: undefined, own: noStack, all: { ...noStack } });
  return rows;
}

function threadRows(selection) {
  const { profile } = selection;
  const rows = profile.threads.map((thread, item) => ({ item, own: noWeight() }));
  const live = selection.liveThreads();
  for (const unit of UNITS) {
    const column = selection.column(unit);
    for (const run of selection.runs) rows[profile.runThread[run]].own[unit] += column[run];
  }
  for (const row of rows) row.all = row.own;
  return rows.filter(({ item }) => live[item]);
}

/** What threads waited in: by stack and kind of wait, how often, how long at most. */
function waitRows(selection) {
  const { profile } = selection;
  const rows = new Map();
  const wall = selection.column("wall");
  const samples = selection.column("samples");
  for (const run of selection.runs) {
    const kind = profile.kinds[profile.runKind[run]];
    if (kind.state !== "blocked" && kind.state !== "uninterruptible") continue;
    const key = selection.runPath[run] * profile.kinds.length + kind.sameWait;
    let row = rows.get(key);
    if (!row) {
      row = {
        path: selection.runPath[run], kind, count: 0, longest: 0, wall: 0, threads: new Set(),
      };
      rows.set(key, row);
    }
    const count = (kind.many ? Math.max(1, Math.round(samples[run])) : 1) - (kind.on ? 1 : 0);
    row.count += count;
    row.wall += wall[run];
    row.longest = Math.max(row.longest, wall[run] / Math.max(1, count));
    row.threads.add(profile.runThread[run]);
  }
  return [...rows.values()].sort((left, right) => right.wall - left.wall);
}

/** The functions that called a function and that it called, with the weights of these calls. */
function neighbours(tree, id) {
  const callers = new Map();
  const callees = new Map();
  const sum = { own: 0, total: 0 };
  const isInside = new Uint8Array(tree.count);
  const add = (map, key, weight) => map.set(key, (map.get(key) ?? 0) + weight);
  const name = (node) => (tree.item[node] >= 0 ? tree.item[node] : -1);
  for (let node = 1; node < tree.count; node++) {
    const parent = tree.parent[node];
    isInside[node] = isInside[parent] || tree.item[node] === id ? 1 : 0;
    if (tree.item[node] === id) {
      sum.own += tree.own[node];
      // Under recursion the outermost call holds the others.
      if (!isInside[parent]) sum.total += tree.total[node];
      if (!isInside[parent]) add(callers, name(parent), tree.total[node]);
    } else if (tree.item[parent] === id && tree.item[node] >= 0) {
      if (!isNestedCall(tree, node, id)) add(callees, tree.item[node], tree.total[node]);
    }
  }
  const list = (map) => [...map].sort((left, right) => right[1] - left[1]);
  return { ...sum, callers: list(callers), callees: list(callees) };
}

/** Whether a call is below another one of the same function by the same caller. */
function isNestedCall(tree, node, caller) {
  for (let at = tree.parent[node]; at > 0; at = tree.parent[at]) {
    if (tree.item[at] === tree.item[node] && tree.item[tree.parent[at]] === caller) return true;
  }
  return false;
}

/** The lines of a function that were seen, with the weights of the stacks that they are in. */
function linesOf(selection, id, unit) {
  const { profile } = selection;
  const sums = new Map();
  const column = selection.column(unit);
  const byPath = new Float64Array(profile.pathCount);
  for (const run of selection.runs) byPath[selection.runPath[run]] += column[run];
  for (let path = profile.pathCount - 1; path > 0; path--) {
    byPath[profile.pathParent[path]] += byPath[path];
    const line = profile.pathLine[path];
    if (profile.functionOfLine(line) !== id) continue;
    const number = profile.lineNumber(line);
    if (number > 0) sums.set(number, (sums.get(number) ?? 0) + byPath[path]);
  }
  return [...sums].sort((left, right) => right[1] - left[1]);
}
