internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `Tasks in a dump` {
  @Test func `stand behind the stack of their thread, with what they await and who awaits them`() {
    var maker = TaskMaker()
    maker.add("main", awaits: ["main /srv/app.py:9"])
    maker.add("boss", awaits: ["boss /srv/app.py:5"], by: [0])
    maker.add("wörker", awaits: ["sleep /lib/tasks.py:665", "work /srv/app.py:3"], by: [1])
    #expect(
      maker.lines(ofThread: 7) == [
        "  3 waiting tasks",
        "  Task \"boss\", awaits \"wörker\", awaited by \"main\"",
        "    #0  boss  /srv/app.py:5",
        "  Task \"main\", awaits \"boss\"",
        "    #0  main  /srv/app.py:9",
        "  Task \"wörker\", awaited by \"boss\", by \"main\"",
        "    #0  sleep  /lib/tasks.py:665",
        "    #1  work   /srv/app.py:3",
      ])
    #expect(maker.lines(ofThread: 8).isEmpty)
  }

  @Test func `that await the same are one entry, whoever awaits them`() {
    var maker = TaskMaker()
    maker.add("main", awaits: ["main /srv/app.py:9"])
    maker.add("group", awaits: ["group /srv/app.py:7"])
    for number in 1...9_000 { maker.add("fetch-\(number)", awaits: ["get /srv/app.py:3"], by: [0]) }
    maker.add("fetch-9001", awaits: ["get /srv/app.py:3"], by: [1])
    maker.add("alone", awaits: ["get /srv/app.py:3"])
    let lines = maker.lines(ofThread: 7)
    #expect(
      lines.prefix(6) == [
        "  9004 waiting tasks in 3 stacks",
        "  Tasks ×9002 \"alone\", \"fetch-1\", …",
        "    ×9000 \"fetch-*\", awaited by \"main\"",
        "    \"alone\"",
        "    \"fetch-9001\", awaited by \"group\"",
        "    #0  get  /srv/app.py:3",
      ])
    #expect(lines.contains("  Task \"main\", awaits 9000 tasks \"fetch-*\""))
    #expect(lines.count == 10)
  }

  @Test func `are shown up to a limit, the most common first, and all of them in the JSON`() throws
  {
    var maker = TaskMaker()
    for number in 1...60 { maker.add("once-\(number)", awaits: ["wait /srv/a.py:\(number)"]) }
    for number in 1...3 { maker.add("often-\(number)", awaits: ["often /srv/b.py:1"]) }
    let lines = maker.lines(ofThread: 7)
    #expect(lines[1] == "  Tasks ×3 \"often-*\"")
    #expect(lines.filter { $0.hasPrefix("  Task") }.count == 20)
    #expect(lines.last == "  … 41 more in 41 stacks (--json has them)")
    let json = try maker.json()
    #expect((json["tasks"] as? [Any])?.count == 63)
    #expect((json["stacks"] as? [Any])?.count == 61)
  }

  @Test func `that run are said in the heading, with those within which they began`() {
    var maker = TaskMaker()
    maker.add("main", awaits: ["main /srv/app.py:9"])
    maker.add("outer", state: .entered, by: [0])
    maker.add("inner", state: .running)
    maker.add("new", state: .created, awaits: ["new /srv/app.py:1"])
    let words = "running task \"inner\", within \"outer\", awaited by \"main\""
    #expect(maker.text().contains("\n  \(words)\n"))
    #expect(maker.lines(ofThread: 7).contains("  Task \"new\", not started"))
    maker.list.movedThreads = [7]
    #expect(maker.text().contains("\n  a moment later \(words)\n"))
  }

  @Test func `that await each other in a ring are told once`() {
    var maker = TaskMaker()
    maker.add("one", awaits: ["one /srv/app.py:1"], by: [1])
    maker.add("two", awaits: ["two /srv/app.py:2"], by: [0])
    maker.add("self", awaits: ["self /srv/app.py:3"], by: [2])
    let lines = maker.lines(ofThread: 7)
    #expect(
      lines.contains("  Task \"one\", awaits \"two\", awaited by \"two\", by \"one\" again"))
    #expect(lines.contains("  Task \"self\", awaits \"self\", awaited by \"self\" again"))
  }

  @Test func `say when they may be torn, are not all, or of an unknown thread`() {
    var maker = TaskMaker()
    maker.add("known", awaits: ["one /srv/app.py:1"])
    maker.add("lost", tid: nil, awaits: ["two /srv/app.py:2"])
    maker.list.tornThreads = [7]
    maker.list.isCut = true
    let text = maker.text().split(separator: "\n").map { $0.drop { $0 == " " } }.joined(
      separator: " ")
    #expect(text.contains("1 waiting task (the thread was running: they may be from different"))
    #expect(text.contains("there are more than were read)"))
    #expect(text.contains("Event loop, thread unknown 1 waiting task (there are more"))
    #expect(text.contains("Task \"lost\" #0  two  /srv/app.py:2"))
  }

  @Test func `keep their thread apart from idle ones that are alike`() {
    var maker = TaskMaker()
    let isMerged = maker.text().contains("  tids 7")
    maker.add("one", awaits: ["one /srv/app.py:1"])
    #expect(isMerged)
    #expect(!maker.text().contains("  tids"))
    #expect(maker.text([.summary]).contains("Thread 7 "))
  }

  @Test func `of two processes belong to the threads of each`() {
    var maker = TaskMaker()
    maker.add("one", awaits: ["one /srv/app.py:1"])
    for index in maker.profile.threads.indices {
      let pid: Int32 = maker.profile.threads[index].tid == 8 ? 99 : 4242
      maker.profile.threads[index].process = OwningProcess(pid: pid, name: "app")
    }
    var other = TaskMaker(pid: 99)
    other.add("two", tid: 8, awaits: ["two /srv/app.py:2"])
    maker.profile.tasks = [other.list]
    #expect(maker.lines(ofThread: 7).contains("  Task \"one\""))
    #expect(maker.lines(ofThread: 8).contains("  Task \"two\""))
    #expect(!maker.lines(ofThread: 8).contains("  Task \"one\""))
  }
}

