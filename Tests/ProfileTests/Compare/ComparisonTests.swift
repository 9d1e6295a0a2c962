internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import TestSupport
internal import Testing

@Suite struct `Function names` {
  @Test(arguments: [
    ("f.isra.0", "f"), ("f.constprop.1.isra.0", "f"), ("f.part.3", "f"), ("f.cold", "f"),
    ("f.llvm.1234567890", "f"), ("f(int) [clone .isra.0]", "f(int)"), ("f.17", "f"),
    ("core::fmt::write::h0123456789abcdef", "core::fmt::write"),
    ("core::fmt::write::hello", "core::fmt::write::hello"),
    ("run()::{lambda(int)#2}::operator()", "run()::{lambda(int)#*}::operator()"),
    ("run::{{closure}}#1", "run::{{closure}}#*"),
    ("run()::$_12::operator()", "run()::$_*::operator()"),
    ("closure #3 in run()", "closure #* in run()"),
    ("run(int)::{lambda at line 12}", "run(int)::{lambda at line *}"),
    ("App$$Lambda$469/0x00007f.run", "App$$Lambda$*.run"),
    (".isra.0", ".isra"), (".", "."), ("", ""), ("main.main.func1", "main.main.func1"),
    ("a.b.c", "a.b.c"), ("#", "#"), ("operator#", "operator#"),
  ])
  func `lose what the compiler adds`(name: String, normalized: String) {
    #expect(FunctionName.normalized(name) == normalized)
  }

  @Test(arguments: [
    ("csv::parse_row(char const*)", "parse_row", true), ("parse_row", "parse_row", true),
    ("parse_row.isra.0", "parse_row", true), ("my_parse_row", "parse_row", false),
    ("csv::parse_row(char const*)", "csv::parse_row(char const*)", true),
    ("(anonymous namespace)::f", "f", true), ("parse_rows", "parse_row", false),
    ("(anonymous namespace)::f(int)", "f", true),
    ("a::(anonymous namespace)::f(int)", "a::f", true),
    ("void f<int>(int)", "f", true), ("void f<int>(int)", "f<int>", true),
    ("void f<int>(int)", "f<int>(int)", true), ("void f<int>(int)", "f<char>", false),
    ("std::vector<int> ns::f<a::b, c<d>>(a::b, int (*)(int)) const", "ns::f", true),
    ("std::vector<int> ns::f<a::b>(a::b)", "vector", false),
    ("unsigned long f<1ul>(char const*)", "f", true), ("f(int)", "f(int)", true),
    ("ns::f(int)", "f(int)", true), ("ns::f(int)", "f(char)", false), ("ns::f(int)", "s::f", false),
    ("Table<int>::find(int) const", "Table::find", true), ("Table<int>::find(int)", "Table", false),
    ("void Table<int>::each<f()::{lambda(int)#1}>(int)", "each", true),
    ("bool operator< <int>(A<int> const&, A<int> const&)", "operator<", true),
    ("ns::T::operator()(int) const", "operator()", true),
    ("ns::T::operator bool() const", "T", false),
    ("ns::T::operator->() const", "T::operator->", true),
    ("f[abi:cxx11](int)", "f[abi:cxx11]", true),
    ("<alloc::vec::Vec<T> as core::Clone>::clone", "clone", true),
    ("alloc::vec::Vec<T,A>::push::h0123456789abcdef", "Vec::push", true),
    ("net/http.(*Server).Serve", "Serve", true),
    ("net/http.(*Server).Serve", "(*Server).Serve", true),
    ("net/http.Get", "http.Get", true), ("Engine.App.run(for: Swift.Int) -> ()", "run", true),
    ("Engine.App.run(for: Swift.Int) -> ()", "App.run", true), ("Job.work", "work", true),
    ("closure #1 in run<A>(A)", "run", false), ("<module>", "<module>", true),
    ("f((", "f", false), ("f<<", "f", false), ("", "f", false), ("f", "", false),
  ])
  func `are found by what a user writes`(name: String, wanted: String, matches: Bool) {
    #expect(FunctionName.matches(name, wanted) == matches)
  }
}

