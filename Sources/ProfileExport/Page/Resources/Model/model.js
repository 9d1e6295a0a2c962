// What is left of a profile by the filters, as `sprof report` leaves it.

/** Which names a shell pattern matches in full: `*`, `?`, `[a-z]`, `[!a-z]` and `\`. */
function globPattern(glob) {
  const characters = Array.from(glob);
  let source = "";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (character === "\\") source += literalPattern(characters[++at] ?? "\\");
    else if (character === "[") {
      const set = globSet(characters, at + 1);
      source += set ? set.source : "\\[";
      if (set) at = set.end;
    } else source += literalPattern(character);
  }
  // What goes back too far is no pattern of a person.
  return new RegExp(`^(?:${source.replace(/(\.\*)+/g, ".*")})$`, "su");
}

/** A set whose bracket has been read; undefined when it is never closed. */
function globSet(characters, start) {
  let at = start;
  const isNegated = characters[at] === "!" || characters[at] === "^";
  if (isNegated) at++;
  const first = at;
  let source = "";
  const escaped = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;
  while (at < characters.length && (characters[at] !== "]" || at === first)) {
    const low = characters[at];
    const high = characters[at + 2];
    if (characters[at + 1] === "-" && high !== undefined && high !== "]") {
      if (low.codePointAt(0) <= high.codePointAt(0)) source += `${escaped(low)}-${escaped(high)}`;
      at += 3;
    } else {
      source += escaped(low);
      at++;
    }
  }
  if (at >= characters.length) return undefined;
  // An empty set matches nothing, and its opposite everything.
  if (source === "") return { source: isNegated ? "." : "(?!)", end: at };
  return { source: `[${isNegated ? "^" : ""}${source}]`, end: at };
}

/** The amount times part by whole, rounded towards zero, without a rounding in between. */
function share(value, part, whole) {
  const product = Math.abs(value) * part;
  if (product <= Number.MAX_SAFE_INTEGER) {
    return Math.sign(value) * Math.floor(product / whole);
  }
  return Number((BigInt(value) * BigInt(part)) / BigInt(whole));
}

/** Everything. `only` are indexes of threads, or null for all. */
const noFilter = () => ({
  thread: "", only: null, isIdleHidden: false, states: [], wait: "", from: null, to: null, focus: "",
  ignore: "", module: "",
});

/** What a page shows at first: the threads that the verdict is about, and no time in which they rest. */
function startFilter(profile) {
  const filter = noFilter();
  const named = [...new Set(profile.verdict?.threads ?? [])].filter((thread) => profile.threads[thread]);
  if (named.length > 0 && named.length < profile.threads.length) filter.only = named;
  const hidden = { ...filter, isIdleHidden: true };
  const isLeft = new Selection(profile, hidden).total("wall") > 0;
  return isLeft && profile.kinds.some(({ rest }) => rest) ? hidden : filter;
}

/** Whether a filter takes nothing away. */
const isEverything = (filter) =>
  !filter.thread && !filter.only && !filter.isIdleHidden && !filter.wait && filter.states.length === 0
  && filter.from === null && filter.to === null && !filter.focus && !filter.ignore && !filter.module;

/** What of a filter `sprof report` has no option for; empty where it has all. */
function unknownToReport(filter) {
  return [
    filter.isIdleHidden ? "time at rest" : "", filter.only?.length > 1 ? "several threads" : "",
    filter.wait ? "what a thread is blocked in" : "",
  ].filter(Boolean);
}

/** What `sprof report` takes for the same figures; undefined where it has no such option. */
function reportOptions(filter, profile) {
  if (unknownToReport(filter).length > 0) return undefined;
  const words = [];
  const add = (name, value) => { if (value) words.push(name, shellWord(value)); };
  add("--thread", filter.only ? String(profile.threads[filter.only[0]]?.tid) : filter.thread);
  for (const state of filter.states) words.push("--state", state);
  if (filter.from !== null) words.push("--from", moment(filter.from));
  if (filter.to !== null) words.push("--to", moment(filter.to));
  add("--focus", filter.focus);
  add("--ignore", filter.ignore);
  add("--module", filter.module);
  return words.join(" ");
}

/** The threads that a list, a pattern or a number chooses, as 0 or 1 by index; all without any. */
function chosenThreads(profile, { thread: glob, only }) {
  const chosen = new Uint8Array(profile.threads.length);
  if (only) {
    for (const index of only) if (index < chosen.length) chosen[index] = 1;
    return chosen;
  }
  if (!glob) return chosen.fill(1);
  const pattern = globPattern(glob);
  const tid = /^[+-]?\d+$/.test(glob) ? Number(glob) : undefined;
  profile.threads.forEach((thread, index) => {
    const isChosen = thread.tid === tid || pattern.test(thread.name)
      || (thread.process !== undefined && pattern.test(profile.threadTitle(index)));
    chosen[index] = isChosen ? 1 : 0;
  });
  return chosen;
}

