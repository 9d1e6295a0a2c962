internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A dump` {
  private func text(_ profile: Profile) -> String {
    var text = ""
    DumpReport(profile, options: ReportOptions(width: 100)).write(to: &text)
    return text
  }

  /// A server in Go: handlers that wait for a lock, and many goroutines at rest.
  private var server: Profile {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4242, "", "/r.s/runtime.futex /r.go/runtime.stopm", .asleep(in: "futex"))
    var list = Goroutines(pid: 4242, version: "go1.22.1")
    func add(_ count: Int, _ reason: String?, _ state: GoroutineGroup.State, waited: Int64) {
      list.stacks.append(
        (0..<12).map { SourceLine(function: "net/http.f\($0)", file: "/a.go", line: $0 + 1) })
      list.groups.append(
        GoroutineGroup(
          state: state, reason: reason, stack: list.stacks.count - 1,
          creator: SourceLine(function: "main.main", file: "/g.go", line: 3), count: count,
          ids: (0..<UInt64(count)).map { $0 + 2 }, waited: waited, longestWait: 14_000_000))
    }
    add(8, "select", .waiting, waited: 0)
    for number in 0..<8 { add(8 - number, "IO wait", .waiting, waited: 0) }
    add(2, "sync.Mutex.Lock", .waiting, waited: 0)
    add(1, nil, .running, waited: 0)
    maker.maker.profile.goroutines = [list]
    return maker.profile
  }

  @Test func `of a server in Go has the goroutines first that do something, and a screen of them`()
  {
    let text = text(server)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 60, "\(text)")
    let titles = lines.filter { $0.hasPrefix("Goroutine") }
    #expect(titles.first?.contains("waiting for a mutex, the longest for at least 14.0 ms") == true)
    #expect(titles.dropFirst().first?.contains("running") == true, "\(titles)")
    #expect(!text.contains("0 ns"), "\(text)")
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains(" waiting for the network or a file (--all shows them)"), "\(text)")
    // All of them, where they are asked for.
    var all = ""
    DumpReport(server, options: ReportOptions(views: [.all], width: 100)).write(to: &all)
    #expect(all.split(separator: "\n").count { $0.hasPrefix("Goroutine") } == 11)
  }

  @Test func `of a program in Java has the machine's own threads behind those that run Java`() {
    var maker = WaitMaker(kind: .dump)
    maker.thread(
      4242, "", "pthread_cond_wait libjvm.so/ObjectMonitor::wait java/App.ask java/App.main",
      .asleep(in: "futex"))
    maker.thread(
      4250, "VM Work", "pthread_cond_wait libjvm.so/Monitor::wait libjvm.so/Work::loop",
      .asleep(in: "futex"))
    maker.thread(
      4251, "worker", "pthread_cond_wait libjvm.so/ObjectMonitor::wait java/App.take java/App.run",
      .asleep(in: "futex"))
    let titles = text(maker.profile).split(separator: "\n").filter { $0.hasPrefix("Thread") }
    let names = titles.map { $0.split(separator: "\"")[1] }
    #expect(names.firstIndex(of: "worker") ?? 9 < names.firstIndex(of: "VM Work") ?? 0, "\(names)")
  }
}