@Suite struct `Bound on a comparison` {
  @Test(
    arguments: [
      ("+5%", nil, ComparisonLimit.Bound.ratio(0.05)), ("5 %", nil, .ratio(0.05)),
      ("parse_row +0.1s/s", "parse_row", .rate(0.1)),
      ("a::f(int, char) +20ms/s", "a::f(int, char)", .rate(0.02)),
      ("f + 5%", "f +", .ratio(0.05)), ("f +5 %", "f", .ratio(0.05)),
    ] as [(String, String?, ComparisonLimit.Bound)])
  func `is read`(text: String, function: String?, bound: ComparisonLimit.Bound) throws {
    let limit = try ComparisonLimit(text)
    #expect(limit.function == function)
    #expect(limit.bound == bound)
  }

  @Test(arguments: [
    ("", ComparisonLimit.Problem.empty), ("  ", .empty), ("parse_row", .noNumber("parse_row")),
    ("+5", .noUnit("+5")), ("f +0.1s", .noUnit("+0.1s")), ("+-5%", .notPositive("+-5%")),
    ("+nan%", .noNumber("+nan%")), ("+%", .noNumber("+%")), ("f +1.2.3%", .noNumber("+1.2.3%")),
  ])
  func `is refused with what is wrong`(text: String, problem: ComparisonLimit.Problem) {
    #expect(throws: problem) { try ComparisonLimit(text) }
  }

  @Test func `says when no function has that name`() throws {
    let program = SyntheticProgram(seed: 1)
    let profile = SyntheticCapture(seconds: 3, seed: 2).profile(of: program)
    let comparison = Comparison(
      before: [ComparedCapture(profile)], after: [ComparedCapture(profile)])
    let verdict = try ComparisonLimit("no_such +1%").verdict(on: comparison)
    #expect(LimitOutcome(verdict) == .noSuchFunction)
    let name = try #require(
      comparison.functions.first { FunctionName.base($0.name).count > 5 }?.name)
    var typo = FunctionName.base(name)
    typo.remove(at: typo.index(after: typo.startIndex))
    guard
      case .noSuchFunction(let nearest) = try ComparisonLimit("\(typo) +1%").verdict(on: comparison)
    else {
      Issue.record("\(typo) is taken for a function")
      return
    }
    #expect(nearest.contains(name), "\(typo): \(nearest)")
    #expect(nearest.count <= 3)
  }
}

@Suite struct `Comparison of captures` {
  static let program = SyntheticProgram(seed: 7)

  static func capture(
    _ program: SyntheticProgram = program, seconds: Double = 12, rate: Double = 200, seed: UInt64
  ) -> ComparedCapture {
    ComparedCapture(
      SyntheticCapture(seconds: seconds, rate: rate, drift: 0.1, seed: seed).profile(of: program))
  }

  static var slower: SyntheticProgram {
    var slower = program
    slower.slow(program.target, by: 2.5)
    return slower
  }

  @Test func `of a capture with itself is exactly nothing`() {
    let capture = Self.capture(seed: 1)
    let comparison = Comparison(before: [capture], after: [capture])
    #expect(!comparison.hasChanges)
    #expect(comparison.functions.allSatisfy { $0.inclusive.change.change == 0 })
    #expect(comparison.functions.allSatisfy { $0.match == .same })
    #expect(comparison.warnings.isEmpty)
  }

