internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// Profiles whose names want to mislead a reader, to command a terminal or to break a table.
@Suite struct `A report on a hostile program` {
  static let names = [
    "\u{0}nul", "\u{1B}[31mred\u{1B}]0;title\u{7}", "line\nbreak\r\n", "\u{202E}gnihtyreve",
    "\u{200F}mark\u{2066}", "tab\there", String(repeating: "long::", count: 1700), "",
    "日本語の名前日本語の名前日本語の名前日本語の名前日本語の名前日本語の名前日本語の名前日本語の名前",
    "e\u{301}" + String(repeating: "\u{300}", count: 500), "in\u{FEFF}\u{200B}visible\u{E0041}",
    "\"quoted\" (main)  running, CPU", "  spaces   inside  ", "👩‍👩‍👧‍👦🇩🇪", "\u{2028}\u{85}\u{9B}31m",
  ]

  static func profile(kind: CaptureInfo.Kind) -> Profile {
    var maker = ProfileMaker(kind: kind)
    let modules = names.map { maker.module("/opt/\($0)") }
    var frames: [FrameID] = []
    for (name, module) in zip(names, modules) {
      frames.append(
        maker.frame(
          SourceLine(function: name, file: "/src/\(name)/\(name)", line: .max, isInlined: true),
          SourceLine(function: name, line: .min), in: module))
    }
    frames.append(maker.profile.stacks.id(of: .elided()))
    maker.profile.symbols.append(ResolvedFrame(lines: [], module: .anonymous))
    frames.append(maker.unnamedFrame(in: ModuleID(.max)))
    for (number, name) in names.enumerated() {
      let call = SystemCall(name: name, arguments: [0, .max, 1 << 63, 0xffff_fffe, 0xffff_0000])
      let thread = maker.thread(
        .max, name, isMain: number == 3, cpu: .max, delay: .min, firstSeen: .max, lastSeen: .min,
        cpuSinceStart: .max, systemCall: call)
      let stack = maker.stack(outermostFirst: Array(frames[number...] + frames[..<number]))
      maker.run(
        thread, stack, .asleep(in: name), ticks: 3, end: .truncated(.unknownRegister))
      maker.profile.runs.append(
        Run(
          thread: thread, stack: StackID(.max), end: .complete, activity: .unknown, start: .min,
          weight: Weight(samples: .max, ticks: .max, cpu: .max, wall: .max, delay: .max)))
    }
    maker.profile.runs.append(
      Run(
        thread: -1, stack: .empty, end: .complete, activity: .stopped, start: 0, weight: Weight()))
    let tasks = names.enumerated().map { number, name in
      AsyncTask(
        address: RemoteAddress(.max), name: name, tid: number % 2 == 0 ? .max : nil,
        state: AsyncTask.State.allCases[number % 4], stack: [0, 1, .max, -1][number / 4 % 4],
        awaitedBy: [number, names.count - 1 - number, .max, -1])
    }
    let lines = names.map { SourceLine(function: $0, file: "/src/\($0)/\($0)", line: .min) }
    maker.profile.tasks = [
      AsyncTasks(
        pid: maker.profile.capture.pid, tasks: tasks, stacks: [lines, []], tornThreads: [.max],
        movedThreads: [.min], isCut: true)
    ]
    maker.profile.capture.processName = names[1] + names[6]
    maker.profile.capture.notes = names.map { .plain($0) }
    maker.profile.capture.rate = .nan
    maker.profile.capture.startTime = .infinity
    maker.profile.capture.duration = .min
    return maker.profile
  }

  static func texts() -> [String] {
    var options = ReportOptions(views: Set(ReportView.allCases))
    var narrow = options
    narrow.width = 60
    options.top = .max
    return [options, narrow].flatMap { options in
      var report = ""
      var dump = ""
      TextReport(profile(kind: .attach), options: options).write(to: &report)
      DumpReport(profile(kind: .dump), options: options).write(to: &dump)
      #expect(columns(report) <= options.width)
      #expect(columns(dump) <= options.width)
      return [report, dump]
    }
  }

  /// The widest line, wide characters counted as two columns by a rule of the test's own.
  private static func columns(_ text: String) -> Int {
    text.split(separator: "\n").map { line in
      line.unicodeScalars.reduce(0) { width, scalar in
        width + ((0x3000...0x9FFF).contains(scalar.value) || scalar.value >= 0x1F300 ? 2 : 1)
      }
    }.max() ?? 0
  }

  @Test func `holds nothing but printable characters and newlines`() {
    for text in Self.texts() {
      #expect(text.count > 1000)
      let forbidden: Set<Unicode.GeneralCategory> = [
        .control, .format, .lineSeparator, .paragraphSeparator,
      ]
      let found = Set(text.unicodeScalars).filter {
        $0 != "\n" && forbidden.contains($0.properties.generalCategory)
      }
      #expect(found.isEmpty)
    }
  }

  @Test func `shows what it will not print`() {
    let text = Self.texts().joined()
    #expect(text.contains("\\u{1B}[31mred"))
    #expect(text.contains("\\u{202E}gnihtyreve"))
    #expect(text.contains("\\u{0}nul"))
    #expect(text.contains("\\\"quoted\\\""))
  }

  @Test(arguments: [CaptureInfo.Kind.attach, .dump])
  func `is valid JSON all the same`(kind: CaptureInfo.Kind) throws {
    var text = ""
    JSONReport(Self.profile(kind: kind)).write(to: &text)
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let threads = object?["threads"] as? [[String: Any]]
    let isEveryNameKept = threads?.compactMap { $0["name"] as? String } == Self.names
    #expect(isEveryNameKept)
  }

  @Test func `writes line breaks and tabs as C does, and other control characters by number`() {
    #expect("a\nb\tc\r".printable == #"a\nb\tc\r"#)
    #expect("a\r\nb".printable == #"a\r\nb"#)
    #expect("\u{1B}[31m\u{0}".printable == #"\u{1B}[31m\u{0}"#)
  }

  @Test func `leaves out the middle of a very deep stack, and says so`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/deep")
    let pair = (0..<2).map { maker.frame(SourceLine(function: "f\($0)"), in: app) }
    let thread = maker.thread(1, "deep", isMain: true)
    let frames = (0..<20_000).map { pair[$0 % 2] }
    maker.run(thread, maker.stack(outermostFirst: frames), ticks: 10)
    var text = ""
    TextReport(maker.profile, options: ReportOptions(views: [.stacks, .tree])).write(to: &text)
    #expect(text.contains("19800 more frames (--json shows them)"))
    #expect(text.contains("19880 calls left out"))
    #expect(text.split(separator: "\n").count < 400)
  }

  @Test func `keeps names readable below many branches`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/deep")
    let (left, right) = (
      maker.frame(SourceLine(function: "left"), in: app),
      maker.frame(SourceLine(function: "right"), in: app)
    )
    let thread = maker.thread(1, "deep", isMain: true)
    for depth in 0..<60 {
      let frames = Array(repeating: left, count: depth) + [right]
      maker.run(thread, maker.stack(outermostFirst: frames), ticks: 10)
    }
    var text = ""
    TextReport(maker.profile, options: ReportOptions(views: [.tree])).write(to: &text)
    let lines = text.split(separator: "\n").filter { $0.contains("(deep)") }
    #expect(lines.count == 119)
    #expect(lines.allSatisfy { $0.contains("left  (deep)") || $0.contains("right  (deep)") })
  }
}
