internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

/// Stacks of a small program, by hand: `main` calls `walk`, which calls itself and `leaf`.
private struct Walk {
  var maker = ProfileMaker()
  let app: ModuleID
  let main, walk, leaf, inlined: FrameID

  init() {
    app = maker.module("/bin/walk")
    main = maker.frame(SourceLine(function: "main", file: "walk.c", line: 30), in: app)
    walk = maker.frame(SourceLine(function: "walk", file: "walk.c", line: 12), in: app)
    leaf = maker.frame(SourceLine(function: "leaf", file: "walk.c", line: 5), in: app)
    inlined = maker.frame(
      SourceLine(function: "helper", file: "walk.h", line: 2, isInlined: true),
      SourceLine(function: "walk", file: "walk.c", line: 14), in: app)
  }

  func row(_ function: String, _ table: LineTable, line: Int? = nil) -> LineTable.Row? {
    let stacks = SourceStacks(maker.profile)
    return table.rows.first { row in
      guard let id = row.line else { return false }
      return stacks.functions[stacks.lines[id].function].name == function
        && (line ?? stacks.lines[id].line) == stacks.lines[id].line
    }
  }
}

@Suite struct `Line table` {
  @Test func `counts a line that calls itself once`() throws {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk", isMain: true)
    let frames = [walk.main, walk.walk, walk.walk, walk.walk, walk.leaf]
    let deep = walk.maker.stack(outermostFirst: frames)
    walk.maker.run(thread, deep, ticks: 7, samples: 6, cpu: 70)
    walk.maker.run(
      thread, walk.maker.stack(outermostFirst: [walk.main, walk.walk]), ticks: 2, cpu: 20)
    let table = LineTable(walk.maker.profile, threads: [thread])
    let recursive = try #require(walk.row("walk", table))
    #expect(recursive.own == Weight(samples: 2, ticks: 2, cpu: 20, wall: 20_000_000))
    #expect(recursive.cumulative == Weight(samples: 8, ticks: 9, cpu: 90, wall: 90_000_000))
    let leaf = try #require(walk.row("leaf", table))
    #expect(leaf.own.ticks == 7 && leaf.cumulative.ticks == 7)
    #expect(table.rows.first?.line == leaf.line)
  }

  @Test func `gives an inlined call its own line`() throws {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk", isMain: true)
    walk.maker.run(
      thread, walk.maker.stack(outermostFirst: [walk.main, walk.inlined]), ticks: 3, cpu: 30)
    let table = LineTable(walk.maker.profile, threads: [thread])
    #expect(walk.row("helper", table)?.own.ticks == 3)
    let container = try #require(walk.row("walk", table, line: 14))
    #expect(container.own.ticks == 0 && container.cumulative.ticks == 3)
  }

  @Test func `adds up to the runs of its thread`() {
    let profile = OrderServer.attached()
    let index = ProfileIndex(profile)
    let tables = LineTable.tables(index, groups: profile.threads.indices.map { [$0] })
    for (thread, table) in tables.enumerated() {
      let own = table.rows.reduce(into: Weight()) { $0 += $1.own }
      #expect(own == index.weight(of: thread))
      #expect(own == table.total)
      #expect(own.samples > 0)
    }
  }

  @Test func `puts the most expensive line first`() {
    let table = LineTable(OrderServer.attached(), threads: [1])
    let keys = table.rows.map { ($0.own.cpu, $0.own.ticks) }
    #expect(keys.count > 3)
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 >= $1 })
  }
}

@Suite struct `Call tree` {
  @Test func `adds up from the leaves to the threads`() throws {
    let profile = OrderServer.attached()
    let index = ProfileIndex(profile)
    let tree = CallTree(profile)
    #expect(tree.roots.count == profile.threads.count)
    for (thread, root) in tree.roots.enumerated() {
      #expect(tree.nodes[root].inclusive == index.weight(of: thread))
    }
    for node in tree.nodes.indices {
      let children = tree.children(of: node)
      let sum = children.reduce(into: tree.nodes[node].own) { $0 += tree.nodes[$1].inclusive }
      #expect(sum == tree.nodes[node].inclusive)
      #expect(children.allSatisfy { tree.nodes[$0].parent == node })
      let walls = children.map { tree.nodes[$0].inclusive.wall }
      #expect(walls == walls.sorted(by: >))
    }
  }