  @Test func `gives the same figures for the same seed`() {
    let sides = [Self.capture(seed: 1), Self.capture(seed: 2)]
    let one = Comparison(before: [sides[0]], after: [sides[1]])
    let two = Comparison(before: [sides[0]], after: [sides[1]])
    #expect(
      one.functions.map(\.inclusive.change.interval)
        == two.functions.map(\.inclusive.change.interval))
  }

  @Test func `adds up over the functions by themselves`() {
    let comparison = Comparison(
      before: [Self.capture(seed: 1)], after: [Self.capture(Self.slower, seed: 2)])
    for side in [\Comparison.Change.before, \.after] {
      let own = comparison.functions.reduce(0) { $0 + $1.own.change[keyPath: side] }
      let total = comparison.cpu[keyPath: side] + comparison.blocked[keyPath: side]
      #expect(abs(own - total) < 1e-4)
    }
  }

  @Test func `takes captures of other lengths and rates`() throws {
    let comparison = Comparison(
      before: [Self.capture(seconds: 30, rate: 100, seed: 3)],
      after: [Self.capture(seconds: 10, rate: 400, seed: 4)])
    #expect(!comparison.hasChanges)
    #expect(comparison.warnings.contains(.otherRate(before: 100, after: 400)))
    let busy = Self.program.trueBusy
    #expect(abs(comparison.cpu.before - busy) < 0.15 * busy)
    #expect(abs(comparison.cpu.after - busy) < 0.15 * busy)
  }

  @Test func `takes several captures of a side for more of the same`() throws {
    let once = Comparison(
      before: [Self.capture(seed: 10)], after: [Self.capture(Self.slower, seed: 11)])
    let thrice = Comparison(
      before: [10, 12, 14].map { Self.capture(seed: $0) },
      after: [11, 13, 15].map { Self.capture(Self.slower, seed: $0) })
    #expect(thrice.secondsBefore == 3 * once.secondsBefore)
    let widths = [once, thrice].map { comparison in
      comparison.functions.first { $0.name == "parse_row" }?.inclusive.change.interval
        .map { $0.upperBound - $0.lowerBound } ?? .infinity
    }
    #expect(widths[1] < widths[0])
    #expect(thrice.findings.first.map { thrice.functions[$0.function].name } == "parse_row")
  }

  @Test func `of two parts of one capture sees what lies in each`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/app")
    let (early, late) = (
      maker.frame(SourceLine(function: "early"), in: app),
      maker.frame(SourceLine(function: "late"), in: app)
    )
    let stacks = [early, late].map { maker.stack(outermostFirst: [$0]) }
    let thread = maker.thread(1, "app", isMain: true)
    for number in 0..<1000 {
      maker.profile.runs.append(
        Run(
          thread: thread, stack: stacks[number < 500 ? 0 : 1], end: .complete, activity: .running,
          start: Int64(number) * 10_000_000,
          weight: Weight(samples: 1, ticks: 1, cpu: 10_000_000, wall: 10_000_000)))
    }
    maker.profile.capture.duration = 10_000_000_000
    let comparison = Comparison(
      before: [ComparedCapture(maker.profile, window: 0..<5_000_000_000)],
      after: [ComparedCapture(maker.profile, window: 5_000_000_000..<10_000_000_000)])
    #expect(comparison.secondsBefore == 5)
    #expect(comparison.functions.map(\.name).sorted() == ["early", "late"])
    for function in comparison.functions {
      let gone = function.name == "early"
      #expect(abs(function.inclusive.change.before - (gone ? 1 : 0)) < 1e-6)
      #expect(abs(function.inclusive.change.after - (gone ? 0 : 1)) < 1e-6)
    }
  }

  @Test func `divides a long run among the windows that it spans`() {
    var maker = ProfileMaker()
    let app = maker.module("/bin/app")
    let frame = maker.frame(SourceLine(function: "wait"), in: app)
    let stack = maker.stack(outermostFirst: [frame])
    let thread = maker.thread(1, "app", isMain: true)
    maker.run(thread, stack, .asleep(in: "futex"), ticks: 1000)
    maker.profile.capture.duration = 10_000_000_000
    let comparison = Comparison(
      before: [ComparedCapture(maker.profile, window: 0..<2_500_000_000)],
      after: [ComparedCapture(maker.profile, window: 2_500_000_000..<9_000_000_000)])
    #expect(!comparison.hasChanges)
    #expect(abs(comparison.blocked.before - 1) < 1e-6)
    #expect(abs(comparison.blocked.after - 1) < 1e-6)
  }

  @Test func `counts a function that calls itself once`() throws {
    var maker = ProfileMaker()
    let app = maker.module("/bin/app")
    let frame = maker.frame(SourceLine(function: "walk"), in: app)
    let stack = maker.stack(outermostFirst: Array(repeating: frame, count: 43))
    let thread = maker.thread(1, "app", isMain: true)
    maker.run(thread, stack, ticks: 1000, cpu: 10_000_000_000)
    maker.profile.capture.duration = 10_000_000_000
    let side = ComparedCapture(maker.profile)
    let comparison = Comparison(before: [side], after: [side])
    #expect(abs(try #require(comparison.functions.first).inclusive.change.before - 1) < 1e-6)
  }

  @Test func `keeps the lambdas of a function apart, also where lines have moved`() {
    func side(_ first: Int, _ second: Int) -> ComparedCapture {
      var maker = ProfileMaker()
      let app = maker.module("/bin/app")
      let thread = maker.thread(1, "app", isMain: true)
      for (line, ticks) in [(first, Int64(300)), (second, 700)] {
        let function = "run(int)::{lambda at line \(line)}"
        let frame = maker.frame(SourceLine(function: function, file: "a.cpp", line: line), in: app)
        let stack = maker.stack(outermostFirst: [frame])
        maker.run(thread, stack, ticks: ticks, cpu: ticks * 10_000_000)
      }
      maker.profile.capture.duration = 10_000_000_000
      return ComparedCapture(maker.profile)
    }
    for after in [side(8, 12), side(9, 13), side(98, 102)] {
      let comparison = Comparison(before: [side(8, 12)], after: [after])
      let own = comparison.functions.map { [$0.own.before.cpu, $0.own.after.cpu] }
      #expect(own.count == 2)
      #expect(own.allSatisfy { abs($0[0] - $0[1]) < 1e-6 }, "\(own)")
    }
  }

  @Test func `says what makes captures hard to compare`() {
    var (before, after) = (Self.capture(seed: 1).profile, Self.capture(seed: 2).profile)
    after.modules = [Module(path: "/bin/server", buildID: "cd")]
    after.capture.cost.ticksLate = after.capture.cost.ticksPlanned / 4
    before.capture.hostName = "one"
    after.capture.hostName = "two"
    let comparison = Comparison(
      before: [ComparedCapture(before)],
      after: [ComparedCapture(after)])
    #expect(
      comparison.warnings == [
        .otherBuild(before: "ab", after: "cd"), .otherHost(before: "one", after: "two"),
        .lateTicks(isAfter: true, share: 0.25),
      ])
  }

  @Test func `stands captures of nothing, of one look, and of nonsense`() {
    let empty = Profile(capture: CaptureInfo(kind: .attach, pid: 1, processName: "x"))
    var absurd = OrderServer.attached()
    absurd.capture.duration = .max
    absurd.capture.rate = .infinity
    for run in absurd.runs.indices {
      absurd.runs[run].weight = Weight(
        samples: .max, ticks: .min, cpu: .max, wall: .max, delay: .min)
    }
    let sides = [empty, OrderServer.dumped(), absurd, OrderServer.attached()]
    for before in sides {
      for after in sides {
        let comparison = Comparison(
          before: [ComparedCapture(before)], after: [ComparedCapture(after, window: 0..<5)])
        #expect(!comparison.warnings.isEmpty)
      }
    }
  }

  @Test func `aligns threads by name and root function`() throws {
    let comparison = Comparison(
      before: [Self.capture(seed: 1)], after: [Self.capture(Self.slower, seed: 2)],
      threadFilter: ThreadFilter(glob: "worker-*"))
    let workers = try #require(comparison.threads.first)
    #expect(comparison.threads.count == 1)
    #expect(workers.name == "worker-*")
    #expect(workers.rootFunction == "worker_main")
    #expect((workers.countBefore, workers.countAfter) == (2, 2))
    #expect(workers.cpu.isSignificant)
  }
}

