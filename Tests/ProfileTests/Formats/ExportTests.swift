internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// Each format is read back by rules that its consumers follow; see `Exports` for the reading.
@Suite struct `An export` {
  static let profiles = [
    OrderServer.attached(), OrderServer.dumped(), Morning.profile(),
    HostileReportTestsProfile.profile,
  ]

  static func text(_ format: ExportFormat, _ profile: Profile) throws -> String {
    var text = ""
    try #require(format.exporter).write(profile, to: &text)
    return text
  }

  static func total(_ profile: Profile) -> Weight {
    profile.runs.reduce(into: Weight()) { $0 += $1.weight }
  }

  @Test(arguments: ExportFormat.allCases.filter { $0.exporter != nil })
  func `to any text controls no terminal that it is printed on`(format: ExportFormat) throws {
    let text = try Self.text(format, HostileReportTestsProfile.profile)
    #expect(text.count > 1000)
    let found = Set(text.unicodeScalars).filter {
      !["\n", "\t"].contains($0)
        && [.control, .format, .lineSeparator, .paragraphSeparator]
          .contains($0.properties.generalCategory)
    }
    #expect(found.isEmpty)
  }

  // MARK: - speedscope

  @Test(arguments: profiles)
  func `to speedscope is balanced, and holds all the time`(profile: Profile) throws {
    let object = try Exports.object(Self.text(.speedscope, profile))
    #expect(
      object["$schema"] as? String == "https://www.speedscope.app/file-format-schema.json")
    let frames = try #require((object["shared"] as? Exports.Object)?["frames"] as? [Exports.Object])
    #expect(frames.allSatisfy { $0["name"] is String })
    let threads = try #require(object["profiles"] as? [Exports.Object])
    #expect(threads.count == profile.threads.count)
    var sum = Int64(0)
    for thread in threads {
      #expect(thread["type"] as? String == "sampled")
      #expect(["nanoseconds", "none"].contains(thread["unit"] as? String))
      let samples = try #require(thread["samples"] as? [[Int]])
      let weights = try #require(thread["weights"] as? [Int64])
      #expect(samples.count == weights.count)
      #expect(samples.allSatisfy { $0.allSatisfy(frames.indices.contains) && !$0.isEmpty })
      let weight = weights.reduce(0, &+)
      #expect(thread["endValue"] as? Int64 == weight && thread["startValue"] as? Int == 0)
      sum &+= weight
    }
    let total = Self.total(profile)
    #expect(sum == (profile.runs.contains { $0.weight.wall > 0 } ? total.wall : total.samples))
  }

  @Test func `to speedscope keeps inlined frames and has one frame for a function`() throws {
    let object = try Exports.object(Self.text(.speedscope, OrderServer.attached()))
    let frames = try #require((object["shared"] as? Exports.Object)?["frames"] as? [Exports.Object])
    let names = frames.compactMap { $0["name"] as? String }
    #expect(names.filter { $0 == "orders::Book::match(orders::Order&)" }.count == 1)
    let threads = try #require(object["profiles"] as? [Exports.Object])
    #expect(threads.map { $0["name"] as? String }[1] == "engine (tid 4250)")
    let engine = try #require(threads[1]["samples"] as? [[Int]])
    #expect(
      engine[0].suffix(2).map { names[$0] } == [
        "orders::Book::match(orders::Order&)",
        "orders::Price::operator<(orders::Price) const",
      ])
    let timer = try #require(threads[2]["samples"] as? [[Int]])
    #expect(names[timer[0][0]].hasPrefix("(callers unknown: "))
  }

  // MARK: - Firefox

  @Test(arguments: profiles)
  func `to Firefox has tables of equal columns and indexes that hold`(profile: Profile) throws {
    let object = try Exports.object(Self.text(.firefox, profile))
    let meta = try #require(object["meta"] as? Exports.Object)
    #expect(meta["preprocessedProfileVersion"] as? Int == 66 && meta["version"] as? Int == 24)
    let categories = try #require(meta["categories"] as? [Exports.Object])
    #expect(categories.contains { $0["color"] as? String == "grey" })
    let shared = try #require(object["shared"] as? Exports.Object)
    let texts = try #require(shared["stringArray"] as? [String])
    let tables = try Exports.firefoxTables.reduce(into: [String: [String: [Any]]]()) {
      tables, table in
      let content = try #require(shared[table.key] as? Exports.Object)
      tables[table.key] = try Exports.columns(content, named: table.value)
    }
    let frames = try #require(tables["frameTable"])
    let functions = try #require(tables["funcTable"])
    let stacks = try #require(tables["stackTable"])
    let functionCount = functions["name"]?.count ?? 0
    #expect(Exports.indexes(frames["func"], below: functionCount))
    #expect(Exports.indexes(frames["category"], below: categories.count))
    #expect(Exports.indexes(functions["name"], below: texts.count))
    #expect(Exports.indexes(stacks["frame"], below: frames["func"]?.count ?? 0))
    for (row, offset) in (stacks["prefixOffset"] ?? []).enumerated() {
      #expect((0...row).contains(offset as? Int ?? -1))
    }
    let threads = try #require(object["threads"] as? [Exports.Object])
    #expect(threads.count == profile.threads.count)
    var (weight, cpu) = (Int64(0), Int64(0))
    for thread in threads {
      #expect(thread["pid"] is String && thread["tid"] is Int && thread["name"] is String)
      let samples = try Exports.columns(
        try #require(thread["samples"] as? Exports.Object),
        named: ["stack", "time", "weight", "threadCPUDelta"])
      #expect(Exports.indexes(samples["stack"], below: stacks["frame"]?.count ?? 0))
      weight &+= (samples["weight"] as? [Int64] ?? []).reduce(0, &+)
      cpu &+= (samples["threadCPUDelta"] as? [Int64] ?? []).reduce(0, &+)
      let markers = try Exports.columns(
        try #require(thread["markers"] as? Exports.Object),
        named: ["data", "name", "startTime", "endTime", "phase", "category"])
      #expect(Exports.indexes(markers["name"], below: texts.count))
    }
    let total = Self.total(profile)
    let hasTicks = profile.runs.contains { $0.weight.ticks > 0 }
    #expect(weight == (hasTicks ? total.ticks : total.samples))
    #expect(cpu == total.cpu)
  }

  @Test func `to Firefox puts states on innermost frames and waits into markers`() throws {
    let object = try Exports.object(Self.text(.firefox, Morning.profile()))
    let shared = try #require(object["shared"] as? Exports.Object)
    let texts = try #require(shared["stringArray"] as? [String])
    let threads = try #require(object["threads"] as? [Exports.Object])
    let markers = try #require(threads[0]["markers"] as? Exports.Object)
    #expect((markers["name"] as? [Int])?.map { texts[$0] } == ["blocked in read"])
    #expect(markers["startTime"] as? [Double] == [1000])
    #expect(markers["endTime"] as? [Double] == [3000])
    let samples = try #require(threads[0]["samples"] as? Exports.Object)
    #expect(samples["time"] as? [Double] == [5, 995, 1005, 2995, 3005, 3995])
    #expect(samples["weight"] as? [Int] == [1, 99, 1, 199, 1, 99])
  }

  @Test func `to Firefox tells of a wait which lock, who holds it, and where it is`() throws {
    var profile = Morning.profile()
    let second = Int64(1_000_000_000)
    let waiter = WaitingThread(pid: 4242, tid: 10, name: "morning", processName: "orderd")
    func lock(_ name: String, first: Int64, last: Int64, call: String = "read") -> Blocking {
      let object = WaitObject(
        address: RemoteAddress(0x10), variable: name, field: ".lock", file: "/src/\(name).c")
      return Blocking(
        waiter: waiter,
        wait: Wait(kind: .mutex, systemCall: call, object: object, owners: [.thread(tid: 11)]),
        firstSeen: first, lastSeen: last)
    }
    profile.blockings = [
      lock("early", first: 0, last: second / 2), lock("short", first: second, last: second + 5),
      lock("audit", first: second + 10, last: 3 * second),
      lock("other_call", first: second, last: 3 * second, call: "futex"),
    ]
    for kind in [CaptureInfo.Kind.attach, .dump] {
      if kind == .dump { profile.blockings = [profile.blockings[2]] }
      profile.capture.kind = kind
      let object = try Exports.object(Self.text(.firefox, profile))
      let threads = try #require(object["threads"] as? [Exports.Object])
      let markers = try #require(threads[0]["markers"] as? Exports.Object)
      let data = try #require(markers["data"] as? [[String: String]])
      #expect(
        data == [
          [
            "type": "Wait", "reason": "waiting for mutex audit.lock (audit.c)",
            "lock": "audit.lock", "holder": "\"helper\" (11)", "file": "/src/audit.c",
            "call": "read",
          ]
        ])
    }
  }

  @Test func `to Firefox describes the payload of its markers`() throws {
    let object = try Exports.object(Self.text(.firefox, Morning.profile()))
    let meta = try #require(object["meta"] as? Exports.Object)
    let schema = try #require(meta["markerSchema"] as? [Exports.Object])
    let fields = try #require(schema[0]["fields"] as? [[String: String]])
    let threads = try #require(object["threads"] as? [Exports.Object])
    let markers = try #require(threads[0]["markers"] as? Exports.Object)
    let data = try #require(markers["data"] as? [[String: String]])
    #expect(
      schema.count == 2 && data == [["type": "Wait", "reason": "blocked in read", "call": "read"]])
    #expect(schema[0]["name"] as? String == data[0]["type"])
    #expect(schema[1]["name"] as? String == "Freeze")
    #expect(Set(schema[0]["display"] as? [String] ?? []) == ["marker-chart", "marker-table"])
    #expect(fields.map { $0["key"] } == ["reason", "lock", "holder", "file", "call"])
    #expect(fields.allSatisfy { ["string", "file-path"].contains($0["format"]) })
  }

  @Test func `to Firefox names a library as symbol servers do`() throws {
    var profile = Morning.profile()
    profile.modules = [
      Module(path: "/bin/app", buildID: "510d0a5c19eadf8043f203b4525be9be3dcb9554"),
      Module(path: "/bin/short", buildID: "0102"), Module(path: "/bin/none"),
    ]
    let libs = try #require(
      try Exports.object(Self.text(.firefox, profile))["libs"] as? [Exports.Object])
    #expect(
      libs.map { $0["breakpadId"] as? String } == [
        "5C0A0D51EA1980DF43F203B4525BE9BE0", "000002010000000000000000000000000", "",
      ])
    #expect(libs[0]["codeId"] as? String == "510d0a5c19eadf8043f203b4525be9be3dcb9554")
  }

  // MARK: - Lines of text

  @Test(arguments: profiles)
  func `as folded stacks is what flame graph scripts read`(profile: Profile) throws {
    let text = try Self.text(.folded, profile)
    var sum = Int64(0)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      // The rule of flamegraph.pl and of speedscope.
      let match = try #require(line.wholeMatch(of: /(.+) ([0-9]+)/))
      #expect(match.output.1.split(separator: ";", omittingEmptySubsequences: false).count >= 2)
      #expect(!match.output.1.contains(";;"))
      sum &+= Int64(match.output.2) ?? 0
    }
    let total = Self.total(profile)
    #expect(sum == (total.ticks > 0 ? total.ticks : total.samples))
  }

  @Test(arguments: profiles.dropLast())
  func `as perf script text has the lines that its readers look for`(profile: Profile) throws {
    let text = try Self.text(.perfScript, profile)
    var events = Int64(0)
    var isInEvent = false
    var frames: Set<Substring> = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      if line.isEmpty {
        isInEvent = false
      } else if isInEvent {
        // stackcollapse-perf.pl: address, symbol, and the module in parentheses.
        guard frames.insert(line).inserted else { continue }
        #expect(line.wholeMatch(of: /\s*(\w+)\s+(.+) \((\S.*|)\)/) != nil, "\(line)")
      } else {
        // The Firefox Profiler's rule for the first line of an event.
        isInEvent = true
        events += 1
        guard events % 7 == 1 else { continue }
        #expect(line.prefixMatch(of: /\S.*?\s+(?:\d+\/)?\d+\s+(?:\[\d+\]\s+)?[\d.]+:/) != nil)
      }
    }
    let total = Self.total(profile)
    #expect(events == (total.ticks > 0 ? total.ticks : total.samples))
  }

  @Test func `as perf script text stays readable when there are too many ticks`() throws {
    let text = try Self.text(.perfScript, HostileReportTestsProfile.profile)
    #expect(text.utf8.count < 10_000_000)
    #expect(text.contains(" 9223372036854775807 ticks:\n"))
  }

  @Test(arguments: profiles)
  func `as lines of JSON has a run in each`(profile: Profile) throws {
    let lines = try Self.text(.jsonLines, profile).split(separator: "\n")
    let runs = profile.runs.filter { profile.threads.indices.contains($0.thread) }
    #expect(lines.count == runs.count)
    var sum = Weight()
    for line in lines {
      let object = try Exports.object(String(line))
      #expect(object["name"] is String && object["frames"] is [Exports.Object])
      sum.cpu &+= object["cpu_ns"] as? Int64 ?? 0
      sum.wall &+= object["wall_ns"] as? Int64 ?? 0
    }
    #expect(sum.cpu == Self.total(profile).cpu && sum.wall == Self.total(profile).wall)
  }

  // MARK: - callgrind

  @Test(arguments: profiles)
  func `to callgrind adds up to its summary`(profile: Profile) throws {
    let text = try Self.text(.callgrind, profile)
    var (wall, cpu) = (Int64(0), Int64(0))
    var isCall = false
    for line in text.split(separator: "\n") {
      if let match = line.wholeMatch(of: /([0-9]+) ([0-9]+) ([0-9]+)/) {
        if !isCall {
          wall &+= Int64(match.output.2) ?? 0
          cpu &+= Int64(match.output.3) ?? 0
        }
        isCall = false
      } else {
        isCall = line.hasPrefix("calls=")
        #expect(line.contains("=") || line.contains(":") || line.hasPrefix("#"), "\(line)")
      }
    }
    let total = Self.total(profile)
    #expect((wall, cpu) == (total.wall, total.cpu))
    #expect(text.contains("\nsummary: \(max(0, total.wall)) \(max(0, total.cpu))\n"))
  }

  /// Readers take functions without a caller for the outermost ones, and count what they include.
  @Test(arguments: profiles + [Tangle.profile()])
  func `to callgrind has all its time below what nobody calls`(profile: Profile) throws {
    let graph = try Exports.callgrind(Self.text(.callgrind, profile))
    let roots = graph.inclusive.keys.filter { !graph.called.contains($0) }
    let total = Self.total(profile)
    #expect(roots.reduce(0) { $0 &+ (graph.inclusive[$1] ?? 0) } == total.wall, "\(roots)")
    #expect(roots.count == (profile.runs.isEmpty ? 0 : 1) && graph.inclusive.count > 1)
  }

  static let annotate = "/usr/bin/callgrind_annotate"

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: annotate), "needs valgrind"),
    arguments: [OrderServer.attached(), Morning.profile(), HostileReportTestsProfile.plain])
  func `to callgrind is read by callgrind_annotate`(profile: Profile) throws {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "sprof-\(UUID().uuidString).callgrind")
    try Self.text(.callgrind, profile).write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(filePath: Self.annotate)
    process.arguments = ["--threshold=100", "--inclusive=yes", "--auto=no", file.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
    #expect(!text.contains("WARNING"), "\(text)")
    let total = Self.total(profile)
    let line = try #require(text.split(separator: "\n").first { $0.contains("PROGRAM TOTALS") })
    let figures = line.replacing(",", with: "").split(separator: " ").compactMap { Int64($0) }
    #expect(figures.prefix(2) == [total.wall, total.cpu])
  }
}