  @Test func `merges the addresses of a function, and groups of threads`() throws {
    var walk = Walk()
    let other = walk.maker.frame(
      SourceLine(function: "walk", file: "walk.c", line: 13), in: walk.app)
    for tid in 1...2 {
      let thread = walk.maker.thread(Int32(tid), "walk")
      walk.maker.run(thread, walk.maker.stack(outermostFirst: [walk.main, walk.walk]), ticks: 1)
      walk.maker.run(thread, walk.maker.stack(outermostFirst: [walk.main, other]), ticks: 2)
    }
    let tree = CallTree(ProfileIndex(walk.maker.profile), groups: [[0, 1]])
    #expect(tree.nodes.count == 3)
    #expect(tree.nodes.last?.own.ticks == 6)
    #expect(tree.nodes.last?.parent == 1)
  }

  @Test func `keeps stacks with unknown callers apart`() throws {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk")
    let stack = walk.maker.stack(outermostFirst: [walk.walk, walk.leaf])
    walk.maker.run(thread, stack, ticks: 1, end: .truncated(.badFrame))
    walk.maker.run(thread, stack, ticks: 2)
    walk.maker.run(thread, stack, ticks: 4, end: .truncated(.copyLimit))
    walk.maker.run(thread, stack, ticks: 8, end: .truncated(.badFrame))
    walk.maker.run(thread, .empty, ticks: 16, end: .truncated(.noStack))
    let tree = CallTree(walk.maker.profile)
    let children = tree.children(of: tree.roots[0]).map { tree.nodes[$0] }
    #expect(children.map(\.inclusive.ticks) == [16, 9, 4, 2])
    #expect(children[0].kind == .noStack)
    #expect(children[1].kind == .missingCallers(.badFrame))
    #expect(children[2].kind == .missingCallers(.copyLimit))
    #expect(tree.nodes.count == 1 + 1 + 3 + 3 + 2)
  }

  @Test func `sorts by the unit that was asked for`() {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk")
    walk.maker.run(thread, walk.maker.stack(outermostFirst: [walk.walk]), ticks: 9, cpu: 1)
    walk.maker.run(thread, walk.maker.stack(outermostFirst: [walk.leaf]), ticks: 1, cpu: 9)
    let byWall = CallTree(walk.maker.profile)
    let byCPU = CallTree(walk.maker.profile, sortedBy: .cpu)
    #expect(byWall.children(of: 0).map { byWall.nodes[$0].own.ticks } == [9, 1])
    #expect(byCPU.children(of: 0).map { byCPU.nodes[$0].own.ticks } == [1, 9])
  }
}

@Suite struct `Thread table` {
  @Test func `merges idle threads that are alike, and keeps their tids`() throws {
    let profile = OrderServer.attached()
    let table = ThreadTable(profile)
    #expect(table.rows.map(\.threads.count) == [1, 1, 1, 1, 31])
    let merged = try #require(table.rows.last)
    #expect(merged.name == "worker-*")
    #expect(merged.threads.map { profile.threads[$0].tid } == Array(4260...4290))
    #expect(merged.cpu == 31 * 30_000)
    #expect(table.rows.first?.isMain == true)
    #expect(table.rows[1].name == "engine")
  }

  @Test func `does not merge a busy thread, or one that sleeps elsewhere`() {
    var walk = Walk()
    let here = walk.maker.stack(outermostFirst: [walk.main, walk.leaf])
    let there = walk.maker.stack(outermostFirst: [walk.main, walk.walk])
    for (tid, stack) in [(1, here), (2, here), (3, there)] {
      let thread = walk.maker.thread(Int32(tid), "pool")
      walk.maker.run(thread, stack, .asleep(in: "futex"), ticks: 1000)
    }
    let busy = walk.maker.thread(4, "pool", cpu: 10_000_000)
    walk.maker.run(busy, here, .asleep(in: "futex"), ticks: 1000, cpu: 10_000_000)
    let rows = ThreadTable(walk.maker.profile).rows
    #expect(rows.map { $0.threads } == [[3], [2], [0, 1]])
  }

