internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@Suite struct `Wait graph` {
  private func cycle(_ count: Int, samples: Int = 5) -> WaitMaker {
    var maker = WaitMaker()
    for number in 0..<Int32(count) {
      let next = 4242 + (number + 1) % Int32(count)
      maker.locked(4242 + number, by: .thread(tid: next), samples: samples)
    }
    return maker
  }

  @Test(arguments: [2, 5]) func `finds a cycle of threads`(count: Int) throws {
    let diagnosis = cycle(count).diagnosis
    let cycle = try #require(diagnosis.graph.cycles.first)
    #expect(diagnosis.graph.cycles.count == 1)
    #expect(
      cycle.threads.map { diagnosis.graph.nodes[$0].tid } == (0..<Int32(count)).map { 4242 + $0 })
    #expect(cycle.isCertain && !cycle.isTimed)
    #expect(diagnosis.verdict.kind == .deadlock)
    #expect(diagnosis.verdict.isCycle)
  }

  @Test func `does not claim a cycle that was seen once`() throws {
    let diagnosis = cycle(2, samples: 1).diagnosis
    #expect(try #require(diagnosis.graph.cycles.first).isCertain == false)
    #expect(diagnosis.verdict.kind == .possibleDeadlock)
  }

  @Test func `does not claim a cycle of waits at different moments`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_mutex_lock f main", .asleep(in: "futex"))
    maker.thread(4243, "", "pthread_mutex_lock f start_thread", .asleep(in: "futex"))
    maker.wait(4242, .mutex(by: .thread(tid: 4243)), from: 0, to: 3 * WaitMaker.second)
    maker.wait(4243, .mutex(by: .thread(tid: 4242)), from: 4 * WaitMaker.second)
    #expect(maker.diagnosis.graph.cycles.map(\.isCertain) == [false])
    #expect(maker.verdict.kind != .deadlock)
  }

  @Test func `counts nobody behind a thread that waits for any of its process`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "sem_wait main", .asleep(in: "futex"))
    maker.wait(4242, Wait(kind: .semaphore, systemCall: "futex"))
    maker.thread(4243, "A", "read a start_thread", .asleep(in: "read"))
    maker.wait(4243, .pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")]))
    #expect(maker.verdict.kind == .waiting)
    #expect(maker.verdict.behind == 0)
  }

  @Test func `forgets a wait that its thread has left`() {
    var maker = cycle(2)
    maker.run(0, ["work", "main"], .running, from: 9 * WaitMaker.second)
    #expect(maker.diagnosis.graph.cycles.isEmpty)
    #expect(maker.verdict.kind != .deadlock)
    #expect(maker.verdict.kind != .possibleDeadlock)
  }

  @Test func `keeps a wait that was seen after the thread's last sample`() {
    // Who waits for Python's lock wakes up every few milliseconds to ask again, and may be met awake by
    // the last tick; that it waits is found out after that.
    var maker = cycle(2)
    maker.run(0, ["work", "main"], .running, from: 9 * WaitMaker.second)
    maker.maker.profile.threads[0].lastSeen = maker.end - 1
    #expect(maker.verdict.kind == .deadlock)
  }

  @Test func `says that a time limit ends a cycle`() throws {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4243))
    maker.locked(4243, by: .thread(tid: 4242), timed: true)
    let cycle = try #require(maker.diagnosis.graph.cycles.first)
    #expect(cycle.isTimed && cycle.isCertain)
    #expect(maker.verdict.kind == .deadlock)
    #expect(maker.verdict.isTimed)
    // A cycle that lasts for ever counts more, even without the main thread in it.
    maker.locked(4250, by: .thread(tid: 4251))
    maker.locked(4251, by: .thread(tid: 4250))
    #expect(!maker.verdict.isTimed)
    #expect(maker.diagnosis.graph.cycles.count == 2)
  }

  @Test func `finds a thread that waits for itself`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4242))
    #expect(maker.verdict.kind == .deadlock)
    #expect(maker.verdict.chain.count == 1)
  }

  @Test func `does not claim a wait for itself that has ended before`() {
    func waits(since: Int64?, signal: Int32? = nil) -> WaitMaker {
      var maker = WaitMaker()
      maker.thread(4242, "", "pthread_mutex_lock f main", .asleep(in: "futex"))
      let wait = Wait.mutex(by: .thread(tid: 4242))
      maker.wait(4242, wait, since: 0, to: 4 * WaitMaker.second)
      maker.wait(4242, wait, since: since, from: 5 * WaitMaker.second, signal: signal)
      return maker
    }
    let again = waits(since: 4 * WaitMaker.second + 1)
    #expect(again.verdict.kind == .possibleDeadlock)
    #expect(ReportHead.text(again.profile).contains("another thread may unlock"))
    // One and the same sleep in two captures, and one that handled a signal in between.
    #expect(waits(since: -WaitMaker.second).verdict.kind == .deadlock)
    #expect(waits(since: nil).verdict.kind == .deadlock)
    #expect(waits(since: 4 * WaitMaker.second + 1, signal: 14).verdict.kind == .deadlock)
  }

  @Test func `finds a join of oneself through others`() {
    var maker = WaitMaker()
    for (tid, next) in [(Int32(4242), Int32(4243)), (4243, 4244), (4244, 4242)] {
      maker.thread(tid, "", "pthread_join f start_thread", .asleep(in: "futex"))
      maker.wait(tid, .join(next))
    }
    #expect(maker.verdict.kind == .deadlock)
    #expect(maker.verdict.chain.count == 3)
  }

  @Test func `follows a chain to an owner that runs`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4243))
    maker.locked(4243, by: .thread(tid: 4244))
    maker.locked(4245, by: .thread(tid: 4244))
    maker.thread(4244, "", "spin work start_thread", .running)
    let diagnosis = maker.diagnosis
    #expect(diagnosis.graph.cycles.isEmpty)
    #expect(diagnosis.graph.isStuck.allSatisfy { !$0 })
    #expect(diagnosis.verdict.kind == .hungOnLock)
    #expect(diagnosis.verdict.chain.map { diagnosis.graph.nodes[$0].tid } == [4242, 4243, 4244])
    #expect(diagnosis.verdict.behind == 1)
  }

  @Test func `knows a lock whose owner has exited`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .dead(tid: 9))
    #expect(maker.verdict.kind == .orphanedLock)
    #expect(maker.diagnosis.graph.cycles.isEmpty)
    // The kernel wakes the next one of a robust lock.
    var robust = WaitMaker()
    robust.thread(4242, "", "pthread_mutex_lock main", .asleep(in: "futex"))
    var wait = Wait.mutex(by: .dead(tid: 9))
    wait.object?.flavor = LockFlavor([.robust, .recursive])
    robust.wait(4242, wait)
    #expect(robust.verdict.kind != .orphanedLock)
  }

  @Test func `does not call a wait for a signal a deadlock`() {
    // Everybody waits for somebody, but anybody may signal a condition variable.
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(4243))
    maker.thread(4243, "", "pthread_cond_wait get_order start_thread", .asleep(in: "futex"))
    maker.wait(4243, Wait(kind: .conditionVariable, systemCall: "futex"))
    #expect(maker.diagnosis.graph.cycles.isEmpty)
    #expect(
      !([.deadlock, .possibleDeadlock, .hung, .hungOnLock] as [Verdict.Kind]).contains(
        maker.verdict.kind))
  }

  @Test(arguments: [true, false])
  func `takes any writer of a pipe for enough`(isOneFree: Bool) {
    // 4242 reads what 4243 or 4244 write; both want its lock, or one of them runs.
    var maker = WaitMaker()
    maker.thread(4242, "", "read get_line main", .asleep(in: "read"))
    maker.wait(4242, .pipe(peers: [.thread(tid: 4243), .thread(tid: 4244)]))
    maker.locked(4243, by: .thread(tid: 4242))
    if isOneFree {
      maker.thread(4244, "", "compute start_thread", .running)
    } else {
      maker.locked(4244, by: .thread(tid: 4242))
    }
    #expect(maker.diagnosis.graph.cycles.isEmpty == isOneFree)
    #expect((maker.verdict.kind == .deadlock) == !isOneFree)
  }

  @Test func `knows the knot of two processes`() {
    func knot(threadCount: Int?, others: Int32 = 0) -> WaitMaker {
      var maker = WaitMaker()
      maker.thread(4242, "", "read ask main", .asleep(in: "read"))
      maker.wait(4242, .pipe(peers: [.process(pid: 50, tid: nil, name: "p50")]))
      let back = Wait.pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")])
      maker.wait(50, back, pid: 50, threadCount: threadCount)
      return maker
    }
    #expect(knot(threadCount: 1).verdict.kind == .deadlock)
    // A thread of it that was not sampled may still write.
    #expect(knot(threadCount: 2).diagnosis.graph.cycles.isEmpty)
    #expect(knot(threadCount: nil).diagnosis.graph.cycles.isEmpty)
    // And so may a second thread of the program itself.
    var maker = knot(threadCount: 1)
    maker.thread(4243, "", "compute start_thread", .running)
    #expect(maker.diagnosis.graph.cycles.isEmpty)
  }

  @Test func `does not claim a knot that a handler of SIGALRM may end`() {
    func knot(_ own: Int32?, _ other: Int32?) -> WaitMaker {
      var maker = WaitMaker()
      maker.thread(4242, "", "read ask main", .asleep(in: "read"))
      let there = Wait.pipe(peers: [.process(pid: 50, tid: nil, name: "p50")])
      maker.wait(4242, there, threadCount: 1, signal: own)
      let back = Wait.pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")])
      maker.wait(50, back, pid: 50, threadCount: 1, signal: other)
      return maker
    }
    #expect(knot(nil, nil).verdict.kind == .deadlock)
    let words = ReportHead.text(knot(nil, nil).profile)
    #expect(words.contains("have been waiting for each other for at least\n  10.00 s."), "\(words)")
    for (maker, name) in [(knot(14, nil), "the program"), (knot(nil, 14), "\"p50\" (pid 50)")] {
      #expect(maker.verdict.kind == .possibleDeadlock)
      #expect(maker.diagnosis.graph.cycles.map(\.isCertain) == [false])
      let text = ReportHead.text(maker.profile)
      #expect(text.contains("\(name) handles SIGALRM: what its handler does could"), "\(text)")
    }
    // A handler holds no lock.
    var locks = WaitMaker()
    locks.locked(4242, by: .thread(tid: 4243))
    locks.locked(4243, by: .thread(tid: 4242))
    locks.wait(4244, Wait(kind: .signal, systemCall: "rt_sigtimedwait"), signal: 14)
    #expect(locks.verdict.kind == .deadlock)
  }

  @Test func `does not claim a knot of pipes that others may open or hold`() {
    for kind in [WaitDescriptor.Kind.fifo, .pipe] {
      var maker = WaitMaker()
      maker.thread(4242, "", "read ask main", .asleep(in: "read"))
      var there = Wait.pipe(peers: [.process(pid: 50, tid: nil, name: "p50")])
      there.descriptors[0].kind = kind
      if kind == .fifo { there.descriptors[0].name = "/run/orders" } else { there.owners = [] }
      maker.wait(4242, there, threadCount: 1)
      let back = Wait.pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")])
      maker.wait(50, back, pid: 50, threadCount: 1)
      #expect(maker.verdict.kind == .possibleDeadlock)
      let words = kind == .fifo ? "that opens orders could" : "may hold another end"
      #expect(ReportHead.text(maker.profile).contains(words))
    }
  }

  @Test func `says of a server with a thread that does not sleep that it is at work`() {
    for (asleep, words) in [
      (5, "\"p700\" (pid 700) could still proceed if one of its threads wakes up"),
      (4, "\"p700\" (pid 700) is at work: 1 of its 5 threads does not wait"),
      (2, "\"p700\" (pid 700) is at work: 3 of its 5 threads do not wait"),
    ] {
      var maker = WaitMaker()
      maker.thread(4242, "", "recv ask main", .asleep(in: "recvfrom"))
      maker.wait(4242, .pipe(peers: [.process(pid: 700, tid: nil, name: "p700")]))
      for number in 1...Int32(asleep) {
        maker.wait(
          700 + number, Wait(kind: .conditionVariable, systemCall: "futex"), pid: 700,
          threadCount: 5)
      }
      #expect(ReportHead.text(maker.profile).contains(words))
    }
  }

  @Test func `does not take a program's own pipe for a deadlock`() {
    // A signal handler may write into it: the self-pipe trick.
    var maker = WaitMaker()
    maker.thread(4242, "", "read wait_for_signal main", .asleep(in: "read"))
    maker.wait(4242, .pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")]))
    #expect(maker.diagnosis.graph.cycles.isEmpty)
    #expect(maker.verdict.kind == .waiting)
  }

  @Test func `does not take threads at rest for a cycle`() {
    // Two workers each of which holds what the other rests on would be a mistake of the look-up.
    var maker = WaitMaker()
    let functions = "poll g_main_context_iterate g_main_loop_run main"
    maker.thread(4242, "", functions, .asleep(in: "poll"))
    maker.wait(4242, .pipe(.poll, peers: [.process(pid: 50, tid: 50, name: "p50")]))
    let back = Wait.pipe(.poll, peers: [.process(pid: 4242, tid: 4242, name: "orderd")])
    maker.wait(50, back, pid: 50, threadCount: 1)
    #expect(maker.diagnosis.graph.cycles.count == 1)
    #expect(maker.verdict.kind == .idle)
  }

  @Test func `takes any of several descriptors for enough`() {
    func poll(_ second: WaitDescriptor) -> WaitMaker {
      var maker = WaitMaker()
      maker.thread(4242, "", "poll ask main", .asleep(in: "poll"))
      var wait = Wait.pipe(.poll, peers: [.process(pid: 50, tid: 50, name: "p50")])
      wait.descriptors.append(second)
      maker.wait(4242, wait)
      let back = Wait.pipe(peers: [.process(pid: 4242, tid: 4242, name: "orderd")])
      maker.wait(50, back, pid: 50, threadCount: 1)
      return maker
    }
    let peer = WaitOwner.process(pid: 50, tid: 50, name: "p50")
    let pipe = WaitDescriptor(number: 9, kind: .unixSocket, name: "", peers: [peer])
    #expect(poll(pipe).verdict.kind == .deadlock)
    let others: [WaitDescriptor] = [
      WaitDescriptor(number: 9, kind: .unixSocket, name: ""),
      WaitDescriptor(number: 9, kind: .eventfd, name: "", peers: [peer]),
      WaitDescriptor(number: 9, kind: .tcpSocket, name: "", peers: [peer], state: .listening),
      WaitDescriptor(number: 9, kind: .timerfd, name: ""),
    ]
    for other in others { #expect(poll(other).diagnosis.graph.cycles.isEmpty, "\(other)") }
  }

  @Test func `finds a cycle with Python's interpreter lock`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "pthread_cond_timedwait take_gil PyEval_RestoreThread f main", .asleep(in: "futex"))
    maker.wait(4242, Wait(kind: .gil, systemCall: "futex", owners: [.thread(tid: 4243)]))
    maker.locked(4243, by: .thread(tid: 4242))
    #expect(maker.verdict.kind == .deadlock)
  }

  @Test func `takes a step for each thread of a long chain`() {
    var maker = WaitMaker()
    let count: Int32 = 20_000
    for number in 0..<count { maker.locked(4242 + number, by: .thread(tid: 4243 + number)) }
    maker.thread(4242 + count, "", "compute start_thread", .running)
    let diagnosis = maker.diagnosis
    #expect(diagnosis.verdict.chain.count == Int(count) + 1)
    #expect(diagnosis.graph.cycles.isEmpty)
    // And when the last waits for the first.
    maker.locked(4243 + count, by: .thread(tid: 4242))
    var closed = maker.profile
    closed.threads.remove(at: Int(count))
    closed.runs.removeAll { $0.thread >= Int(count) }
    closed.blockings[Int(count) - 1] = Blocking(
      waiter: closed.blockings[Int(count) - 1].waiter,
      wait: .mutex(by: .thread(tid: 4242)), firstSeen: 0, lastSeen: maker.end, samples: 5)
    closed.blockings.removeLast()
    let graph = WaitGraph(ProfileIndex(closed))
    #expect(graph.cycles.map(\.threads.count) == [Int(count)])
  }

  @Test func `agrees with a search by hand on random graphs`() {
    var numbers = SystemRandomNumberGenerator()
    for trial in 0..<4000 {
      let count = Int32.random(in: 1...7, using: &numbers)
      var maker = WaitMaker(kind: .dump)
      var owners: [[Int32]] = []
      var timed: [Bool] = []
      for number in 0..<count {
        let some = (0..<Int.random(in: 0...2, using: &numbers)).map { _ in
          Int32.random(in: 0..<count, using: &numbers)
        }
        owners.append(some)
        timed.append(Int.random(in: 0...4, using: &numbers) == 0)
        maker.thread(4242 + number, "", "pthread_mutex_lock f main", .asleep(in: "futex"))
        guard !some.isEmpty else { continue }
        var wait = Wait.mutex(by: .thread(tid: 4242 + some[0]), timed: timed[Int(number)])
        wait.owners = some.map { .thread(tid: 4242 + $0) }
        maker.wait(4242 + number, wait)
      }
      let profile = maker.profile
      let graph = WaitGraph(ProfileIndex(profile))
      let found = Set(graph.cycles.flatMap(\.threads).compactMap { graph.nodes[$0].tid })
      let stuck = (0..<count).map { number in
        graph.node(of: profile.threads[Int(number)]).map { graph.isStuck[$0] } ?? false
      }
      let truth = Self.stuck(owners)
      #expect(stuck == truth, "trial \(trial): \(owners)")
      for cycle in graph.cycles {
        let members = cycle.threads.compactMap { graph.nodes[$0].tid }.map { $0 - 4242 }
        for (position, member) in members.enumerated() {
          let next = members[(position + 1) % members.count]
          #expect(owners[Int(member)].contains(next), "trial \(trial): \(owners) \(members)")
        }
        let reached = Self.reached(from: Int(members[0]), owners)
        #expect(cycle.isTimed == reached.contains { timed[$0] }, "trial \(trial)")
      }
      // Where there are stuck threads, and nobody is dead, there is a cycle.
      #expect(found.isEmpty == !truth.contains(true), "trial \(trial): \(owners)")
    }
  }

  /// The largest set of threads each of which waits for threads of the set only.
  private static func stuck(_ owners: [[Int32]]) -> [Bool] {
    var stuck = owners.map { !$0.isEmpty }
    while true {
      let next = owners.indices.map { stuck[$0] && owners[$0].allSatisfy { stuck[Int($0)] } }
      if next == stuck { return stuck }
      stuck = next
    }
  }

  private static func reached(from start: Int, _ owners: [[Int32]]) -> Set<Int> {
    var reached: Set<Int> = [start]
    while true {
      let next = reached.union(reached.flatMap { owners[$0].map(Int.init) })
      if next == reached { return reached }
      reached = next
    }
  }
}
