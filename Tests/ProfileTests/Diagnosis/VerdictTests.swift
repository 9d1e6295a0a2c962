internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `The verdict` {
  static let handler =
    "on_clicked g_closure_invoke g_signal_emit g_main_context_dispatch g_main_context_iterate "
    + "g_main_loop_run gtk_main main"

  @Test func `of a window whose handler waits for a lock`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_mutex_lock \(Self.handler)", .asleep(in: "futex"))
    maker.wait(4242, .mutex(by: .thread(tid: 4243)), since: -2_400_000_000)
    maker.thread(4243, "loader", "read fetch start_thread", .asleep(in: "read"))
    maker.wait(4243, .pipe(peers: [.process(pid: 70, tid: nil, name: "feed")]))
    #expect(maker.verdict.kind == .hungOnLock)
    #expect(maker.verdict.lasted == 12_400_000_000)
    #expect(maker.verdict.chain.count == 3)
  }

  @Test func `of a window whose handler waits for an answer`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "recv ask \(Self.handler)", .asleep(in: "recvfrom"))
    #expect(maker.verdict.kind == .hungOnIO)
    // A moment is no hang.
    var short = WaitMaker()
    short.thread(4242, "", "poll g_main_context_iterate g_main_loop_run main", .asleep(in: "poll"))
    short.run(
      0, "recv ask \(Self.handler)".split(separator: " ").map(String.init), .asleep(in: "recvfrom"),
      from: short.end - 100_000_000)
    #expect(short.verdict.kind == .idle)
  }

  @Test func `of a program that waited for workers is about one that has ended and had the CPU`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "futex_wait wait_for_all main", .asleep(in: "futex"))
    let worker = maker.thread(4243, "worker", "crunch work start_thread", .running)
    maker.end(worker, lived: 0.9)
    #expect(maker.verdict.kind == .busyLoop)
    #expect(maker.verdict.thread == worker)
    // One that lived for a moment was busy, and yet did little.
    maker.end(worker, lived: 0.01)
    #expect(maker.verdict.kind == .waiting)
    #expect(maker.verdict.thread == 0)
  }

  @Test func `of a program whose end left no thread is about its own main thread`() {
    var maker = WaitMaker()
    let helper = maker.maker.thread(4300, "helper", isMain: true)
    maker.run(helper, ["read", "serve", "main"], .asleep(in: "read"))
    maker.end(helper, lived: 1, process: OwningProcess(pid: 4300, name: "helper"))
    let main = maker.thread(4242, "", "crunch compute main", .running)
    maker.end(main, lived: 1, process: OwningProcess(pid: 4242, name: "orderd"))
    #expect(maker.verdict.kind == .busyLoop)
    #expect(maker.verdict.thread == main)
  }

  /// A family of two in whose child a thread waits for a lock that a process holds; the view of waits,
  /// too, without its line breaks.
  private func lockedFamily(holder: Int32, name: String) -> String {
    var maker = WaitMaker()
    let main = maker.thread(4242, "", "nanosleep main", .asleep(in: "clock_nanosleep"))
    let child = maker.maker.thread(4300, "worker", isMain: true, lastSeen: maker.end)
    maker.run(child, ["flock", "take_turn", "main"], .asleep(in: "flock"))
    maker.maker.profile.threads[main].process = OwningProcess(pid: 4242, name: "orderd")
    maker.maker.profile.threads[child].process = OwningProcess(pid: 4300, name: "worker")
    let lock = Wait(
      kind: .fileLock, systemCall: "flock",
      owners: [.process(pid: holder, tid: nil, name: name)],
      descriptors: [WaitDescriptor(number: 5, kind: .file, name: "/tmp/turn")])
    maker.wait(4300, lock, pid: 4300)
    let text = ReportHead.text(maker.profile, ReportOptions(views: [.waits]))
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test func `of a process that waits for another of its family names that one`() {
    let text = lockedFamily(holder: 4242, name: "orderd")
    #expect(text.contains("in take_turn, has been waiting"), "\(text)")
    #expect(text.contains("held by \"orderd\" (pid 4242)"), "\(text)")
    #expect(!text.contains("the program itself"), "\(text)")
    let own = lockedFamily(holder: 4300, name: "worker")
    #expect(own.contains("held by the program itself"), "\(own)")
    #expect(!own.contains("\"worker\" (pid 4300)"), "\(own)")
  }

  @Test func `of a loop in compiled code without names is about that code, not its caller`() {
    var maker = WaitMaker()
    let main = maker.thread(4242, "node", "x", .running)
    maker.maker.profile.runs = []
    maker.maker.profile.capture.executable = "/usr/bin/node"
    let file = maker.maker.module("/usr/bin/node")
    let callers = ["node::Start", "Builtins_JSEntry", "Builtins_InterpreterEntryTrampoline"].map {
      maker.maker.frame(SourceLine(function: $0), in: file)
    }
    let helper = maker.maker.frame(SourceLine(function: "Builtins_Add"), in: file)
    for number in 0..<100 as Range<Int64> {
      // Each sample is at another address of the code.
      let made = maker.maker.unnamedFrame(in: .anonymous)
      maker.maker.profile.symbols.append(ResolvedFrame(lines: [], module: .anonymous))
      let inner = number % 10 == 0 ? [helper] : []
      let stack = maker.maker.stack(outermostFirst: callers + [made] + inner)
      maker.maker.run(main, stack, ticks: 10, cpu: 100_000_000, start: number * 100_000_000)
    }
    #expect(maker.verdict.kind == .busyLoop)
    var text = ""
    TextReport(maker.profile, options: ReportOptions(width: 10_000)).write(to: &text)
    #expect(text.contains("and stayed in JIT code of node (100.0 %"), "\(text.prefix(300))")
  }

  @Test func `of a handler that loops is that, with few CPUs, too`() {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", "recompute \(Self.handler)", .waitingForCPU)
    maker.setThread(thread, cpu: WaitMaker.second, delay: 8 * WaitMaker.second)
    #expect(maker.verdict.kind == .busyLoop)
    #expect(maker.verdict.place?.line.function == "recompute")
  }

  @Test(arguments: ["", "<task> waits crawl <task> "])
  func `of a handler on whose behalf nobody or another task waits names what runs`(tasks: String) {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "recompute parse \(tasks)g_main_context_dispatch g_main_loop_run main", .running)
    #expect(maker.verdict.kind == .busyLoop)
    #expect(maker.verdict.place?.line.function == "recompute")
    #expect(maker.diagnosis.situations[0]?.handler?.line.function == "parse")
  }

  @Test func `of a process that was forked in its parent's loop is not about a handler`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "",
      "epoll_wait WaitEventSetWait WaitLatch autovacuum_work StartWorker ServerLoop "
        + "PostmasterMain main", .asleep(in: "epoll_wait"))
    #expect(maker.verdict.kind == .waiting)
  }

  @Test func `of a program that waits for input is that it waits`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "read read_line main", .asleep(in: "read"))
    maker.wait(4242, .pipe(peers: [.process(pid: 70, tid: nil, name: "feed")]))
    #expect(maker.verdict.kind == .waiting)
  }

  @Test func `of one look without the time of sleep claims no hang`() {
    var maker = WaitMaker(kind: .dump)
    maker.locked(4242, by: .thread(tid: 4243), samples: 1)
    maker.thread(4243, "", "read fetch start_thread", .asleep(in: "read"))
    #expect(maker.verdict.kind == .waiting)
    var slept = WaitMaker(kind: .dump)
    slept.locked(4242, by: .thread(tid: 4243), samples: 2, since: -30 * WaitMaker.second)
    slept.thread(4243, "", "read fetch start_thread", .asleep(in: "read"))
    #expect(slept.verdict.kind == .hungOnLock)
  }

  @Test func `of a ring beside idle threads is the ring`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "poll g_main_context_iterate g_main_loop_run main", .asleep(in: "poll"))
    for tid in Int32(5000)..<5012 {
      maker.thread(tid, "pool", "pthread_cond_wait pool_thread start_thread", .asleep(in: "futex"))
    }
    maker.locked(4300, "a", by: .thread(tid: 4301))
    maker.locked(4301, "b", by: .thread(tid: 4300))
    let verdict = maker.verdict
    #expect(verdict.kind == .deadlock)
    #expect(verdict.idleThreads == 13)
  }

  @Test func `of workers that all hang, while main waits for their end`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(4300))
    maker.locked(4300, "a", by: .thread(tid: 4302))
    maker.locked(4301, "b", by: .thread(tid: 4302))
    #expect(maker.verdict.kind == .hungOnLock)
    // One that works is reason enough not to say so.
    maker.thread(4302, "c", "compute start_thread", .running)
    #expect(maker.verdict.kind == .busyLoop)
  }

  /// It may do its own work in between, but shows nothing of a program that goes on.
  @Test func `of a thread that hangs beside one that tries again and again is the one that hangs`()
  {
    for trying in [4301, 4242] as [Int32] {
      var maker = WaitMaker()
      maker.locked(trying, "trying", by: .thread(tid: 4302), in: "retry", timed: true)
      maker.maker.profile.blockings = []
      maker.maker.profile.runs[0].unseenSleeps = .renewed
      #expect(maker.verdict.kind != .hungOnLock)
      if trying != 4242 {
        maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
        maker.wait(4242, .join(trying))
      }
      maker.thread(
        4302, "owner", "clock_nanosleep hold start_thread", .asleep(in: "clock_nanosleep"))
      maker.locked(4303, "stuck", by: .thread(tid: 4302))
      #expect(maker.verdict.kind == .hungOnLock)
      #expect(ReportHead.text(maker.profile).hasPrefix("Hung: \"stuck\""), "\(trying)")
    }
  }

  @Test func `of a thread that hardly runs, and late, is what the program waits for`() {
    for (delay, kind) in [(600_000_000, .idle), (3_000_000_000, .slow)] as [(Int64, Verdict.Kind)] {
      var maker = WaitMaker()
      maker.thread(4242, "", "libc.so.6/accept serve main", .asleep(in: "accept4"))
      let late = maker.thread(
        4243, "late", "usleep tick start_thread", .asleep(in: "clock_nanosleep"))
      maker.setThread(late, cpu: 10_000_000, delay: delay)
      #expect(maker.verdict.kind == kind)
      let words = ReportHead.text(maker.profile)
      #expect(words.hasPrefix(kind == .idle ? "Idle: " : "Mostly idle: \"late\""), "\(words)")
    }
  }

  /// Its waits are looked up less often than its stack is read.
  @Test func `of a deadlock is seen in the samples that found its threads there`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4243), samples: 2)
    maker.locked(4243, by: .thread(tid: 4242), samples: 2)
    #expect(maker.verdict.kind == .deadlock)
    #expect(maker.verdict.samples == 1000)
    // Looked up once, no sample shows that they did not run in between.
    var once = WaitMaker()
    once.locked(4242, by: .thread(tid: 4243), samples: 1)
    once.locked(4243, by: .thread(tid: 4242), samples: 1)
    #expect(once.verdict.samples == 1)
  }

  @Test func `of a thread that stays in one function is a busy loop`() {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", "find_slot insert rehash on_load main", .running)
    #expect(maker.verdict.kind == .busyLoop)
    #expect(maker.verdict.place?.line.function == "find_slot")
    #expect(maker.diagnosis.situations[thread]?.wait == nil)
  }

  @Test func `of a thread that does various things is that it is busy`() {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", "parse_0 main", .running)
    for number in 1..<10 {
      maker.run(
        thread, ["parse_\(number)", "main"], .running, from: Int64(number) * WaitMaker.second)
    }
    #expect(maker.verdict.kind == .slow)
  }

  @Test func `of a thread that is in many functions names the one that most of them work for`() {
    var maker = WaitMaker()
    maker.maker.profile.capture.executable = "/opt/app/bin/app"
    let thread = maker.thread(4242, "", "libz.so.1/step_0 pack save on_idle main", .running)
    for number in 1..<20 {
      let work =
        number < 15
        ? ["libz.so.1/step_\(number % 10)", "libz.so.1/deflate", "pack", "save", "on_idle", "main"]
        : ["draw_\(number)", "on_idle", "main"]
      maker.run(thread, work, .running, from: Int64(number) * WaitMaker.second / 2)
    }
    let verdict = maker.verdict
    #expect(verdict.kind == .slow)
    // The library's function holds as much, and is not the program's own.
    #expect(verdict.within?.line.function == "pack")
    #expect((0.6..<1).contains(verdict.withinShare ?? 0))
    // Where all of them only have the program's main function in common, that says nothing.
    var various = WaitMaker()
    let main = various.thread(4242, "", "parse_0 main", .running)
    for number in 1..<10 {
      various.run(main, ["parse_\(number)", "main"], .running, from: 0, to: WaitMaker.second)
    }
    #expect(various.verdict.within == nil)
  }

  @Test func `of a thread without a CPU is that it is starved`() {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", "compute main", .waitingForCPU)
    maker.setThread(thread, cpu: WaitMaker.second, delay: 8 * WaitMaker.second)
    #expect(maker.verdict.kind == .starved)
  }

  @Test func `of threads that keep each other from the CPUs does not blame others`() {
    func sentence(processors: Int?, cpu: Int64, kind: Verdict.Kind) -> String {
      var maker = WaitMaker()
      maker.maker.profile.capture.processors = processors
      for number in 0..<50 as Range<Int32> {
        let thread = maker.thread(4242 + number, "", "compute work start_thread", .waitingForCPU)
        maker.setThread(thread, cpu: cpu, delay: 10 * WaitMaker.second - cpu)
      }
      #expect(maker.verdict.kind == kind)
      return ReportHead.text(maker.profile).split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
    let crowded = sentence(processors: 2, cpu: WaitMaker.second / 3, kind: .busyLoop)
    #expect(
      crowded.contains(
        "The program has more runnable threads than CPUs: 50 threads at a time wanted to run on 2 CPUs."
      ), "\(crowded)")
    #expect(!crowded.contains("overloaded"))
    // Others have the CPUs, there are enough of them, or their number is not known.
    for (processors, cpu) in [(2, WaitMaker.second / 100), (64, WaitMaker.second), (nil, 9)] {
      #expect(
        sentence(processors: processors, cpu: cpu, kind: .starved).contains("is overloaded"))
    }
  }

  @Test func `of a thread that runs and reads in turn says both`() {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", "parse main", .running, share: 0.4)
    maker.run(thread, ["read", "load", "main"], .asleep(in: "read"), from: 0)
    let verdict = maker.verdict
    #expect(verdict.kind == .slow)
    #expect(verdict.wait?.kind == .read)
    #expect(verdict.place?.line.function == "parse")
  }

  @Test(arguments: [
    ("clock_nanosleep", "clock_nanosleep nap main"),
    ("poll", "poll g_main_context_iterate g_main_loop_run main"),
  ])
  func `of a main thread that computes and rests in turn is never that it is idle`(
    call: String, rest: String
  ) {
    for (share, kind) in [(0.5, Verdict.Kind.slow), (0.1, .slow), (0.02, .idle)] {
      var maker = WaitMaker()
      let thread = maker.thread(4242, "", rest, .asleep(in: call))
      // The last sample of it may be in either.
      maker.run(
        thread, ["compute", "main"], .running, from: 0, to: Int64(Double(maker.end) * share))
      maker.run(thread, rest.split(separator: " ").map(String.init), .asleep(in: call))
      maker.setThread(thread, cpu: Int64(Double(maker.end) * share))
      #expect(maker.verdict.kind == kind)
      #expect(maker.verdict.idleThreads == (kind == .idle ? 1 : 0))
      var json = ""
      JSONReport(maker.profile).write(to: &json)
      #expect(json.contains("\"idle_in\":null") == (kind != .idle))
    }
  }

  @Test func `of one look at a running thread is where it runs`() {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4242, "", "spin main", .running)
    #expect(maker.verdict.kind == .running)
    #expect(maker.verdict.place?.line.function == "spin")
  }

  @Test func `of one look is not about a thread of the runtime that is awake for a moment`() {
    func maker(_ name: String, _ stack: String) -> WaitMaker {
      var maker = WaitMaker(kind: .dump)
      let loop = "poll g_main_context_iterate g_main_loop_run main"
      maker.thread(4242, "", loop, .asleep(in: "poll"))
      maker.thread(4243, name, stack, .running)
      return maker
    }
    var java = maker("VM Periodic Tas", "clock_gettime start_thread")
    #expect(java.verdict.kind == .running)
    java.maker.profile.modules.append(Module(path: "/opt/lib/server/libjvm.so"))
    #expect(java.verdict.kind == .idle)

    var go = maker("", "runtime.usleep runtime.sysmon runtime.mstart")
    #expect(go.verdict.kind == .running)
    var list = Goroutines(pid: 4242, version: "go1.22.1")
    list.groups = [GoroutineGroup(state: .waiting, reason: "IO wait", count: 3, ids: [7, 8, 9])]
    go.maker.profile.goroutines = [list]
    #expect(go.verdict.kind == .idle)
    // The collector at work is no such moment.
    var collecting = maker("", "runtime.scanobject runtime.gcDrain runtime.gcBgMarkWorker")
    collecting.maker.profile.goroutines = [list]
    #expect(collecting.verdict.kind == .running)
  }

  @Test func `of a main thread that mostly waits for a lock is about it`() {
    // It woke now and then, so it does not hang; but it is what the user feels, not who is busy.
    var maker = WaitMaker()
    let main = maker.thread(4242, "", "pthread_mutex_lock draw main", .asleep(in: "futex"))
    maker.run(main, ["parse", "main"], .running, from: maker.end - 10_000_000)
    maker.setThread(main, cpu: WaitMaker.second / 10)
    maker.thread(4243, "", "compute work start_thread", .running)
    #expect(maker.verdict.kind == .slow)
    #expect(maker.verdict.thread == main)
    #expect(maker.verdict.wait?.kind == .mutex)
  }

  @Test func `of stopped threads is that they are stopped`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "main", .stopped)
    maker.thread(4243, "", "f start_thread", .stopped)
    #expect(maker.verdict.kind == .stopped)
  }

  @Test func `of an empty profile is that nothing is conclusive`() {
    #expect(WaitMaker().verdict.kind == .inconclusive)
    var gone = WaitMaker()
    gone.thread(4242, "", "main", .unknown)
    #expect(gone.verdict.kind == .inconclusive)
  }
}