/** By path, whether the filter leaves its stack; undefined without a filter by function. */
function chosenPaths(profile, filter) {
  if (!filter.focus && !filter.ignore && !filter.module) return undefined;
  const focus = matchesOf(profile, filter.focus);
  const ignore = matchesOf(profile, filter.ignore);
  const module = filter.module ? moduleMatches(profile, filter.module) : undefined;
  const count = profile.pathCount;
  const [inFocus, ignored, inModule] = [0, 0, 0].map(() => new Uint8Array(count));
  const chosen = new Uint8Array(count);
  for (let path = 0; path < count; path++) {
    if (path > 0) {
      const parent = profile.pathParent[path];
      const id = profile.functionOfLine(profile.pathLine[path]);
      inFocus[path] = inFocus[parent] | (focus ? focus[id] : 0);
      ignored[path] = ignored[parent] | (ignore ? ignore[id] : 0);
      inModule[path] = inModule[parent] | (module ? module[id] : 0);
    }
    chosen[path] = (!focus || inFocus[path]) && !ignored[path] && (!module || inModule[path])
      ? 1 : 0;
  }
  return chosen;
}

/** By function, whether a regular expression matches a part of its name. */
function matchesOf(profile, text, isPlain = false) {
  if (!text) return undefined;
  const pattern = isPlain ? undefined : new RegExp(text, "u");
  const lower = text.toLowerCase();
  return Uint8Array.from(profile.functions, ({ name, kind }) =>
    kind !== STAND_IN
    && (isPlain ? name.toLowerCase().includes(lower) : pattern.test(name)) ? 1 : 0);
}

/** By function, whether its module is wanted; what has a file and no module, such as Python, has the file for it. */
function moduleMatches(profile, glob) {
  const pattern = globPattern(glob);
  const isWanted = (name, path) => pattern.test(name) || pattern.test(path);
  const isModule = profile.modules.map(({ name, path }) => isWanted(name, path));
  const isFile = profile.files.map((path) => isWanted(lastPart(path), path));
  return Uint8Array.from(profile.functions, ({ module, file }) =>
    ((module >= 0 ? isModule[module] : isFile[file]) ? 1 : 0));
}

/** By kind of run, whether the filter leaves it. */
function chosenKinds(profile, filter) {
  const wanted = new Set(filter.states);
  return Uint8Array.from(profile.kinds, ({ state, wait, rest }) => {
    if (rest && filter.isIdleHidden) return 0;
    const isState = wanted.size === 0 || wanted.has(state)
      || (state === "uninterruptible" && wanted.has("blocked"));
    return isState && (!filter.wait || wait === filter.wait) ? 1 : 0;
  });
}

/** The runs that a filter leaves, with the weights of their parts in the window of time. */
class Selection {
  constructor(profile, filter, withNative = true) {
    this.profile = profile;
    this.filter = filter;
    /** By run: its path as it is shown. Filters go by all of its frames. */
    this.runPath = withNative ? profile.runPath : pathsWithoutNative(profile);
    this.threads = chosenThreads(profile, filter);
    const paths = chosenPaths(profile, filter);
    const kinds = chosenKinds(profile, filter);
    const from = filter.from ?? -Infinity;
    const to = filter.to ?? Infinity;
    const isWhole = from === -Infinity && to === Infinity;
    const runs = new Int32Array(profile.runCount);
    let count = 0;
    this.cut = new Map();
    for (let thread = 0; thread < profile.threads.length; thread++) {
      if (!this.threads[thread]) continue;
      const { firstRun, lastRun } = profile.threads[thread];
      for (let run = firstRun; run < lastRun; run++) {
        if (!kinds[profile.runKind[run]] || (paths && !paths[profile.runPath[run]])) continue;
        if (!isWhole && !this.keepPart(run, from, to)) continue;
        runs[count++] = run;
      }
    }
    this.runs = runs.subarray(0, count);
    this.columns = {};
  }

  /** Whether a run reaches into a window; what is outside is cut in proportion. */
  keepPart(run, from, to) {
    const { profile } = this;
    const start = profile.runStart[run];
    const wall = profile.wall[run];
    if (!(wall > 0)) return from <= start && start < to;
    if (from <= start && to >= start + wall) return true;
    const first = Math.max(from, start);
    const last = Math.min(to, start + wall);
    if (!(first < last)) return false;
    this.cut.set(run, { head: first - start, tail: last - start, wall });
    return true;
  }

  /** The amounts of a unit, by run of the profile; only those that are left are meant. */
  column(unit) {
    const known = this.columns[unit];
    if (known) return known;
    let column = this.profile[unit];
    if (this.cut.size > 0) {
      column = column.slice();
      for (const [run, { head, tail, wall }] of this.cut) {
        column[run] = share(column[run], tail, wall) - share(column[run], head, wall);
      }
    }
    this.columns[unit] = column;
    return column;
  }

  total(unit) {
    const column = this.column(unit);
    let total = 0;
    for (const run of this.runs) total += column[run];
    return total;
  }

  totals() { return Object.fromEntries(UNITS.map((unit) => [unit, this.total(unit)])); }

  /** By thread: whether anything of it is left. */
  liveThreads() {
    const live = new Uint8Array(this.profile.threads.length);
    for (const run of this.runs) live[this.profile.runThread[run]] = 1;
    return live;
  }
}