/// A dump of a program with two idle threads, of which one has tasks.
struct TaskMaker {
  var profile: Profile
  var list: AsyncTasks

  init(pid: Int32 = 4242) {
    var maker = ProfileMaker(kind: .dump)
    let module = maker.module("/usr/bin/app")
    let frames = ["start_thread", "run", "g_main_loop_run", "poll"].map {
      maker.frame(SourceLine(function: $0), in: module)
    }
    let stack = maker.stack(outermostFirst: frames)
    for tid: Int32 in [4242, 7, 8] {
      let thread = maker.thread(tid, tid == 4242 ? "app" : "loop-\(tid)", isMain: tid == 4242)
      maker.run(thread, stack, .asleep(in: "poll"))
    }
    profile = maker.profile
    list = AsyncTasks(pid: pid)
  }

  /// Adds a task with `function file:line` for each of its frames, innermost first.
  mutating func add(
    _ name: String, tid: Int32? = 7, state: AsyncTask.State = .suspended, awaits: [String] = [],
    by awaiters: [Int] = []
  ) {
    let stack = awaits.map { text in
      let parts = text.split(separator: " ")
      let place = parts[1].split(separator: ":")
      return SourceLine(
        function: String(parts[0]), file: String(place[0]), line: Int(place[1]) ?? 0)
    }
    let known = list.stacks.firstIndex(of: stack)
    if known == nil, !stack.isEmpty { list.stacks.append(stack) }
    list.tasks.append(
      AsyncTask(
        address: RemoteAddress(UInt64(0x1000 + list.tasks.count)), name: name, tid: tid,
        state: state, stack: stack.isEmpty ? nil : known ?? list.stacks.count - 1,
        awaitedBy: awaiters))
  }

  private var whole: Profile {
    var whole = profile
    whole.tasks.append(list)
    return whole
  }

  func text(_ views: Set<ReportView> = [.all]) -> String {
    var text = ""
    DumpReport(whole, options: ReportOptions(views: views)).write(to: &text)
    return text
  }

  /// The lines about the tasks of a thread that wait.
  func lines(ofThread tid: Int32) -> [String] {
    let lines = text().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("Thread \(tid) ") }) else { return [] }
    let end = lines[start...].firstIndex(of: "") ?? lines.endIndex
    let first = lines[start..<end].firstIndex { $0.hasPrefix("  ") && $0.contains(" wait") }
    let tasks = lines[start..<end].lastIndex { $0.contains("start_thread") }.map { $0 + 1 }
    guard first != nil, let tasks, tasks < end else { return [] }
    return Array(lines[tasks..<end])
  }

  /// The object of the process in the JSON.
  func json() throws -> [String: Any] {
    var text = ""
    JSONReport(whole).write(to: &text)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let lists = try #require(object?["tasks"] as? [[String: Any]])
    return try #require(lists.first)
  }
}