  @Test func `divides a thread's time as the kernel counted it`() throws {
    let shares = try #require(
      TimeShares(
        cpu: 250, delay: 50, span: 1000,
        weights: [(.stopped, Weight(wall: 300)), (.asleep(in: "read"), Weight(wall: 100))]))
    #expect(shares.running == 25 && shares.waiting == 5)
    #expect(shares.stopped == 52.5 && shares.blocked == 17.5 && shares.unknown == 0)
  }

  @Test(arguments: [
    (Int64(5000), Int64(5000)), (-5, -5), (.max, .max), (.min, .max), (0, .max),
  ])
  func `keeps shares between 0 and 100 whatever was counted`(cpu: Int64, delay: Int64) throws {
    let none: [(Activity, Weight)] = []
    let shares = try #require(TimeShares(cpu: cpu, delay: delay, span: 1000, weights: none))
    for share in [shares.running, shares.waiting, shares.blocked] {
      #expect((0...100).contains(share))
    }
    #expect(shares.running + shares.waiting + shares.blocked == 100)
  }

  @Test func `gives no shares for a thread that was looked at once`() {
    var walk = Walk()
    let thread = walk.maker.thread(1, "pool", firstSeen: 5, lastSeen: 5)
    walk.maker.run(thread, .empty, ticks: 1)
    #expect(ThreadTable(walk.maker.profile).rows.map { $0.shares == nil } == [true])
  }
}

@Suite struct `Heaviest stack` {
  @Test func `brings the lines of a busy function together`() throws {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk")
    let idle = walk.maker.stack(outermostFirst: [walk.main, walk.leaf])
    walk.maker.run(thread, idle, .asleep(in: "read"), ticks: 4)
    var stacks: [StackID] = []
    for line in 0..<6 {
      let frame = walk.maker.frame(
        SourceLine(function: "spin", file: "walk.c", line: 40 + line), in: walk.app)
      stacks.append(walk.maker.stack(outermostFirst: [walk.main, frame]))
      walk.maker.run(thread, stacks[line], ticks: line == 3 ? 2 : 1)
    }
    let heaviest = try #require(
      HeaviestStack(ProfileIndex(walk.maker.profile), thread: thread))
    #expect(heaviest.weight.ticks == 7)
    #expect(heaviest.share == 7.0 / 11.0)
    #expect(heaviest.stack == stacks[3])
    #expect(heaviest.activity == .running)
  }

  @Test func `is missing for a thread that was never looked at`() {
    var walk = Walk()
    let thread = walk.maker.thread(1, "walk")
    #expect(HeaviestStack(ProfileIndex(walk.maker.profile), thread: thread) == nil)
  }
}

@Suite struct `Thread filter` {
  @Test(arguments: [
    ("worker-*", "worker-12", true), ("worker-*", "worker", false), ("*", "", true),
    ("w?rker", "worker", true), ("w?rker", "wrker", false), ("[a-c]x", "bx", true),
    ("[!a-c]x", "bx", false), ("[^a-c]x", "dx", true), ("[]]", "]", true), ("[a", "[a", true),
    ("\\*", "*", true), ("\\*", "x", false), ("*b*c", "abbc", true), ("*b*c", "abbd", false),
    ("", "", true), ("", "x", false), ("[z-a]", "z", true), ("a\\", "a\\", true),
  ])
  func `matches whole names`(glob: String, name: String, isMatch: Bool) {
    let thread = ThreadInfo(tid: 7, name: name, isMain: false)
    #expect(ThreadFilter(glob: glob).matches(thread) == isMatch)
  }

  @Test func `matches a thread by its number`() {
    let thread = ThreadInfo(tid: 4242, name: "x", isMain: false)
    #expect(ThreadFilter(glob: "4242").matches(thread))
    #expect(!ThreadFilter(glob: "424").matches(thread))
    #expect(ThreadFilter(glob: "12").matches(ThreadInfo(tid: 1, name: "12", isMain: false)))
  }

  @Test func `ends on a pattern that makes others try everything`() {
    let name = String(repeating: "a", count: 5_000)
    let glob = String(repeating: "*a", count: 500) + "b"
    #expect(!ThreadFilter(glob: glob).matches(ThreadInfo(tid: 1, name: name, isMain: false)))
  }
}
