internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// A program that has started two others, and has four threads with names of their own.
private func family() -> Profile {
  var maker = ProfileMaker(kind: .run)
  let app = maker.module("/bin/make")
  let main = maker.frame(SourceLine(function: "main", file: "main.c", line: 3), in: app)
  let stack = maker.stack(outermostFirst: [main])
  let threads: [(Int32, String, Int32, String, Int64)] = [
    (4300, "cc1", 4300, "cc1", 900), (4242, "make", 4242, "make", 1),
    (4243, "reader", 4242, "make", 2),
    (4400, "cc1", 4400, "cc1", 1_000), (4401, "reader", 4400, "cc1", 5),
  ]
  for (tid, name, pid, process, milliseconds) in threads {
    let thread = maker.thread(
      tid, name, isMain: tid == pid, cpu: milliseconds * 1_000_000, lastSeen: 2_000_000_000)
    maker.profile.threads[thread].process = OwningProcess(pid: pid, name: process)
    maker.run(thread, stack, ticks: 100, cpu: milliseconds * 1_000_000)
  }
  maker.profile.capture.processName = "make"
  maker.profile.capture.duration = 2_000_000_000
  return maker.profile
}

@Suite struct `A profile of several processes` {
  private func text(_ options: ReportOptions = ReportOptions()) -> String {
    var text = ""
    TextReport(family(), options: options).write(to: &text)
    return text
  }

  @Test func `has its own process first, then the others by CPU time`() {
    let table = ProcessTable(family())
    #expect(table.rows.map(\.process.title) == ["make[4242]", "cc1[4400]", "cc1[4300]"])
    #expect(table.rows.map(\.threads) == [2, 2, 1])
    #expect(table.rows.map(\.cpu) == [3_000_000, 1_005_000_000, 900_000_000])
  }

  @Test func `shows each thread behind its process, process by process`() {
    let names = ThreadTable(family()).rows.map(\.name)
    #expect(
      names == [
        "make[4242]/make", "make[4242]/reader", "cc1[4400]/cc1", "cc1[4400]/reader",
        "cc1[4300]/cc1",
      ])
    let text = text(ReportOptions(views: [.threads, .lines, .tree]))
    #expect(text.contains("\nsprof run: make (pid 4242)"))
    #expect(text.contains("Processes: 3, 1.908 s CPU in total"))
    #expect(text.contains("cc1[4400]/reader"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }

  @Test func `never shows threads of different processes in one row`() {
    var profile = family()
    for index in profile.threads.indices { profile.threads[index].cpu = 0 }
    let runs = profile.runs.map { run in
      Run(
        thread: run.thread, stack: run.stack, end: run.end,
        activity: .blocked(WaitReason(systemCall: "read")), start: run.start, weight: run.weight)
    }
    profile.runs = RunList(runs)
    #expect(ThreadTable(profile).rows.allSatisfy { $0.threads.count == 1 })
  }

  @Test func `is filtered by the names with and without the process`() {
    func chosen(_ glob: String) -> [Int32] {
      let filter = ThreadFilter(glob: glob)
      return family().threads.filter { filter.matches($0) }.map(\.tid)
    }
    #expect(chosen("reader") == [4243, 4401])
    #expect(chosen("cc1[[]*") == [4300, 4400, 4401])
    #expect(chosen("cc1[[]4400]/*") == [4400, 4401])
    #expect(chosen("4401") == [4401])
  }

  @Test func `says in every format which process a thread is of`() throws {
    var json = ""
    JSONReport(family()).write(to: &json)
    #expect(json.contains("\"tid\":4401,\"name\":\"reader\",\"pid\":4400,\"process\":\"cc1\""))
    var plain = family()
    for index in plain.threads.indices { plain.threads[index].process = nil }
    json = ""
    JSONReport(plain).write(to: &json)
    #expect(json.contains("\"tid\":4401,\"name\":\"reader\",\"pid\":4242,\"process\":\"make\""))
  }

  @Test func `keeps its processes apart in a merged one`() {
    var merge = Merge()
    merge.add(family(), label: "web1")
    let names = merge.finish().threads.map(\.title)
    #expect(names.contains("web1/cc1[4400]/reader") && names.contains("web1/make[4242]/reader"))
    #expect(names.count == 5)
  }

  @Test func `leaves out most of thousands of threads`() {
    var profile = family()
    for number in 0..<5000 {
      let process = OwningProcess(pid: Int32(10_000 + number), name: "cc1")
      profile.threads.append(
        ThreadInfo(
          tid: process.pid, name: "cc1", isMain: true, lastSeen: 1_000_000_000, cpu: 100_000_000,
          process: process))
    }
    var text = ""
    let views: Set<ReportView> = [.threads, .lines, .tree]
    TextReport(profile, options: ReportOptions(views: views)).write(to: &text)
    #expect(text.split(separator: "\n").count < 1000)
    #expect(text.contains("more processes"))
    var summary = ""
    TextReport(profile).write(to: &summary)
    #expect(summary.split(separator: "\n", omittingEmptySubsequences: false).count < 90)
    #expect(summary.contains("cc1/cc1 (main) ×500"))
  }
}
