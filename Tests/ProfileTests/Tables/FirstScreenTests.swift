internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `The first screen` {
  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The headings of a dump's threads, in their order.
  private func headings(_ profile: Profile) -> [String] {
    lines(`Text report`.dump(profile)).filter { $0.hasPrefix("Thread") }
  }

  /// A dump of a main thread that waits for two workers to end, one of which has used most.
  private func joined() -> Profile {
    var maker = WaitMaker(kind: .dump)
    maker.thread(
      4242, "app", "__futex_wait __pthread_clockjoin_ex wait_for_workers main",
      .asleep(in: "futex"))
    maker.wait(4242, .join(4243), samples: 1)
    for (tid, cpu) in [(4243, 1_000_000), (4244, 9_000_000_000)] as [(Int32, Int64)] {
      let thread = maker.thread(tid, "worker-\(tid)", "work_\(tid) start_thread", .running)
      maker.maker.profile.threads[thread].cpuSinceStart = cpu
    }
    return maker.profile
  }

  @Test func `of a dump names the running thread that has used most CPU time`() {
    #expect(Diagnosis(joined()).verdict.thread == 2)
  }

  @Test func `of a dump shows the verdict's thread first, and a main thread that only joins last`()
  {
    let names = headings(joined()).compactMap { $0.split(separator: "\"").dropFirst().first }
    #expect(names == ["worker-4244", "worker-4243", "app"])
  }

  @Test func `of a dump has threads that run in the same stack once`() {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4242, "app", "run_loop main", .running)
    for tid in 1...6 { maker.thread(Int32(tid), "timer-\(tid)", "tick start_thread", .running) }
    let headings = headings(maker.profile)
    #expect(headings.count == 2)
    #expect(headings.last?.hasPrefix("Threads ×6 \"timer-*\"") == true)
  }

  @Test func `of a dump has processes of one name in the same stack once`() {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4242, "app", "run_loop main", .running)
    for pid in 1...30 {
      let thread = maker.thread(Int32(pid), "cc1", "compile main", .running)
      maker.maker.profile.threads[thread].isMain = true
      maker.maker.profile.threads[thread].process = OwningProcess(pid: Int32(pid), name: "cc1")
    }
    let headings = headings(maker.profile)
    #expect(headings.count == 2)
    #expect(headings.last?.hasPrefix("Threads ×30 \"cc1/cc1\"") == true)
  }

  /// Workers of one name in processes of their own, of which the last used nearly all CPU time.
  private func workers() -> Profile {
    var maker = WaitMaker()
    maker.thread(4242, "app", "run_loop main", .asleep(in: "wait4"))
    for number in 1...9 {
      let function = number == 9 ? "crunch" : "rest"
      let thread = maker.thread(
        Int32(number), "worker-\(number)", "\(function) main", .running,
        share: number == 9 ? 0.9 : 0.02)
      maker.maker.profile.threads[thread].process = OwningProcess(
        pid: Int32(number), name: "worker")
    }
    return maker.profile
  }

  @Test func `has alike threads in one row, but the one that used most alone`() {
    let text = lines(`Text report`.report(workers()))
    #expect(text.contains { $0.hasPrefix("worker[9]/worker-9 ") && $0.contains("crunch") })
    #expect(text.contains { $0.hasPrefix("worker/worker-* ×8 ") && !$0.contains("crunch") })
  }

  @Test func `counts all processes`() {
    #expect(lines(`Text report`.report(workers())).contains("Threads: 10 of 10 processes"))
  }

  @Test func `leaves out the functions by which libraries call others`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/app")
    let library = "/usr/include/c++/12/bits/"
    let frames = [
      SourceLine(function: "main", file: "/src/app.cpp", line: 9),
      SourceLine(function: "std::function<void ()>::operator()", file: library + "std_function.h"),
      SourceLine(function: "__invoke_impl<void, …>", file: library + "invoke.h", line: 61),
      SourceLine(function: "work", file: "/src/app.cpp", line: 3),
      SourceLine(function: "accumulate<…>", file: library + "stl_numeric.h", line: 168),
    ].map { maker.frame($0, in: app) }
    let thread = maker.thread(4242, "app", isMain: true, cpu: 9_000_000_000)
    maker.run(thread, maker.stack(outermostFirst: frames), ticks: 900, cpu: 9_000_000_000)
    maker.profile.capture.duration = 10_000_000_000
    let stack = lines(`Text report`.report(maker.profile)).filter { $0.hasPrefix("  #") }
    let names = stack.compactMap { $0.split(separator: " ").dropFirst().first }
    #expect(names == ["accumulate<…>", "work", "main"])
  }

  @Test func `has of the C library what it was called for, and where it is`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "app",
      "libc.so.6/futex_wait libc.so.6/__lll_lock_wait libc.so.6/pthread_mutex_lock "
        + "take_lock libc.so.6/qsort main", .asleep(in: "futex"))
    let stack = lines(`Text report`.report(maker.profile)).filter { $0.hasPrefix("  #") }
    let names = stack.compactMap { $0.split(separator: " ").dropFirst().first }
    #expect(names == ["futex_wait", "pthread_mutex_lock", "take_lock", "qsort", "main"])
  }

  @Test func `gives no share below nothing`() {
    #expect(Figures.percent(0.997, error: 2.7) == "0.0 to 100.0")
    #expect(Figures.percent(1, error: 0.0001) == "100.0")
  }

  @Test func `has as many rows of functions and lines as are asked for`() {
    func rows(_ top: Int?) -> [Int] {
      let text = lines(`Text report`.report(OrderServer.attached(), ReportOptions(top: top)))
      return ["Functions by", "Lines by"].map { title in
        let table = text.drop { !$0.hasPrefix(title) }.dropFirst(2)
        return table.prefix { !$0.isEmpty }.count
      }
    }
    #expect(rows(1) == [1, 1])
    #expect(zip(rows(nil), rows(1)).allSatisfy { $0 > $1 })
    #expect(zip(rows(500), rows(nil)).allSatisfy { $0 >= $1 })
  }

  @Test func `names the other views without parting an option from its value`() {
    var options = ReportOptions()
    for length in 1...60 {
      options.file = String(repeating: "f", count: length)
      let text = lines(`Text report`.report(OrderServer.attached(), options))
      #expect(!text.contains { $0.hasSuffix("--by") || $0.hasSuffix("--thread") })
      #expect(text.contains { $0.contains("freezes") } && !text.contains { $0.contains("…ws ") })
    }
  }

  @Test func `of another tool's profile has no figures that it cannot have`() {
    var maker = ProfileMaker(kind: .imported)
    let app = maker.module("/bin/app")
    let thread = maker.thread(1, "all threads", isMain: true)
    maker.run(
      thread, maker.stack(outermostFirst: [maker.frame(SourceLine(function: "work"), in: app)]),
      .unknown, ticks: 300)
    let text = `Text report`.report(maker.profile)
    #expect(text.contains("work"))
    #expect(!text.contains("cpu s") && !text.contains("0.00") && !text.contains("% run"))
  }
}
