internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

/// Threads that hang while others of the program go on: the verdict is about those, and tells of these.
@Suite struct `Verdict beside a thread that hangs` {
  /// A program whose main thread rests, and one of whose workers computes.
  private static func busy(_ kind: CaptureInfo.Kind = .attach) -> WaitMaker {
    var maker = WaitMaker(kind: kind)
    maker.thread(4242, "", "usleep main", .asleep(in: "clock_nanosleep"))
    maker.thread(4243, "spin", "spin start_thread clone3", .running)
    return maker
  }

  private static func words(of maker: WaitMaker) -> String {
    var words = ""
    TextReport(maker.profile, options: ReportOptions(width: 4000)).write(to: &words)
    return words
  }

  @Test func `of a busy loop tells who waits for a lock, and what its owner does`() {
    var maker = Self.busy()
    maker.thread(4244, "holder", "sleep hold start_thread", .asleep(in: "clock_nanosleep"))
    maker.locked(4245, "hung", by: .thread(tid: 4244))
    let verdict = maker.verdict
    #expect(verdict.kind == .busyLoop)
    #expect(verdict.hanging?.thread == 3)
    #expect(verdict.hanging?.lasted == maker.end)
    let words = Self.words(of: maker)
    #expect(
      words.contains(
        "Meanwhile \"hung\" (4245), in take_lock, has been waiting at least 10.00 s for mutex audit_lock"
      ),
      "\(words)")
    #expect(words.contains("\n  \"holder\" (4244), in hold, "), "\(words)")
    #expect(words.contains("Thread 4245 \"hung\"\n"), "\(words)")
  }

  @Test func `is told in brief, in JSON and on the live screen`() {
    var maker = Self.busy()
    maker.thread(4244, "holder", "sleep hold start_thread", .asleep(in: "clock_nanosleep"))
    maker.locked(4245, "hung", by: .thread(tid: 4244))
    var brief = ""
    BriefReport(maker.profile).write(asJSON: true, to: &brief)
    #expect(brief.contains("Meanwhile \\\"hung\\\" (4245)"), "\(brief)")
    #expect(brief.contains("\"tid\":4245"), "\(brief)")
    var json = ""
    JSONReport(maker.profile).write(to: &json)
    #expect(json.contains("\"hanging\":{\"tid\":4245,\"wait\":\"mutex\""), "\(json)")
  }

  @Test func `tells a dump's thread when it is known since when it sleeps`() {
    var maker = Self.busy(.dump)
    maker.thread(4244, "holder", "sleep hold start_thread", .asleep(in: "clock_nanosleep"))
    maker.locked(4245, "hung", by: .thread(tid: 4244), since: -5 * WaitMaker.second)
    #expect(maker.verdict.kind == .running)
    #expect(maker.verdict.hanging?.thread == 3)
    var unknown = Self.busy(.dump)
    unknown.locked(4245, "hung", by: .thread(tid: 4244))
    #expect(unknown.verdict.hanging == nil)
  }

  @Test func `names one, and counts those behind the same owner and all others`() {
    var maker = Self.busy()
    maker.thread(4244, "holder", "sleep hold start_thread", .asleep(in: "clock_nanosleep"))
    for tid in Int32(4245)...4247 { maker.locked(tid, "hung", by: .thread(tid: 4244)) }
    maker.thread(4248, "writer", "libc.so.6/write log start_thread", .asleep(in: "write"))
    let hanging = maker.verdict.hanging
    #expect(hanging?.behind == 2)
    #expect(hanging?.more == 1)
    let words = Self.words(of: maker)
    #expect(words.contains("; 2 more threads are blocked behind them."), "\(words)")
    #expect(
      words.contains("1 other thread has been waiting for 1 s or more, too."), "\(words)")
  }

  @Test func `tells no thread that the verdict has in its chain, or behind it`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4244), in: "save main")
    maker.locked(4243, by: .thread(tid: 4244))
    maker.thread(4244, "holder", "sleep hold start_thread", .asleep(in: "clock_nanosleep"))
    #expect(maker.verdict.kind == .hungOnLock)
    #expect(maker.verdict.hanging == nil)
    // Another lock is another matter.
    maker.locked(4245, by: .thread(tid: 4246), in: "log")
    maker.thread(4246, "other", "sleep keep start_thread", .asleep(in: "clock_nanosleep"))
    #expect(maker.verdict.hanging?.thread == 3)
  }

  @Test func `tells none that rests, waits for a moment, or has its business elsewhere`() {
    var maker = Self.busy()
    let pool = "pthread_cond_wait next_job worker start_thread"
    for tid in Int32(4250)...4252 { maker.thread(tid, "pool", pool, .asleep(in: "futex")) }
    maker.thread(4253, "acceptor", "libc.so.6/accept serve start_thread", .asleep(in: "accept4"))
    maker.thread(4254, "reader", "libc.so.6/read commands start_thread", .asleep(in: "read"))
    let brief = maker.thread(4255, "brief", "work start_thread", .running, share: 0.5)
    maker.maker.profile.runs.removeLast()
    maker.run(brief, ["work", "start_thread"], .running, to: 95 * WaitMaker.second / 10)
    maker.run(
      brief, ["pthread_mutex_lock", "take_lock", "start_thread"], .asleep(in: "futex"),
      from: 95 * WaitMaker.second / 10)
    #expect(maker.verdict.kind.isOfRunning)
    #expect(maker.verdict.hanging == nil)
  }

  @Test func `that is idle tells a worker that cannot write`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "libc.so.6/accept serve main", .asleep(in: "accept4"))
    maker.thread(4243, "writer", "libc.so.6/write log start_thread", .asleep(in: "write"))
    maker.thread(4244, "reader", "libc.so.6/read commands start_thread", .asleep(in: "read"))
    let verdict = maker.verdict
    #expect(verdict.kind == .idle)
    #expect(verdict.hanging?.thread == 1)
  }
}

extension Verdict.Kind {
  fileprivate var isOfRunning: Bool { self == .busyLoop || self == .slow }
}
