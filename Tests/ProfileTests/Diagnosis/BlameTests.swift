internal import ProfileModel
internal import Testing

@testable internal import ProfileAnalysis
@testable internal import ProfileExport

/// A program of three threads and one other process, with known answers; times in ticks of 10 ms.
private struct Waiting {
  var maker = ProfileMaker()
  let app: ModuleID
  let library: ModuleID
  var frames: [String: FrameID] = [:]
  var waits: [Wait] = []
  var spans: [WaitHistory.Span] = []

  init() {
    app = maker.module("/opt/app/bin/app")
    library = maker.module("/usr/lib/libc.so.6")
    maker.profile.capture.duration = 1_000_000_000
  }

  mutating func stack(_ functions: String...) -> StackID {
    maker.stack(
      outermostFirst: functions.reversed().map { name in
        if let known = frames[name] { return known }
        let isLibrary = name.hasPrefix("pthread_") || name == "read"
        let frame = maker.frame(SourceLine(function: name), in: isLibrary ? library : app)
        frames[name] = frame
        return frame
      })
  }

  mutating func run(
    _ thread: Int, _ stack: StackID, _ activity: Activity, from: Int64, ticks: Int64
  ) {
    maker.run(thread, stack, activity, ticks: ticks, start: from * 10_000_000)
  }

  mutating func span(_ thread: Int, _ wait: Wait, from: Int64, ticks: Int64) {
    let number = waits.firstIndex(of: wait) ?? waits.count
    if number == waits.count { waits.append(wait) }
    spans.append(
      WaitHistory.Span(
        thread: thread, wait: number, start: from * 10_000_000, end: (from + ticks) * 10_000_000))
  }

  var profile: Profile {
    var profile = maker.profile
    profile.waitHistory = WaitHistory(waits: waits, spans: spans)
    return profile
  }

  static func mutex(_ address: UInt64, ownedBy tid: Int32?) -> Wait {
    Wait(
      kind: .mutex, systemCall: "futex",
      object: WaitObject(address: RemoteAddress(address), variable: "lock_\(address)"),
      owners: tid.map { [.thread(tid: $0)] } ?? [])
  }
}

extension BlameTree {
  /// The time below a root at a path of words, such as `wait lock_1/thread 1/computed work`.
  fileprivate func time(_ thread: Int, _ path: [Kind]) -> Int64 {
    guard let root = roots[thread] else { return -1 }
    var found = [root]
    for kind in path {
      found = found.flatMap { children(of: $0) }.filter { nodes[$0].kind == kind }
    }
    return found.reduce(0) { $0 + nodes[$1].total } / 10_000_000
  }

  fileprivate func wait(_ variable: String) -> Kind {
    .wait(waits.firstIndex { $0.object?.variable == variable } ?? -1)
  }

  fileprivate func wait(_ kind: WaitKind) -> Kind {
    .wait(waits.firstIndex { $0.kind == kind } ?? -1)
  }
}

@Suite struct `Blame` {
  /// Main waits for a lock whose owner computes, then reads a pipe of another process.
  private func chain(isPeerSampled: Bool) -> Profile {
    var made = Waiting()
    let main = made.maker.thread(4242, "main", isMain: true)
    let network = made.maker.thread(4243, "network")
    let lock = made.stack("pthread_mutex_lock", "take_order", "main")
    made.run(main, made.stack("own_work", "main"), .running, from: 0, ticks: 10)
    made.run(main, lock, .asleep(in: "futex"), from: 10, ticks: 90)
    made.run(network, made.stack("compute", "network"), .running, from: 0, ticks: 40)
    made.run(
      network, made.stack("read", "ask_server", "network"), .asleep(in: "read"), from: 40, ticks: 60
    )
    made.span(main, Waiting.mutex(1, ownedBy: 4243), from: 10, ticks: 80)
    let pipe = Wait(
      kind: .read, systemCall: "read", owners: [.process(pid: 99, tid: nil, name: "backend")],
      descriptors: [WaitDescriptor(number: 5, kind: .pipe, name: "pipe:[7]")])
    made.span(network, pipe, from: 40, ticks: 60)
    if isPeerSampled {
      let backend = made.maker.thread(99, "backend", isMain: true)
      made.maker.profile.threads[backend].process = OwningProcess(pid: 99, name: "backend")
      made.run(backend, made.stack("parse_reply", "serve"), .running, from: 0, ticks: 70)
      made.run(
        backend, made.stack("read", "serve"), .asleep(in: "read"), from: 70, ticks: 30)
    }
    return made.profile
  }

