internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import TestSupport
internal import Testing

@Suite struct `JSON report` {
  typealias Object = [String: Any]

  static func object(_ profile: Profile, _ options: ReportOptions = ReportOptions()) throws
    -> Object
  {
    var text = ""
    JSONReport(profile, options: options).write(to: &text)
    try JSONSchema(of: "report").check(text)
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
  }

  @Test func `holds every run, frame and line of a capture`() throws {
    let profile = OrderServer.attached()
    let object = try Self.object(profile)
    #expect((object["sprof"] as? Object)?["schema"] as? Int == 1)
    #expect((object["sprof"] as? Object)?["version"] as? String == SprofVersion.current)
    #expect((object["cost"] as? Object)?["pause_p99_ns"] as? Int == 48_000)
    #expect((object["capture"] as? Object)?["command_line"] as? [String] != nil)
    let threads = try #require(object["threads"] as? [Object])
    #expect(threads.count == profile.threads.count)
    let main = try #require(threads.first)
    let runs = try #require(main["runs"] as? [Object])
    #expect(runs.map { $0["ticks"] as? Int } == [987, 12, 1])
    #expect(runs.map { $0["wait"] as? String } == ["futex", "epoll_wait", nil])
    #expect(runs.map { $0["activity"] as? String } == ["blocked", "blocked", "running"])
    let frames = try #require(object["frames"] as? [Object])
    let stacks = try #require(object["stacks"] as? [[Int]])
    let stack = try #require(runs.first?["stack"] as? Int)
    #expect(
      stacks[stack].map { frames[$0]["function"] as? String } == [
        "__lll_lock_wait", "pthread_mutex_lock", "Book::onClick(Event const&)",
        "EventLoop::poll(int)", "EventLoop::run()", "main", "__libc_start_main@@GLIBC_2.34",
        "_start",
      ])
    #expect(stacks[stack].map { frames[$0]["inlined"] as? Bool }[3] == true)
    let lines = try #require(main["lines"] as? [Object])
    #expect(lines.reduce(0) { $0 + ($1["ticks"] as? Int ?? 0) } == 1000)
  }

  @Test func `controls no terminal, and gives each name as it is`() throws {
    let name = "a\u{1B}[31m\u{7F}\u{9B}31m\u{202E}\u{E0041}é日\u{1F600}\"\\\n"
    var profile = OrderServer.attached()
    profile.threads[0].name = name
    var text = ""
    JSONReport(profile).write(to: &text)
    let found = text.dropLast().unicodeScalars.filter {
      [.control, .format].contains($0.properties.generalCategory)
    }
    #expect(found.isEmpty)
    #expect(text.contains("é日\u{1F600}") && text.contains("\\u202e"))
    let threads = try #require(try Self.object(profile)["threads"] as? [Object])
    #expect(threads[0]["name"] as? String == name)
  }

  @Test func `gives each thread a root of the tree`() throws {
    let profile = OrderServer.attached()
    let nodes = try #require(try Self.object(profile)["tree"] as? [Object])
    let roots = nodes.filter { $0["kind"] as? String == "thread" }
    #expect(roots.map { $0["thread"] as? Int } == Array(profile.threads.indices))
    #expect(roots.allSatisfy { $0["parent"] is NSNull })
    for (position, node) in nodes.enumerated() {
      if let parent = node["parent"] as? Int { #expect(parent < position) }
    }
    let cut = try #require(nodes.first { $0["kind"] as? String == "callers_unknown" })
    #expect(cut["reason"] as? String == "noUnwindRule")
  }

  @Test(arguments: [OrderServer.attached(), OrderServer.dumped()])
  func `has the keys that its description names`(profile: Profile) throws {
    let object = try Self.object(profile)
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/json.md")
    let description = try String(contentsOf: url, encoding: .utf8)
    var keys: Set<String> = []
    func collect(_ value: Any) {
      if let list = value as? [Any] { list.forEach(collect) }
      guard let object = value as? Object else { return }
      keys.formUnion(object.keys)
      object.values.forEach(collect)
    }
    collect(object)
    #expect(keys.count > 60)
    for key in keys { #expect(description.contains("`\(key)`"), "\(key) is not described") }
  }

  @Test func `holds the threads of the filter alone`() throws {
    let filter = ThreadFilter(glob: "worker-*")
    let object = try Self.object(OrderServer.dumped(), ReportOptions(threadFilter: filter))
    let threads = try #require(object["threads"] as? [Object])
    #expect(threads.count == 31)
    #expect((object["stacks"] as? [[Int]])?.count == 1)
    let call = try #require(threads[0]["system_call"] as? Object)
    #expect(call["name"] as? String == "futex")
    #expect((call["arguments"] as? [String])?[1] == "0x189")
    #expect(threads[0]["running_percent"] is NSNull)
  }
}
