// Tests of the functions that compute; run by units.py together with the page's own scripts.

/** A profile made by hand: runs are `[thread, functions from the outermost, options]`. */
function madeProfile(threads, runs, options = {}) {
  const functions = [];
  const paths = [[0, -1]];
  const lines = [];
  const kinds = [];
  const idOf = (name) => {
    let id = functions.findIndex((each) => each.name === name);
    if (id < 0) {
      id = functions.push({ name, file: options.sources?.[name] ?? -1, module: options.modules?.[name] ?? -1, kind: options.kinds?.[name] ?? NATIVE }) - 1;
      lines.push(id, 10 + id);
    }
    return id;
  };
  const profile = Object.create(Profile.prototype);
  const columns = { runPath: [], runKind: [], runStart: [], runThread: [], wall: [], cpu: [], delay: [], samples: [], ticks: [] };
  const list = threads.map((thread) => ({ main: false, ...thread }));
  list.forEach((thread, index) => {
    thread.index = index;
    thread.firstRun = columns.wall.length;
    for (const [owner, stack, more = {}] of runs) {
      if (owner !== index) continue;
      let path = 0;
      for (const name of stack) {
        const id = idOf(name);
        let next = paths.findIndex(([parent, line], at) => at > 0 && parent === path && line === id);
        if (next < 0) next = paths.push([path, id]) - 1;
        path = next;
      }
      const kind = { state: more.state ?? "running", wait: more.wait, end: more.end ?? "complete", why: "", rest: more.rest, group: more.group, many: more.many, on: more.on };
      let number = kinds.findIndex((each) => JSON.stringify(each) === JSON.stringify(kind));
      if (number < 0) number = kinds.push(kind) - 1;
      columns.runPath.push(path);
      columns.runKind.push(number);
      columns.runStart.push(more.start ?? 0);
      columns.runThread.push(index);
      columns.wall.push(more.wall ?? 10);
      columns.cpu.push(more.cpu ?? 0);
      columns.delay.push(more.delay ?? 0);
      columns.samples.push(more.samples ?? 1);
      columns.ticks.push(more.ticks ?? 1);
    }
    thread.lastRun = columns.wall.length;
  });
  for (const kind of kinds) {
    kind.isCut = kind.end !== "complete" && kind.end !== "inferred";
    kind.sameEnd = kinds.findIndex(({ end }) => end === kind.end);
    kind.sameWait = kinds.findIndex((other) => isSameWait(other, kind));
  }
  return Object.assign(profile, columns, {
    functions, kinds, lines, threads: list, processes: options.processes ?? [], waits: [],
    modules: options.moduleList ?? [], files: options.fileList ?? [], runCount: columns.wall.length, pathCount: paths.length,
    pathParent: paths.map(([parent]) => parent), pathLine: paths.map(([, line]) => line),
    pathInlined: new Uint8Array(paths.length),
  });
}

const worker = [{ tid: 7, name: "worker-1" }];
const names = (tree, node = 0, path = "") => tree.children(node).flatMap((child) => {
  const here = `${path}/${nodeWords(tree, child)}`;
  return [`${here} ${tree.total[child]} ${tree.own[child]}`, ...names(tree, child, here)];
});
const selected = (profile, filter = {}) => new Selection(profile, { ...noFilter(), ...filter });

