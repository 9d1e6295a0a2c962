internal import Foundation
internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

/// What the verdict says.
extension `The verdict` {
  @Test func `comes first and is read as it was`() throws {
    var all = ""
    for (name, maker) in Self.examples {
      var text = ""
      DumpReport(maker.profile).write(to: &text)
      if maker.kind != .dump {
        text = ""
        TextReport(maker.profile, options: ReportOptions(views: [])).write(to: &text)
      }
      all += "== \(name) ==\n\(text)\n"
      for line in text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    }
    try Goldens.expect(all, toEqual: "verdicts.txt")
  }

  @Test func `says of the others at rest what is true of them`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "poll g_main_context_iterate g_main_loop_run main", .asleep(in: "poll"))
    maker.thread(4243, "", "poll g_main_context_iterate start_thread", .asleep(in: "poll"))
    #expect(ReportHead.text(maker.profile).contains("GLib's main loop; so is 1 other thread"))
    maker.thread(4244, "", "clock_nanosleep job start_thread", .asleep(in: "clock_nanosleep"))
    #expect(ReportHead.text(maker.profile).contains("; 2 other threads are also idle"))
  }

  @Test func `names children of which any may end the wait`() {
    func words(_ count: Int32) -> String {
      var maker = WaitMaker()
      let call = "wait4"
      maker.thread(4242, "", "wait4 supervise main", .asleep(in: call))
      let children = (0..<count).map { WaitOwner.process(pid: 5000 + $0, tid: nil, name: "job") }
      maker.wait(4242, Wait(kind: .childProcess, systemCall: call, owners: children))
      return ReportHead.text(maker.profile).split { $0 == " " || $0 == "\n" }
        .joined(separator: " ")
    }
    let first = "for \"job\" (pid 5000)"
    #expect(words(1).contains(first + " to exit"))
    #expect(words(2).contains(first + " or \"job\" (pid 5001) to exit"))
    #expect(words(5).contains(", \"job\" (pid 5002) or 2 more to exit"))
  }

  @Test(arguments: [
    // (since when by the kernel, first sampled, the kind of capture, what is said)
    (-3_000_000_000 as Int64?, 0 as Int64, CaptureInfo.Kind.attach, "has been waiting 13.00 s"),
    (nil, 0, .attach, "has been waiting at least 10.00 s"),
    // It began while it was watched.
    (nil, 500_000_000, .attach, "has been waiting 9.50 s"),
    (nil, 0, .run, "has been waiting 10.00 s"),
  ])
  func `says at least of a wait that was met and may have begun before`(
    since: Int64?, from: Int64, kind: CaptureInfo.Kind, words: String
  ) {
    var maker = WaitMaker(kind: kind)
    maker.maker.profile.capture.duration = maker.end
    let thread = maker.thread(
      4242, "", "__lll_lock_wait pthread_mutex_lock take_lock main", .asleep(in: "futex"))
    maker.maker.profile.runs = RunList()
    if from > 0 { maker.run(thread, ["work", "main"], .running, to: from) }
    maker.run(
      thread, ["__lll_lock_wait", "pthread_mutex_lock", "take_lock", "main"],
      .asleep(in: "futex"), from: from)
    if since != nil { maker.wait(4242, .mutex(by: .thread(tid: 1)), since: since) }
    let verdict = VerdictWords(maker.diagnosis).sentence
    #expect(verdict.contains(words + " for"), "\(verdict)")
    #expect(maker.verdict.isAtLeast == words.contains("at least"))
  }

  @Test func `does not call a wait to be notified one for the monitor`() {
    func words(_ kind: WaitKind, _ type: String?) -> String {
      var maker = WaitMaker()
      maker.thread(
        4242, "", "__lll_lock_wait java/java.lang.Object.wait java/App.main",
        .asleep(in: "futex"))
      maker.wait(
        4242,
        Wait(
          kind: kind, systemCall: "futex",
          object: WaitObject(
            address: RemoteAddress(16), flavor: LockFlavor([.monitor]), variable: type)))
      return VerdictWords(maker.diagnosis).sentence
    }
    #expect(words(.conditionVariable, "Queue").contains(" to be notified on a Queue"))
    #expect(words(.conditionVariable, nil).contains(" to be notified on an object"))
    #expect(words(.mutex, "Queue").contains(" for the monitor of a Queue"))
  }

  @Test func `on goroutines comes with their stacks, not with those of threads`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "/r.s/runtime.futex /r.go/runtime.stopm", .asleep(in: "futex"))
    var list = Goroutines(pid: 4242, version: "go1.22.1")
    list.stacks = [
      ["sync.runtime_SemacquireMutex", "sync.(*Mutex).Lock", "main.lockIt", "main.main"].map {
        SourceLine(function: $0, file: "/src/g.go", line: 7)
      }
    ]
    list.groups = [
      GoroutineGroup(
        state: .waiting, reason: "sync.Mutex.Lock", stack: 0, count: 3, ids: [7, 8, 9],
        waited: 2_000_000_000, longestWait: 2_000_000_000, longWaiters: 3)
    ]
    maker.maker.profile.goroutines = [list]
    let text = ReportHead.text(maker.profile, ReportOptions())
    #expect(text.contains("Hung: 3 goroutines have been waiting at least 10.00 s for a mutex"))
    let shown = text.split(separator: "\n").drop { $0 != "Where it is" }.dropFirst()
    #expect(shown.first == "Goroutines ×3, waiting for a mutex", "\(text)")
    #expect(shown.prefix(5).contains { $0.contains("main.lockIt") })
    #expect(!text.contains("runtime.stopm"))
    var brief = ""
    BriefReport(maker.profile).write(asJSON: false, to: &brief)
    #expect(brief.contains("Goroutines ×3: waiting for a mutex\n"), "\(brief)")
    #expect(brief.contains("  main.lockIt  src/g.go:7\n"), "\(brief)")
    #expect(!brief.contains("sync.(*Mutex).Lock"))
  }

  @Test func `counts no thread as blocked behind others that rests meanwhile`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4250))
    maker.locked(4243, by: .thread(tid: 4250))
    maker.thread(
      4244, "", "poll g_main_context_iterate g_main_loop_run start_thread", .asleep(in: "poll"))
    maker.wait(
      4244, Wait(kind: .poll, systemCall: "poll", owners: [.thread(tid: 4250)]))
    maker.thread(4250, "holder", "read serve start_thread", .asleep(in: "read"))
    maker.wait(4250, .pipe(peers: [.process(pid: 7, tid: nil, name: "p")]))
    #expect(maker.verdict.behind == 1, "\(maker.verdict)")
  }

  @Test func `says nothing of a part or of another tool's profile`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4242))
    var options = ReportOptions(views: [])
    options.showsVerdict = false
    #expect(!ReportHead.text(maker.profile, options).contains("Deadlock"))
    var imported = maker.profile
    imported.capture.kind = .imported
    #expect(!ReportHead.text(imported).contains("Deadlock"))
  }

  @Test func `lets no name out of its line`() {
    var maker = WaitMaker(kind: .dump)
    let evil = "a\u{1B}[31m\n\"x\"\u{202E}"
    maker.locked(4242, by: .thread(tid: 4243))
    maker.thread(
      4243, evil, "read \(String(repeating: "f", count: 3000)) start_thread", .asleep(in: "read"))
    var wait = Wait.pipe(peers: [.process(pid: 7, tid: nil, name: evil)])
    wait.descriptors[0].kind = .file
    wait.descriptors[0].name = String(repeating: "/deep", count: 400) + evil
    wait.descriptors[0].peerAddress = evil + String(repeating: "9", count: 500)
    wait.descriptors[0].state = .other(evil)
    wait.object = WaitObject(
      address: RemoteAddress(1), flavor: LockFlavor(rawName: evil), variable: evil, field: evil,
      file: evil)
    maker.wait(4243, wait)
    var text = ""
    DumpReport(maker.profile).write(to: &text)
    #expect(text.contains("Hung") || text.contains("Waiting"))
    for scalar in text.unicodeScalars {
      #expect(scalar == "\n" || scalar.value >= 0x20 && scalar != "\u{202E}")
    }
    for line in text.split(separator: "\n") { #expect(line.unicodeScalars.count <= 100) }
  }
}

/// The top of reports.
enum ReportHead {
  static func text(
    _ profile: Profile, _ options: ReportOptions = ReportOptions(views: [])
  ) -> String {
    var text = ""
    TextReport(profile, options: options).write(to: &text)
    return text
  }
}

@Suite struct `A wait with a time limit` {
  @Test func `is told without what was left at one moment where it stands for a stretch of time`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "nanosleep step main", .asleep(in: "clock_nanosleep"))
    maker.wait(
      4242,
      Wait(kind: .sleep, systemCall: "clock_nanosleep", timeLeft: 41_800_000, isTimed: true))
    var text = ""
    TextReport(maker.profile, options: ReportOptions(views: [.waits], width: 200)).write(to: &text)
    let rows = text.components(separatedBy: "\n").filter { $0.contains(": sleeping") }
    #expect(!rows.isEmpty && rows.allSatisfy { !$0.contains("41.8 ms") }, "\(text)")
    var page = ""
    PageExporter().write(maker.profile, to: &page)
    #expect(page.contains("\"words\":\"sleeping\""))
  }
}
