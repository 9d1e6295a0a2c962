// From the document in the page to columns of numbers.

/** The bytes of base64 text. */
function bytesOf(base64) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Unsigned numbers of 7 bits a byte, the low ones first, as `count` numbers. */
function readVarints(bytes, count, into = new Float64Array(count)) {
  let at = 0;
  for (let index = 0; index < count; index++) {
    let byte = bytes[at++];
    let value = byte & 127;
    let scale = 128;
    while (byte >= 128) {
      byte = bytes[at++];
      // Bit operations end at 32 bits.
      value += (byte & 127) * scale;
      scale *= 128;
    }
    into[index] = value;
  }
  return into;
}

/** Undoes the folding of negative numbers between the positive ones. */
function unfold(numbers) {
  for (let index = 0; index < numbers.length; index++) {
    const value = numbers[index];
    numbers[index] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  return numbers;
}

/** The document in the page, with its profiles read. */
async function readDocument(text, columns) {
  const data = JSON.parse(text);
  let bytes = bytesOf(columns);
  if (data.isPacked) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  }
  data.profiles = data.profiles.map((profile) => new Profile(profile, bytes));
  return data;
}

/** What the functions of a profile are: shown by colour and shape. */
const NATIVE = 0;
const PYTHON = 1;
const KERNEL = 2;
const STAND_IN = 3;
const JAVA = 4;

/** The states of threads, as `--state` calls them. */
const STATES = ["running", "waiting", "blocked", "uninterruptible", "stopped", "unknown"];

/** What a thread does, as it is coloured: the states, and blocked ones by what they are blocked for. */
const SHADES = [
  "running", "waiting", "lock", "io", "sleep", "event", "blocked", "uninterruptible", "stopped", "rest", "unknown",
];

/** The shade of a kind of run. */
function shadeOf({ state, group, rest }) {
  if (state !== "blocked") return state;
  if (rest) return "rest";
  return group !== "other" && SHADES.includes(group) ? group : state;
}

/** Whether what two kinds of runs wait for is the same, in one wait or in many. */
function isSameWait(left, right) {
  return ["state", "wait", "words", "end", "group", "aim", "rest"].every((key) => left[key] === right[key]);
}

/** The tree of blame, without the root for all threads: of each node its parent, its text, its kind and its own time. */
function readBlame({ count, columns, texts, kinds, blockers }, bytes) {
  const column = (name) => {
    const [start, length] = columns[name];
    return readVarints(bytes.subarray(start, start + length), count);
  };
  const parents = Array.from(column("parents"), (step, node) => node - step);
  return { parents, texts, blockers, words: column("words"), own: unfold(column("own")),
    kinds: Array.from(column("kinds"), (kind) => kinds[kind]) };
}

/** One profile with all of its columns. */
class Profile {
  constructor(data, bytes) {
    Object.assign(this, data);
    this.functions = data.functions.map(([name, file, module, kind]) =>
      ({ name, file, module, kind }));
    const column = (name, count, type) => {
      const [start, length] = data.columns[name];
      const into = type ? new type(count) : undefined;
      return readVarints(bytes.subarray(start, start + length), count, into);
    };
    this.readPaths(column, data.counts);
    this.readRuns(column, data.counts);
    if (data.blame) this.blame = readBlame(data.blame, bytes);
  }

  readPaths(column, { paths }) {
    const steps = column("pathParent", paths);
    const items = column("pathLine", paths);
    this.pathCount = paths + 1;
    this.pathParent = new Int32Array(paths + 1);
    this.pathLine = new Int32Array(paths + 1).fill(-1);
    this.pathInlined = new Uint8Array(paths + 1);
    for (let path = 1; path <= paths; path++) {
      this.pathParent[path] = path - steps[path - 1];
      this.pathLine[path] = Math.floor(items[path - 1] / 2);
      this.pathInlined[path] = items[path - 1] % 2;
    }
  }

  readRuns(column, { runs }) {
    this.runCount = runs;
    this.runPath = column("path", runs, Int32Array);
    this.runKind = column("kind", runs, Int32Array);
    this.runStart = unfold(column("gap", runs));
    this.wall = unfold(column("wall", runs));
    this.cpu = unfold(column("cpu", runs));
    this.delay = unfold(column("delay", runs));
    this.samples = unfold(column("samples", runs));
    this.ticks = unfold(column("ticks", runs));
    this.runThread = new Int32Array(runs);
    let run = 0;
    this.threads.forEach((thread, index) => {
      thread.index = index;
      thread.firstRun = run;
      let end = 0;
      for (const last = run + thread.runs; run < last; run++) {
        this.runThread[run] = index;
        this.runStart[run] += end;
        end = this.runStart[run] + Math.max(0, this.wall[run]);
        this.ticks[run] += this.samples[run];
      }
      thread.lastRun = run;
    });
    for (const kind of this.kinds) {
      kind.isCut = kind.end !== "complete" && kind.end !== "inferred";
      kind.sameEnd = this.kinds.findIndex(({ end }) => end === kind.end);
      kind.sameWait = this.kinds.findIndex((other) => isSameWait(other, kind));
    }
    this.kindShade = Uint8Array.from(this.kinds, (kind) => SHADES.indexOf(shadeOf(kind)));
  }

  /** The span of the capture that has runs, in nanoseconds. */
  get span() {
    if (this.knownSpan) return this.knownSpan;
    let [start, end] = [Infinity, 0];
    for (let run = 0; run < this.runCount; run++) {
      start = Math.min(start, Math.max(0, this.runStart[run]));
      end = Math.max(end, this.runStart[run] + Math.max(0, this.wall[run]));
    }
    this.knownSpan = start < end ? { start, end } : { start: 0, end: 0 };
    return this.knownSpan;
  }

  /** The name by which reports call a thread. */
  threadTitle(index) {
    const thread = this.threads[index];
    return thread.process === undefined
      ? thread.name : `${this.processes[thread.process].title}/${thread.name}`;
  }

  functionOfLine(line) { return this.lines[line * 2]; }
  lineNumber(line) { return this.lines[line * 2 + 1]; }

  /** The file or, without one, the module of a function, as tables show it. */
  place(id) {
    const source = this.functions[id];
    if (source.file >= 0) return this.files[source.file];
    return source.module >= 0 ? `(${this.modules[source.module].name})` : "";
  }
}