@Suite struct `Comparison report` {
  static let comparison = Comparison(
    before: [`Comparison of captures`.capture(seed: 1)],
    after: [`Comparison of captures`.capture(`Comparison of captures`.slower, seed: 2)])

  static func options(_ verdicts: [LimitVerdict] = [], all: Bool = false, color: Bool = false)
    -> ComparisonOptions
  {
    ComparisonOptions(
      before: ComparisonOptions.Side(name: "before.pb.gz", seconds: 12),
      after: ComparisonOptions.Side(name: "after.pb.gz", seconds: 12), showsAll: all,
      color: color, verdicts: verdicts)
  }

  static func text(_ options: ComparisonOptions = options()) -> String {
    var text = ""
    ComparisonReport(comparison, options: options).write(to: &text)
    return text
  }

  @Test func `reads as it did`() throws {
    let limits = ["+5%", "parse_row +0.1s/s", "handle_1 +50%", "nobody +1%"]
    let verdicts = try limits.map { text in
      let limit = try ComparisonLimit(text)
      return LimitVerdict(limit, limit.verdict(on: Self.comparison, rules: limits.count))
    }
    #expect(verdicts.map(\.isExceeded) == [true, true, false, false])
    try Goldens.expect(Self.text(Self.options(verdicts)), toEqual: "compare.txt")
    try Goldens.expect(Self.text(Self.options(all: true)), toEqual: "compare.all.txt")
    var markdown = ""
    ComparisonMarkdown(Self.comparison, options: Self.options(verdicts)).write(to: &markdown)
    try Goldens.expect(markdown, toEqual: "compare.markdown.md")
  }