const TESTS = {
  "numbers come back from their bytes": (equal) => {
    equal([...readVarints(Uint8Array.from([0, 127, 128, 1, 255, 255, 255, 255, 255, 255, 255, 15]), 4)],
      [0, 127, 128, 2 ** 53 - 1]);
    equal([...unfold(Float64Array.from([0, 1, 2, 3, 2 ** 52]))], [0, -1, 1, -2, 2 ** 51]);
    equal([...bytesOf("AAEC/w==")], [0, 1, 2, 255]);
  },
  "patterns of names mean what the command line means": (equal) => {
    const matches = (glob, text) => globPattern(glob).test(text);
    for (const [glob, text, isMatch] of [
      ["worker-*", "worker-12", true], ["worker-*", "my worker-12", false], ["w?rker", "wörker", true], ["w?rker", "wrker", false],
      ["?", "🦊", true], ["[a-c]x", "bx", true], ["[!a-c]x", "bx", false], ["[^a]", "b", true],
      ["[]]", "]", true], ["[", "[", true], ["a[b", "a[b", true], ["\\*", "*", true], ["\\*", "x", false],
      ["a.c", "abc", false], ["(x", "(x", true], ["a**b", "a\nb", true], ["", "", true], ["\\", "\\", true],
      ["[z-a]", "b", false], ["[!z-a]", "b", true], ["[a-]", "-", true],
    ]) equal(matches(glob, text), isMatch, `${glob} on ${text}`);
  },
  "a part of an amount is rounded towards zero, however large": (equal) => {
    equal(share(7, 1, 2), 3);
    equal(share(-7, 1, 2), -3);
    equal(share(9007199254740991, 3, 7), 3860228252031853);
    equal(share(123456789012, 98765432109, 123456789012), 98765432109);
  },
  "runs are cut at the ends of a span, neighbours without a remainder": (equal) => {
    const profile = madeProfile(worker, [[0, ["a"], { start: 5, wall: 10, ticks: 7, cpu: 3 }]]);
    const part = (from, to) => selected(profile, { from, to }).totals();
    equal(part(0, 9).ticks + part(9, 12).ticks + part(12, 99).ticks, 7);
    equal(part(9, 12).wall, 3);
    equal(part(15, 20).wall, 0);
    equal(part(null, 5).samples, 0);
  },
  "a run without length counts where it begins": (equal) => {
    const profile = madeProfile(worker, [[0, ["a"], { start: 5, wall: 0 }]]);
    equal(selected(profile, { from: 5, to: 6 }).totals().samples, 1);
    equal(selected(profile, { from: 6, to: 9 }).totals().samples, 0);
  },
  "threads are chosen by name, number and process": (equal) => {
    const profile = madeProfile(
      [{ tid: 7, name: "a" }, { tid: 8, name: "7" }, { tid: 9, name: "b", process: 0 }], [],
      { processes: [{ title: "make[9]" }] });
    equal([...chosenThreads(profile, { thread: "7" })], [1, 1, 0]);
    equal([...chosenThreads(profile, { thread: "make\\[9\\]/*" })], [0, 0, 1]);
    equal([...chosenThreads(profile, { thread: "" })], [1, 1, 1]);
    equal([...chosenThreads(profile, { thread: "b", only: [1, 7] })], [0, 1, 0]);
  },
  "at first the verdict's threads are shown, without the time in which they rest": (equal) => {
    const threads = [{ tid: 7, name: "main" }, { tid: 8, name: "pool" }, { tid: 9, name: "work" }];
    const runs = [
      [0, ["main", "lock"], { wall: 5, state: "blocked", group: "lock" }], [0, ["main", "poll"], { wall: 3, state: "blocked", rest: true }],
      [1, ["pool"], { wall: 8, state: "blocked", rest: true }], [2, ["work"], { wall: 8 }],
    ];
    const first = (named) => {
      const profile = Object.assign(madeProfile(threads, runs), { verdict: { threads: named } });
      const filter = startFilter(profile);
      return [filter.only, filter.isIdleHidden, new Selection(profile, filter).totals().wall];
    };
    equal(first([0, 2]), [[0, 2], true, 13]);
    equal(first([]), [null, true, 13]);
    equal(first([0, 1, 2]), [null, true, 13], "all of them");
    // What only rests is shown all the same, where the verdict is about it.
    equal(first([1]), [[1], false, 8]);
    equal(first([99]), [null, true, 13], "no such thread");
  },
  "stacks lose their native frames where they have others": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["main", "run", "eval", "load", "read"], { wall: 3 }], [0, ["main", "run", "load"], { wall: 4 }], [0, ["main", "idle"], { wall: 5 }],
    ], { kinds: { run: PYTHON, load: PYTHON } });
    const shown = (withNative, byLine) => names(callTree(new Selection(profile, noFilter(), withNative), "wall", false, byLine));
    const whole = shown(true);
    equal(shown(false), ["/run 7 0", "/run/load 7 7", "/main 5 0", "/main/idle 5 5"]);
    equal(shown(false, true), shown(false), "by line");
    equal(shown(true), whole, "and have them again");
    const upsideDown = names(invertedTree(new Selection(profile, noFilter(), false), "wall", false));
    equal(upsideDown, ["/load 7 0", "/load/run 7 7", "/idle 5 0", "/idle/main 5 5"]);
    // Filters go by all frames.
    equal(names(callTree(new Selection(profile, { ...noFilter(), focus: "read" }, false), "wall", false)), ["/run 3 0", "/run/load 3 3"]);
    const rows = flatRows(new Selection(profile, noFilter(), false), "function");
    equal(rows.map(({ item, own, all }) => `${profile.functions[item].name} ${own.wall} ${all.wall}`).sort(),
      ["idle 5 5", "load 7 7", "main 0 5", "run 0 7"]);
  },
  "frames carry their line where there is one, and are apart by it when asked": (equal) => {
    const profile = madeProfile(worker, [[0, ["main", "a"], { wall: 3 }], [0, ["main", "b"], { wall: 2 }]]);
    // The second call of a is from another line.
    profile.lines.push(1, 99);
    const second = profile.pathParent.push(1) - 1;
    profile.pathLine.push(3);
    profile.pathCount++;
    profile.pathInlined = new Uint8Array(profile.pathCount);
    profile.runPath[1] = second;
    const shown = (make, byLine) => {
      const tree = make(selected(profile), "wall", false, byLine);
      const below = (node) => tree.children(node).map((child) =>
        [nodeWords(tree, child), tree.line[child], tree.total[child], ...below(child)]);
      return below(0);
    };
    equal(shown(callTree, false), [["main", 10, 5, ["a", 0, 5]]]);
    equal(shown(callTree, true), [["main", 10, 5, ["a", 11, 3], ["a", 99, 2]]]);
    equal(shown(invertedTree, false), [["a", 0, 5, ["main", 10, 5]]]);
    equal(shown(invertedTree, true), [["a", 11, 3, ["main", 10, 3]], ["a", 99, 2, ["main", 10, 2]]]);
  },
  "rows that are equal in the sorted column are in the order of the others": (equal) => {
    const table = sortableTable({
      label: "test", sort: 0, rows: [[0, 1, "b"], [0, 5, "c"], [2, 2, "d"], [0, 1, "a"], [0, 5, "b"]],
      columns: [0, 1, 2].map((at) => ({ title: String(at), isNumber: at < 2, value: (row) => row[at], text: (row) => String(row[at]) })),
    });
    const shown = () => [...table.querySelectorAll("tbody tr")].map((row) => row.textContent);
    equal(shown(), ["22d", "05b", "05c", "01a", "01b"]);
    table.querySelector("th button").click();
    equal(shown(), ["05b", "05c", "01a", "01b", "22d"], "the other way");
    table.querySelectorAll("th button")[2].click();
    equal(shown(), ["01a", "05b", "01b", "05c", "22d"], "by name");
  },
  "a table is in the order that was kept of it, and keeps what is clicked": (equal) => {
    const shown = (kept, clicks = []) => {
      const order = { read: () => kept, write: (order) => { kept = order; } };
      const table = sortableTable({
        label: "test", sort: 0, order, rows: [[1, "b"], [2, "a"]],
        columns: [0, 1].map((at) => ({ title: String(at), isNumber: at < 1, value: (row) => row[at], text: (row) => String(row[at]) })),
      });
      for (const column of clicks) table.querySelectorAll("th button")[column].click();
      return [[...table.querySelectorAll("tbody tr")].map((row) => row.textContent).join(" "), kept];
    };
    equal(shown(undefined), ["2a 1b", undefined]);
    equal(shown({ column: 0, isDescending: false })[0], "1b 2a");
    equal(shown({ column: 7, isDescending: false })[0], "2a 1b", "no such column");
    equal(shown(undefined, [0]), ["1b 2a", { column: 0, isDescending: false }]);
    equal(shown(undefined, [1, 1]), ["1b 2a", { column: 1, isDescending: true }]);
    equal(shown(undefined, [0, 0]), ["2a 1b", undefined], "as at first");
  },
  "siblings of one weight are in the order of their names": (equal) => {
    const runs = ["d", "b", "c", "a"].map((each) => [0, [each], { wall: 2 }]);
    equal(names(callTree(selected(madeProfile(worker, runs)), "wall", false)), ["/a 2 2", "/b 2 2", "/c 2 2", "/d 2 2"]);
    equal(names(invertedTree(selected(madeProfile(worker, runs.reverse())), "wall", false)), ["/a 2 2", "/b 2 2", "/c 2 2", "/d 2 2"]);
  },
  "upside down, a tree is made as far as it is looked at, and finds what it has not made": (equal) => {
    const runs = Array.from({ length: 400 }, (_, at) => [at % 2, [`f${at % 7}`, `g${at % 11}`, `h${at}`], { wall: 1 }]);
    const profile = madeProfile([{ tid: 7, name: "a" }, { tid: 8, name: "b" }], runs);
    const tree = invertedTree(selected(profile), "wall", false);
    equal([tree.count, tree.total[0]], [1, 400]);
    equal([tree.children(0).length, tree.count], [400, 401]);
    const { matched, isMatch } = tree.search(matchesOf(profile, "^f3$"));
    equal(matched, runs.filter(([, [outermost]]) => outermost === "f3").length);
    const all = names(tree).length;
    equal([all, tree.count], [1200, 1201]);
    equal(isMatch.filter(Boolean).length, matched);
    const byThread = invertedTree(selected(profile), "wall", true);
    equal(byThread.children(0).map((node) => [nodeWords(byThread, node), byThread.total[node], byThread.own[node]]), [["a (7)", 200, 0], ["b (8)", 200, 0]]);
    equal(names(byThread).length, 1202);
  },
  "a state comes back from its address, and what is wrong in it is as at the start": (equal) => {
    const profile = madeProfile([{ tid: 7, name: "a" }, { tid: 8, name: "b" }], [[0, ["f"], { wall: 100 }], [1, ["f"], { wall: 100 }]]);
    const start = {
      tab: "flame", mode: "down", tableUnit: "function", unit: "wall", byThread: true, byLine: false, withNative: true, filter: noFilter(),
    };
    const same = (state) => {
      const back = stateOf(profile, addressOf(profile, state, start), start);
      equal(back, { ...back, ...JSON.parse(JSON.stringify(state)) });
    };
    const tables = { orders: new Map(), opened: { tree: new Map(), blame: new Map() } };
    const plain = { ...start, search: { text: "", isRegex: false }, place: [], span: null, ...tables };
    equal(addressOf(profile, plain, start), "");
    same(plain);
    const orders = new Map([["waits", { column: 2, isDescending: false }], ["thread12", { column: 0, isDescending: true }]]);
    const opened = { tree: new Map([["", "closed"], ["t0.4:17.s-2", "open"]]), blame: new Map([["3", "whole"]]) };
    const back = stateOf(profile, addressOf(profile, { ...plain, orders, opened }, start), start);
    equal([[...back.orders], [...back.opened.tree], [...back.opened.blame]], [[...orders], [...opened.tree], [...opened.blame]]);
    const many = new Map(Array.from({ length: 3000 }, (_, at) => [`row${at}`, "open"]));
    const last = stateOf(profile, addressOf(profile, { ...plain, opened: { ...opened, tree: many } }, start), start).opened.tree;
    equal([last.has("row2999"), last.has("row0"), last.size > 300], [true, false, true], "the latest rows");
    const torn = stateOf(profile, "sort=waits,x.1.z,a.b.c,waits.1.d&rows-of-calls=,,x,o&rows-of-blame=%20", start);
    equal([[...torn.orders.keys()], [...torn.opened.tree], torn.opened.blame.size], [["waits"], [["", "open"]], 0]);
    same({ ...plain, tab: "waits", mode: "up", unit: "cpu", tableUnit: "line", byThread: false, byLine: true, withNative: false,
      search: { text: "a&b=ü #", isRegex: true }, place: ["t0", "3", "4:17"], span: { start: 10, end: 90 },
      filter: { ...noFilter(), only: [1], isIdleHidden: true, states: ["running", "blocked"], from: 5, to: 80, focus: "^x|y$", module: "[a]*" } });
    const wrong = stateOf(profile, "tab=x&layout=&weight=__proto__&from=1e9&span=9-2&threads=1,2&states=x&zoom=..&rows=0", start);
    equal(wrong, stateOf(profile, "", start));
  },
  "states, waits and functions choose runs": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["main", "work"], { wall: 1 }], [0, ["main", "read"], { wall: 2, state: "blocked", wait: "read" }],
      [0, ["main", "disk"], { wall: 4, state: "uninterruptible", wait: "fsync" }],
    ]);
    const wall = (filter) => selected(profile, filter).totals().wall;
    equal(wall({ states: ["blocked"] }), 6);
    equal(wall({ states: ["uninterruptible"] }), 4);
    equal(wall({ wait: "read" }), 2);
    equal(wall({ focus: "^w|^d" }), 5);
    equal(wall({ focus: "main", ignore: "work" }), 6);
    equal(wall({ ignore: "main" }), 0);
  },
  "a tree adds up, with callers that are missing apart": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["main", "a"], { wall: 3 }], [0, ["main", "b"], { wall: 5 }], [0, ["main", "a", "b"], { wall: 1 }],
      [0, ["b"], { wall: 2, end: "badFrame" }], [0, [], { wall: 4 }],
    ]);
    equal(names(callTree(selected(profile), "wall", false)), [
      "/main 9 0", "/main/b 5 5", "/main/a 4 3", "/main/a/b 1 1", "/No stack 4 4",
      "/Callers unknown:  2 0", "/Callers unknown: /b 2 2",
    ]);
  },
  "upside down, each function stands once at the top": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["main", "a"], { wall: 3 }], [0, ["main", "b", "a"], { wall: 5 }],
    ]);
    equal(names(invertedTree(selected(profile), "wall", false)),
      ["/a 8 0", "/a/b 5 0", "/a/b/main 5 5", "/a/main 3 3"]);
  },
  "in the order of time, what follows itself is one": (equal) => {
    const run = (stack, start, wall) => [0, stack, { start, wall }];
    const profile = madeProfile(worker, [
      run(["main", "a"], 0, 1), run(["main", "a"], 1, 2), run(["main", "b"], 3, 9), run(["main", "a"], 12, 1),
    ]);
    equal(names(timedTree(selected(profile), "wall")), ["/worker-1 (7) 13 0", "/worker-1 (7)/main 13 0",
      "/worker-1 (7)/main/a 3 3", "/worker-1 (7)/main/b 9 9", "/worker-1 (7)/main/a 1 1"]);
  },
  "the matched share counts a stack once": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["f", "f", "g"], { wall: 3 }], [0, ["g", "f"], { wall: 4 }], [0, ["h"], { wall: 5 }],
    ]);
    for (const make of [callTree, invertedTree]) {
      const tree = make(selected(profile), "wall", false);
      equal(tree.search(matchesOf(profile, "f")).matched, 7);
    }
  },
  "under recursion a function counts once": (equal) => {
    const profile = madeProfile(worker, [[0, ["f", "f", "g"], { wall: 3 }], [0, ["f"], { wall: 4 }]]);
    const rows = flatRows(selected(profile), "function")
      .map((row) => [profile.functions[row.item].name, row.own.wall, row.all.wall]);
    equal(rows.sort(), [["f", 4, 7], ["g", 3, 3]]);
    const around = neighbours(callTree(selected(profile), "wall", false), 0);
    equal([around.own, around.total, around.callees], [4, 7, [[1, 3]]]);
  },
  "shares carry how far chance may have moved them": (equal) => {
    // Ten samples, of which f has five: each change but those at the ends is half a weight's square.
    const turns = Array.from({ length: 10 }, (_, at) => [0, ["main", at % 2 ? "g" : "f"], { wall: 100, cpu: 10, start: at * 100 }]);
    const profile = Object.assign(madeProfile(worker, turns), { capture: { kind: "attach" } });
    const rows = Object.fromEntries(flatRows(selected(profile), "function")
      .map((row) => [profile.functions[row.item].name, row]));
    const half = (weight, parts) => (1.96 * Math.sqrt(weight ** 2 * parts)).toFixed(6);
    equal(rows.f.error("own", "wall").toFixed(6), half(100, 9 / 2 + 2 / 6 / 4));
    // Few samples of CPU time say less than they seem to: two more are assumed.
    equal(rows.f.error("all", "cpu").toFixed(6), half(10, 9 / 2 + 2 / 6 / 4 + 2));
    equal(rows.main.error("all", "ticks"), 0);
    equal(rows.f.error("own", "samples"), undefined);
    equal(functionErrors(selected(profile), rows.f.item).own.wall[0].toFixed(6), half(100, 9 / 2 + 2 / 6 / 4));
    equal(percentWithError(500, 1000, 21), "50.0 ±2.1");
    equal(percentWithError(500, 1000, undefined), "50.0");
    // One long stay on each side of a change: the change was somewhere in one period.
    const phases = Object.assign(
      madeProfile(worker, [[0, ["f"], { wall: 500, samples: 5 }], [0, ["g"], { wall: 500, samples: 5, start: 500 }]]),
      { capture: { kind: "attach" } });
    const [row] = flatRows(selected(phases), "function");
    equal(row.error("own", "wall").toFixed(6), half(100, 1 / 6 + 2 / 6 / 4));
    equal(flatRows(selected(Object.assign(phases, { capture: { kind: "dump" } })), "function")[0].error("own", "wall"), undefined);
  },
  "code in no module counts for its file, where it has one": (equal) => {
    const profile = madeProfile(worker, [[0, ["main", "handle", "made"], { wall: 3 }], [0, ["main", "read"], { wall: 4 }]], {
      modules: { main: 0, read: 1 }, moduleList: [{ name: "python3", path: "/bin/python3" }, { name: "libc.so.6", path: "/lib/libc.so.6" }],
      sources: { main: 0, handle: 1 }, fileList: ["main.c", "/srv/app.py"],
    });
    const rows = flatRows(selected(profile), "module").map((row) => [rowWords(profile, "module", row), row.all.wall]);
    equal(rows.map(([{ text, place }, wall]) => `${text}|${place}|${wall}`).sort(), [
      "(no module)||3", "app.py|/srv/app.py|3", "libc.so.6|/lib/libc.so.6|4", "python3|/bin/python3|7",
    ]);
  },
  "waits in one stack are counted together": (equal) => {
    const wait = (start, wall) => [0, ["main", "read"], { start, wall, state: "blocked", wait: "read" }];
    const [row] = waitRows(selected(madeProfile(worker, [wait(0, 5), wait(6, 8), [0, ["main"], {}]])));
    equal([row.count, row.wall, row.longest], [2, 13, 8]);
    const short = [0, ["main", "read"], { start: 14, wall: 40, samples: 4, state: "blocked", wait: "read", many: true }];
    const last = [0, ["main", "read"], { start: 54, wall: 30, samples: 3, state: "blocked", wait: "read", on: true }];
    const rows = waitRows(selected(madeProfile(worker, [wait(0, 5), wait(6, 8), short, last])));
    equal(rows.map(({ count, wall, longest }) => [count, wall, longest]), [[6, 83, 30]]);
  },
  "a stretch of the time line is of the wait that takes most of it": (equal) => {
    const [first, next] = [{ from: 10, to: 48 }, { from: 92, to: 300 }];
    const at = (start, end) => TimelineView.prototype.waitOf.call({ waits: new Map([[0, [first, next]]]) }, 0, start, end);
    equal([at(0, 50) === first, at(50, 95), at(95, 300) === next, at(40, 45) === first], [true, undefined, true, true]);
  },
  "columns of time hold each state's part": (equal) => {
    const profile = madeProfile(worker, [
      [0, ["a"], { start: 0, wall: 15 }], [0, ["b"], { start: 15, wall: 5, state: "blocked", wait: "read", group: "io" }],
    ]);
    profile.kindShade = profile.kinds.map((kind) => SHADES.indexOf(shadeOf(kind)));
    const times = stateColumns(profile, 0, 0, 20, 2);
    const at = (column, shade) => times[column * SHADES.length + SHADES.indexOf(shade)];
    equal([at(0, "running"), at(0, "io"), at(1, "running"), at(1, "io"), at(1, "blocked")], [1, 0, 0.5, 0.5, 0]);
  },
  "what turns the direction of writing, and other hidden marks, show as what they are": (equal) => {
    equal(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
    equal(printable("a\u202Eb\0c\u00a0d é\u{1F98A}"), "a\\u{202E}b\\u{0}c\\u{A0}d é🦊");
    equal(shortened("abcdefghij", 5), "ab…ij");
    equal(Array.from(shortened("x".repeat(1e6), 40)).length, 40);
  },
  "figures are written as the report writes them": (equal) => {
    equal([850, 12345, 999949, 4e6, 999.94e6, 1e10, 6e11, 25527.82e9, 1.8e14].map(duration),
      ["850 ns", "12.3 µs", "999.9 µs", "4.0 ms", "999.9 ms", "10.00 s", "10 min 0 s", "7 h 5 min", "2 d 2 h"]);
    equal([percent(1, 3), percent(1, 1e6), percent(0, 5), percent(1, 0)], ["33.3 %", "<0.1 %", "0.0 %", "–"]);
    equal([moment(2e9), moment(1500e6), moment(123456)], ["2s", "1500ms", "0.123456ms"]);
    equal([readTime("1.5s"), readTime("200ms"), readTime(""), readTime("soon")], [1.5e9, 2e8, null, undefined]);
  },
  "the command line of a filter gives the same part": (equal) => {
    equal(reportOptions({ ...noFilter(), thread: "a b", states: ["running"], from: 1e9 }),
      "--thread 'a b' --state running --from 1s");
    for (const filter of [{ wait: "read" }, { isIdleHidden: true }, { only: [0, 1] }]) equal(reportOptions({ ...noFilter(), ...filter }), undefined);
    equal(reportOptions({ ...noFilter(), only: [1] }, { threads: [{ tid: 7 }, { tid: 8 }] }), "--thread 8");
    equal(shellWord("it's"), "'it'\\''s'");
  },
  "a comparison shows what is gone in its place": (equal) => {
    const zero = [0, 0, 0];
    const tree = {
      parent: [-1, 0, 0, 0], function: [-1, 0, 1, 2], threads: [0, 0, 0, 0], paths: [],
      before: [...zero, 2, 0, 0, 1, 0, 0, ...zero], after: [...zero, 3, 0, 0, ...zero, 0.5, 0, 0],
    };
    const comparison = { tree, functions: ["kept", "gone", "fresh"].map((name) => ({ name })), threads: [{ name: "t" }], paths: [] };
    const after = new DiffTree(comparison, "time", "after");
    equal([after.total[0], after.total[2], after.total[3], after.total[4]], [4.5, 3, 1, 0.5]);
    equal([after.isGone(3), after.isNew(4), after.isGone(2)], [true, true, false]);
    equal(new DiffTree(comparison, "time", "before").total[0], 3.5);
  },
};

async function runTests() {
  let count = 0;
  const failures = [];
  for (const [title, test] of Object.entries(TESTS)) {
    const equal = (shown, true_, words = "") => {
      count++;
      const [left, right] = [JSON.stringify(shown), JSON.stringify(true_)];
      if (left !== right) failures.push(`${title} ${words}: ${left}, not ${right}`);
    };
    try {
      await test(equal);
    } catch (error) {
      failures.push(`${title}: ${error.stack}`);
    }
  }
  return { count, failures };
}
