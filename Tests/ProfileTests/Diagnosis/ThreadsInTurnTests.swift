internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

/// Verdicts on threads that live for a short time, are stopped for a while, or take turns at a lock.
@Suite struct `Verdict on threads in turn` {
  @Test func `of threads that each live for a short time counts them together`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(4250))
    for number in 0..<20 {
      let thread = maker.thread(
        4250 + Int32(number), "app", "crunch work start_thread clone3", .running, share: 0.04)
      maker.maker.profile.runs.removeLast()
      let start = Int64(number) * WaitMaker.second / 2
      maker.run(
        thread, ["crunch", "work", "start_thread", "clone3"], .running, from: start,
        to: start + WaitMaker.second * 4 / 10)
      maker.end(thread, lived: 0.04)
    }
    let verdict = maker.verdict
    #expect(verdict.kind == .slow)
    #expect(verdict.alikeThreads == 20)
    #expect(verdict.shares.map { Int($0.running.rounded()) } == 80)
    #expect(verdict.place?.line.function == "crunch")
    var words = ""
    TextReport(maker.profile, options: ReportOptions(views: [])).write(to: &words)
    let begin = "Busy: 20 short-lived threads \"app\" were on a CPU for 80.0 % of 10.00 s"
    #expect(words.hasPrefix(begin), "\(words)")
  }

  @Test func `of threads that lived for long is about one of them`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(4250))
    for number in Int32(0)..<3 {
      let thread = maker.thread(4250 + number, "app", "crunch start_thread", .running, share: 0.5)
      maker.end(thread, lived: 0.5)
    }
    #expect(maker.verdict.alikeThreads == 0)
  }

  @Test func `of threads that were stopped for a while and go on is not that they are stopped`() {
    var maker = WaitMaker()
    for tid in [Int32(4242), 4243] {
      let thread = maker.thread(tid, "", "f main", .stopped)
      maker.run(thread, ["work", "main"], .running, from: 9 * WaitMaker.second)
    }
    #expect(maker.verdict.kind != .stopped)
  }

  @Test func `of a pool whose lock is held by one that sleeps is about the lock`() {
    // Each turn is shorter than a second, and the main thread sleeps between two pieces of work.
    var maker = WaitMaker()
    maker.thread(4242, "", "usleep main", .asleep(in: "clock_nanosleep"))
    for tid in Int32(4250)..<4254 {
      let lock = "__lll_lock_wait pthread_mutex_lock get handle start_thread clone3"
      let thread = maker.thread(tid, "pool", lock, .asleep(in: "futex"))
      maker.run(
        thread, ["usleep", "load", "get", "handle", "start_thread", "clone3"],
        .asleep(in: "clock_nanosleep"), from: 8 * WaitMaker.second, to: 9 * WaitMaker.second)
      let begin = WaitMaker.second * 96 / 10
      guard tid != 4253 else {
        maker.run(
          thread, ["usleep", "load", "get", "handle", "start_thread", "clone3"],
          .asleep(in: "clock_nanosleep"), from: begin)
        continue
      }
      maker.run(
        thread, lock.split(separator: " ").map(String.init), .asleep(in: "futex"), from: begin)
      maker.wait(tid, .mutex(by: .thread(tid: 4253)), since: begin, from: begin)
    }
    let diagnosis = maker.diagnosis
    #expect(diagnosis.verdict.kind == .waiting)
    #expect(
      diagnosis.verdict.chain.last.map { diagnosis.graph.nodes[$0].tid } == 4253,
      "\(diagnosis.verdict)")
    // What the owner does at the end counts, however short, and no two sleeps are one.
    let owner = diagnosis.situations.compactMap { $0 }.first {
      maker.profile.threads[$0.thread].tid == 4253
    }
    #expect(owner?.wait?.kind == .sleep)
    #expect(owner?.lengthOfWait == 0)
  }

  @Test func `of a lock whose owner waits for a signal is not that those behind it are idle`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(4251))
    maker.thread(4250, "H", "pause f start_thread clone3", .asleep(in: "pause"))
    maker.wait(4250, Wait(kind: .signal, systemCall: "pause"))
    maker.locked(4251, "W", by: .thread(tid: 4250), in: "f")
    let verdict = maker.verdict
    #expect(verdict.kind == .hungOnLock)
    #expect(verdict.thread.map { maker.profile.threads[$0].tid } == 4251)
  }

  @Test func `of a thread without a CPU at its one sample says no more`() {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4242, "", "compute main", .waitingForCPU)
    #expect(maker.verdict.kind == .running)
    var words = ""
    DumpReport(maker.profile).write(to: &words)
    words = words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("was runnable, waiting for a CPU when sampled"), "\(words)")
    #expect(!words.contains("overloaded"))
  }

  @Test func `have one length of a wait in the sentence and in the chain`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "poll g_main_loop_run main", .asleep(in: "poll"))
    maker.thread(
      4250, "owner", "clock_nanosleep load_file start_thread", .asleep(in: "clock_nanosleep"))
    maker.locked(4251, "victim", by: .thread(tid: 4250))
    // The lock has changed hands: the last owner was looked up near the end.
    maker.maker.profile.blockings = []
    maker.wait(
      4251, .mutex(by: .thread(tid: 4250)), samples: 20, since: 0, from: 9_800_000_000)
    let words = VerdictWords(maker.diagnosis)
    #expect(words.sentence.contains("waiting 10.00 s"), "\(words.sentence)")
    #expect(words.chainLines.first?.contains("waiting 10.00 s") ?? false, "\(words.chainLines)")
    #expect(words.drawnChain.first?.lasted == "10.00 s")
  }
}