  @Test func `stays within 100 columns and says the same in colour`() {
    let plain = Self.text(Self.options(all: true))
    #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 100 })
    let colored = Self.text(Self.options(all: true, color: true))
    #expect(colored != plain)
    #expect(colored.replacing(/\u{1B}\[[0-9]+m/, with: "") == plain)
  }

  @Test func `gives names lines of their own where the figures leave no room for them`() {
    var options = Self.options(all: true)
    options.width = 60
    let lines = Self.text(options).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 60 && $0.last != " " })
    for name in ["* parse_row", "  helper_7"] { #expect(lines.contains { $0 == name }) }
    let name = lines.firstIndex { $0 == "* parse_row" } ?? 0
    #expect(lines[name + 1].hasPrefix("   ") && lines[name + 1].contains(" … "))
    #expect(lines.contains { $0.hasSuffix("blocked in epoll_wait -0.298") })
  }

  @Test func `says no difference, and how much longer to look`() {
    let side = `Comparison of captures`.capture(seconds: 5, seed: 1)
    var text = ""
    let comparison = Comparison(
      before: [side], after: [`Comparison of captures`.capture(seconds: 5, seed: 3)])
    ComparisonReport(comparison, options: Self.options()).write(to: &text)
    #expect(text.contains("No difference beyond chance; at most, helper_7 may take less time"))
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("To detect 2 %, each side needs about"))
  }

  @Test func `gives everything as JSON`() throws {
    var text = ""
    ComparisonJSON(Self.comparison, options: Self.options()).write(to: &text)
    try JSONSchema(of: "compare").check(text)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(
      object.keys.sorted() == [
        "after", "before", "changed", "findings", "freezes", "functions", "need", "paths",
        "possible", "sprof", "threads", "total", "verdicts", "warnings",
      ])
    #expect(object["changed"] as? Bool == true)
    let functions = try #require(object["functions"] as? [[String: Any]])
    let findings = try #require(object["findings"] as? [[String: Any]])
    let first = try #require(findings.first?["function"] as? Int)
    #expect(functions[first]["name"] as? String == "parse_row")
  }

  @Test func `lets no name of the program command a terminal or end a table`() {
    var program = `Comparison of captures`.slower
    program.names[program.target] = "evil|\u{1B}[2J<img src=x>\n| x |"
    let comparison = Comparison(
      before: [`Comparison of captures`.capture(seed: 1)],
      after: [`Comparison of captures`.capture(program, seed: 2)])
    var (text, markdown) = ("", "")
    ComparisonReport(comparison, options: Self.options(all: true)).write(to: &text)
    ComparisonMarkdown(comparison, options: Self.options()).write(to: &markdown)
    #expect(text.contains("evil|\\u{1B}"))
    #expect(!(text + markdown).contains("\u{1B}"))
    #expect(!markdown.contains("<img"))
    #expect(!markdown.contains("evil|"))
  }
}