  @Test func `charges a wait to what the owner did in the same time, and so on`() {
    let tree = BlameTree(Diagnosis(chain(isPeerSampled: true)), threads: [0, 1])
    let (lock, pipe) = (tree.wait("lock_1"), tree.wait(.read))
    #expect(tree.time(0, []) == 100)
    #expect(tree.time(0, [.computed]) == 10)
    #expect(tree.time(0, [lock, .thread(1)]) == 80)
    #expect(tree.nodes.filter { $0.kind == .ownerUnknown }.map(\.total) == [100_000_000])
    #expect(tree.time(0, [lock, .thread(1), .computed]) == 30)
    // The last tenth of the pipe's time is that of no known owner of the lock.
    #expect(tree.time(0, [lock, .thread(1), pipe, .thread(2)]) == 50)
    #expect(tree.time(0, [lock, .thread(1), pipe, .thread(2), .computed]) == 30)
    #expect(tree.time(1, [pipe, .thread(2)]) == 60)
  }

  @Test func `ends a chain at a process without samples`() {
    let tree = BlameTree(Diagnosis(chain(isPeerSampled: false)), threads: [0])
    let path = [tree.wait("lock_1"), .thread(1), tree.wait(.read)]
    #expect(tree.time(0, path + [.process(pid: 99, name: "backend")]) == 50)
  }

  @Test func `names all who hold the other end of a pipe`() {
    var made = Waiting()
    let main = made.maker.thread(4242, "main", isMain: true)
    made.run(main, made.stack("read", "main"), .asleep(in: "read"), from: 0, ticks: 100)
    let holders: [WaitOwner] = [7, 8, 9, 10].map { .process(pid: $0, tid: nil, name: "feed") }
    made.span(
      main,
      Wait(
        kind: .read, systemCall: "read",
        descriptors: [
          WaitDescriptor(number: 0, kind: .pipe, name: "pipe:[7]", peers: holders)
        ]), from: 0, ticks: 100)
    let diagnosis = Diagnosis(made.profile)
    let tree = BlameTree(diagnosis, threads: [main])
    #expect(tree.time(main, [tree.wait(.read), .anyOf(holders)]) == 100)
    let text = `Text report`.report(made.profile, ReportOptions(views: [.blame], width: 120))
    #expect(
      text.contains(
        "→ \"feed\" (pid 7), \"feed\" (pid 8), \"feed\" (pid 9) and 1 more\n"), "\(text)")
  }

  @Test func `adds up to the wall time of each thread`() {
    for profile in [chain(isPeerSampled: true), OrderServer.attached()] {
      let index = ProfileIndex(profile)
      let threads = Array(profile.threads.indices)
      let tree = BlameTree(Diagnosis(index), threads: threads)
      for thread in threads {
        let root = tree.roots[thread]
        #expect(root.map { tree.nodes[$0].total } == index.weight(of: thread).wall)
      }
    }
  }

  @Test func `adds up within a window of time, too`() {
    var filter = ProfileFilter()
    (filter.from, filter.to) = (123_456_789, 777_777_777)
    let part = filter.apply(to: chain(isPeerSampled: true))
    let index = ProfileIndex(part)
    let tree = BlameTree(Diagnosis(index), threads: [0])
    let total: Int64 = 777_777_777 - 123_456_789
    #expect(tree.nodes[0].total == total)
    #expect(tree.time(0, [tree.wait("lock_1"), .ownerUnknown]) == 0)
  }

  @Test func `keeps owners of threads that a filter leaves`() {
    var filter = ProfileFilter()
    filter.thread = ThreadFilter(glob: "network")
    let part = filter.apply(to: chain(isPeerSampled: false))
    let tree = BlameTree(Diagnosis(part), threads: [0])
    #expect(tree.time(0, [tree.wait(.read), .process(pid: 99, name: "backend")]) == 60)
  }

  /// Two threads that hold each other's lock.
  private func cycle(areLookedUp: Bool) -> Profile {
    var made = Waiting()
    let one = made.maker.thread(4242, "one", isMain: true)
    let two = made.maker.thread(4243, "two")
    let stack = made.stack("pthread_mutex_lock", "transfer", "main")
    for (thread, lock, owner) in [(one, UInt64(1), Int32(4243)), (two, 2, 4242)] {
      made.run(thread, stack, .asleep(in: "futex"), from: 0, ticks: 100)
      let wait = Waiting.mutex(lock, ownedBy: owner)
      made.span(thread, wait, from: 0, ticks: 100)
      guard areLookedUp else { continue }
      let info = made.maker.profile.threads[thread]
      made.maker.profile.blockings.append(
        Blocking(
          waiter: WaitingThread(pid: 4242, tid: info.tid, name: info.name, processName: "orderd"),
          wait: wait, firstSeen: 0, lastSeen: 990_000_000, samples: 9))
    }
    return made.profile
  }

  @Test func `ends a closed chain, as a deadlock only where the wait graph has one`() {
    for isDeadlock in [true, false] {
      let tree = BlameTree(Diagnosis(cycle(areLookedUp: isDeadlock)), threads: [0, 1])
      let path = [tree.wait("lock_1"), .thread(1), tree.wait("lock_2"), .thread(0)]
      #expect(tree.time(0, path + [.cycle(isDeadlock: isDeadlock)]) == 100)
    }
  }

  @Test func `follows no more than sixteen waits behind each other`() {
    var made = Waiting()
    let stack = made.stack("pthread_mutex_lock", "main")
    for number in 0..<40 {
      let thread = made.maker.thread(4242 + Int32(number), "t\(number)", isMain: number == 0)
      made.run(thread, stack, .asleep(in: "futex"), from: 0, ticks: 10)
      made.span(
        thread, Waiting.mutex(UInt64(number + 1), ownedBy: 4243 + Int32(number)), from: 0, ticks: 10
      )
    }
    let tree = BlameTree(Diagnosis(made.profile), threads: [0])
    #expect(tree.nodes.contains { $0.kind == .limit && $0.total == 100_000_000 })
    #expect(tree.nodes[0].total == 100_000_000)
  }

  @Test func `says of a lock how long it was waited for in all, whoever held it`() throws {
    var made = Waiting()
    let main = made.maker.thread(4242, "main", isMain: true)
    let others = (1...4).map { made.maker.thread(4242 + Int32($0), "t\($0)") }
    for other in others {
      made.run(other, made.stack("compute", "serve"), .running, from: 0, ticks: 100)
    }
    let functions = ["take_order", "take_back"]
    for (place, start) in [(0, Int64(0)), (1, 50)] {
      let stack = made.stack("pthread_mutex_lock", functions[place], "main")
      made.run(main, stack, .asleep(in: "futex"), from: start, ticks: 45)
      made.run(
        main, made.stack("own_work", "main"), .running, from: start + 45, ticks: 5)
      for turn in 0..<Int32(4) {
        made.span(
          main, Waiting.mutex(1, ownedBy: 4243 + turn), from: start + Int64(turn) * 10, ticks: 6)
      }
    }
    let diagnosis = Diagnosis(made.profile)
    let finding = try #require(BlameFinding(diagnosis, thread: main))
    #expect(finding.waited == 900_000_000)
    #expect(finding.held == 480_000_000)
    #expect(finding.ownerCount == 4)
    let words = BlameWords(finding.tree, WaitWords(made.profile)).sentence(of: finding)
    #expect(
      words
        == "900.0 ms of its 1.00 s went by waiting for mutex lock_1, 480.0 ms of it held up by 4 "
        + "others in turn, most by \"t1\" (4243), mostly computing in compute.")
  }

  @Test func `takes no word of a lock where the stack shows another wait`() {
    var made = Waiting()
    let main = made.maker.thread(4242, "main", isMain: true)
    _ = made.maker.thread(4243, "other")
    let stack = made.stack("pthread_cond_wait", "main")
    made.run(main, stack, .asleep(in: "futex"), from: 0, ticks: 10)
    made.span(main, Waiting.mutex(1, ownedBy: 4243), from: 0, ticks: 10)
    let tree = BlameTree(Diagnosis(made.profile), threads: [0])
    #expect(tree.time(0, [tree.wait(.conditionVariable)]) == 10)
    #expect(!tree.nodes.contains { $0.kind == .thread(1) })
  }

  @Test func `survives spans and runs that make no sense`() {
    var made = Waiting()
    let main = made.maker.thread(4242, "main", isMain: true)
    let stack = made.stack("pthread_mutex_lock", "main")
    made.maker.profile.runs.append(
      Run(
        thread: main, stack: stack, end: .complete, activity: .asleep(in: "futex"),
        start: .max - 5, weight: Weight(wall: .max)))
    made.maker.profile.runs.append(
      Run(
        thread: main, stack: stack, end: .complete, activity: .asleep(in: "futex"), start: .min,
        weight: Weight(wall: .max)))
    var profile = made.profile
    let wait = Waiting.mutex(1, ownedBy: 4242)
    profile.waitHistory = WaitHistory(
      waits: [wait],
      spans: [
        WaitHistory.Span(thread: 0, wait: 0, start: .min, end: .max),
        WaitHistory.Span(thread: 0, wait: 7, start: 0, end: 1),
        WaitHistory.Span(thread: -4, wait: 0, start: 0, end: 1),
        WaitHistory.Span(thread: 0, wait: 0, start: 5, end: 1),
      ])
    let tree = BlameTree(Diagnosis(profile), threads: [0])
    #expect(tree.nodes[0].total > 0)
    #expect(BlockerTable(tree).rows.count <= 1)
  }

  @Test func `names who held a lock of Python, which its stack shows as a semaphore`() throws {
    var made = ProfileMaker()
    made.profile.capture.duration = 1_000_000_000
    let app = made.module("/usr/bin/python3")
    let threads = [made.thread(7, "waiter"), made.thread(8, "holder")]
    for (thread, name) in zip(threads, ["sem_wait", "work"]) {
      let stack = made.stack(
        outermostFirst: [made.frame(SourceLine(function: name), in: app)])
      made.run(thread, stack, name == "work" ? .running : .asleep(in: "futex"), ticks: 100)
    }
    var lock = Waiting.mutex(1, ownedBy: 8)
    lock.object = WaitObject(address: RemoteAddress(1), flavor: LockFlavor([.python]))
    made.profile.blockings = [
      Blocking(
        waiter: WaitingThread(pid: made.profile.capture.pid, tid: 7, name: "", processName: ""),
        wait: lock, since: 0, firstSeen: 0, lastSeen: 1_000_000_000, samples: 9)
    ]
    let tree = BlameTree(Diagnosis(made.profile), threads: [threads[0]])
    let row = try #require(BlockerTable(tree).rows.first)
    #expect(row.owner == .thread(threads[1]) && row.lost == 1_000_000_000)
  }

  @Test func `lists who held up others, most first`() throws {
    let tree = BlameTree(Diagnosis(chain(isPeerSampled: true)), threads: [0, 1])
    let table = BlockerTable(tree)
    let row = try #require(table.rows.first)
    #expect(row.owner == .thread(1) && row.lost == 500_000_000 && row.waiters == 1)
    #expect(table.rows.map(\.lost) == table.rows.map(\.lost).sorted(by: >))
    #expect(table.lost == 1_500_000_000)
  }

  @Test func `reads as it did`() throws {
    let profile = chain(isPeerSampled: true)
    for view in [ReportView.blame, .blockers] {
      let text = `Text report`.report(profile, ReportOptions(views: [view]))
      try Goldens.expect(text, toEqual: "report.\(view.rawValue).chain.txt")
    }
  }
}
