import Foundation
import ProfileAnalysis
import ProfileExport
import ProfileModel
import TestSupport
import Testing

/// Pages in a browser without a window, one after the other.
@Suite(.serialized, .enabled(if: Driver.isThere, "needs chromium and python3"))
struct `A page in a browser` {
  func expectPassed(
    _ outcome: CommandOutcome, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      outcome.status == 0, "\(outcome.stdout)\(outcome.stderr)", sourceLocation: sourceLocation)
    // A script without checks cannot fail.
    #expect(!outcome.stdout.hasPrefix("0 checks"), sourceLocation: sourceLocation)
  }

  func write(
    _ path: String, _ body: (inout String) throws -> Void
  ) throws {
    var text = ""
    try body(&text)
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }

  @Test func `computes what its functions are to compute`() throws {
    let outcome = try Driver.run(
      "units",
      [
        Repository.path("Sources/ProfileExport/Page/Resources"),
        Repository.path("Tests/PageTests/Browser/units.js"),
      ])
    expectPassed(outcome)
  }

  @Test func `shows what the capture holds, whatever is searched, zoomed, chosen and weighed`()
    throws
  {
    let folder = try TemporaryFolder()
    let program = try RunningProgram(fixture: "sleepers.c", ["5", "2"])
    let (file, page) = (folder.path + "/a.pb.gz", folder.path + "/a.html")
    let outcome = try SprofCommand.run(
      ["attach", "\(program.pid)", "--duration", "1500ms", "-o", file, "--html", page])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try program.assertUntouched(progress: "iterations")
    #expect(strayChildren() == [])
    let report = try SprofCommand.run(["report", file, "--json"])
    try report.stdout.write(
      toFile: folder.path + "/a.json", atomically: false, encoding: .utf8)
    expectPassed(try Driver.run("interaction", [page, folder.path + "/a.json", "compute"]))
    // The page of the file is that of the capture.
    let again = folder.path + "/b.html"
    #expect(try SprofCommand.run(["report", file, "--html", again]).status == 0)
    #expect(try String(contentsOfFile: again, encoding: .utf8).count > 100_000)
    let seed = String(Int.random(in: 0..<1000))
    let filters = try Driver.run("filters", [SprofCommand.path, again, file, seed])
    expectPassed(filters)
    if filters.status != 0 { Issue.record("the seed was \(seed)") }
  }

  @Test(.enabled(if: !Interpreter.onePerVersion.isEmpty, "needs a Python"))
  func `filters Python code as the report does`() throws {
    let folder = try TemporaryFolder()
    let program = try Interpreter.onePerVersion[0].start("mixed.py")
    let (file, page) = (folder.path + "/a.pb.gz", folder.path + "/a.html")
    let outcome = try SprofCommand.run(
      ["attach", "\(program.pid)", "--duration", "500ms", "-o", file, "--html", page])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try program.assertUntouched()
    #expect(strayChildren() == [])
    let seed = String(Int.random(in: 0..<1000))
    let report = try SprofCommand.run(["report", file, "--json"])
    try write(folder.path + "/a.json") { $0 = report.stdout }
    expectPassed(try Driver.run("native", [page, folder.path + "/a.json"]))
    let filters = try Driver.run("filters", [SprofCommand.path, page, file, seed])
    expectPassed(filters)
    if filters.status != 0 { Issue.record("the seed was \(seed)") }
  }

  @Test(.enabled(if: !Interpreter.onePerVersion.isEmpty, "needs a Python"))
  func `chooses the time of a freeze at a click on it`() throws {
    let folder = try TemporaryFolder()
    let program = try Interpreter.onePerVersion[0].start("freezing.py", ["asyncio", "1"])
    let (file, page) = (folder.path + "/a.pb.gz", folder.path + "/a.html")
    let command = try SprofCommand.startAttach(to: program, ["-o", file, "--html", page])
    try program.send(line: "go")
    _ = try program.readLine(deadline: .seconds(60))
    command.send(SIGINT)
    #expect(try command.finish().status == 0)
    try program.assertUntouched()
    #expect(strayChildren() == [])
    let report = try SprofCommand.run(["report", file, "--json"])
    try report.stdout.write(
      toFile: folder.path + "/a.json", atomically: false, encoding: .utf8)
    expectPassed(try Driver.run("freezes", [page, folder.path + "/a.json"]))
  }

  @Test func `executes nothing that names say, and shows it as text`() throws {
    let folder = try TemporaryFolder()
    let page = folder.path + "/hostile.html"
    try write(page) { PageExporter().write(HostileProfile.profile, to: &$0) }
    expectPassed(try Driver.run("hostile", [page]))
  }

  @Test func `on two captures shows what changed, what is gone, and what is chance`() throws {
    let folder = try TemporaryFolder()
    let (page, report) = (folder.path + "/change.html", folder.path + "/change.json")
    let before = ServedRequests.profile(seed: 1, isAfter: false)
    let after = ServedRequests.profile(seed: 2, isAfter: true)
    let comparison = Comparison(before: [ComparedCapture(before)], after: [ComparedCapture(after)])
    let options = ComparisonOptions(
      before: ComparisonOptions.Side(name: "before", seconds: comparison.secondsBefore),
      after: ComparisonOptions.Side(name: "after", seconds: comparison.secondsAfter))
    try write(page) {
      ComparisonPage(comparison, options: options, before: [before], after: [after]).write(to: &$0)
    }
    try write(report) { ComparisonJSON(comparison, options: options).write(to: &$0) }
    expectPassed(try Driver.run("comparison", [page, report, "grown", "gone", "fresh"]))
  }

  @Test func `of very many stacks and threads is drawn, zoomed and searched`() throws {
    let folder = try TemporaryFolder()
    let page = folder.path + "/large.html"
    let stacks = Repository.trials(short: 5_000, full: 100_000)
    let profile = ManyStacks.profile(stacks: stacks, threads: min(500, stacks / 10))
    try write(page) { PageExporter().write(profile, to: &$0) }
    let outcome = try Driver.run("large", [page, "function_1"])
    expectPassed(outcome)
    print(outcome.stdout)
    let size = try #require(
      try FileManager.default.attributesOfItem(atPath: page)[.size] as? Int)
    #expect(size < 15_000_000)
  }
}

/// Names that try to be markup, script, an end of a string, or nothing at all.
enum HostileProfile {
  static let names = [
    "<script>globalThis.hacked = 1</script>", "</script><script>globalThis.hacked = 2</script>",
    "\"><img src=x onerror='globalThis.hacked = 3'>", "' onmouseover='globalThis.hacked = 4'",
    "<!--", "-->", "]]>", "</title><b class=evil>", "a\u{0}b\u{1}\u{7F}", "\u{202E}gnp.exe",
    "\u{2028}line\u{2029}", "\\u003cscript\\u003e", "`${globalThis.hacked = 5}`", "", " ",
    "{{constructor.constructor('globalThis.hacked = 6')()}}", "javascript:globalThis.hacked=7",
    "__proto__", "constructor", "<svg onload=globalThis.hacked=8>", "&lt;i&gt;", "\u{FFFD}\u{FEFF}",
    "\u{200F}\u{2067}rtl\u{2069}", "\r\n\t", "é\u{301}\u{1F9D1}\u{200D}\u{1F680}",
    String(repeating: "<x>\"'\u{202E}", count: 1_500), String(repeating: "w", count: 10_000),
  ]

  static var profile: Profile {
    var maker = PageMaker()
    var random = SeededNumbers(3)
    let modules = names.map { maker.module("/lib/" + $0) }
    var blockings: [Blocking] = []
    for (number, name) in names.enumerated() {
      let tid = Int32(4242 + number)
      let thread = maker.thread(tid, name, isMain: number == 0)
      for sample in 0..<40 {
        let path = (0..<Int.random(in: 0...6, using: &random)).map { _ in
          names.randomElement(using: &random) ?? ""
        }
        let stack = maker.stack(path, file: "/src/" + name, in: modules[number])
        let wait = names[Int.random(in: names.indices, using: &random)]
        let activity: Activity =
          sample % 3 == 0 ? .running : .blocked(WaitReason(systemCall: wait))
        maker.sample(
          thread, stack, activity, at: Int64(sample + 1) * 10_000_000,
          end: sample % 5 == 0 ? .truncated(.badFrame) : sample % 7 == 0 ? .inferred : .complete)
      }
      let owner = Int32(4242 + (number + 1) % names.count)
      blockings.append(
        Blocking(
          waiter: WaitingThread(pid: 4242, tid: tid, name: name, processName: name),
          wait: Wait(
            kind: .mutex, systemCall: "futex",
            object: WaitObject(address: RemoteAddress(0x1000), variable: name, file: name),
            owners: [.thread(tid: owner)]),
          firstSeen: 0, lastSeen: 400_000_000, samples: 3))
    }
    return maker.profile(named: names[0] + names[2] + names[9], blockings: blockings)
  }
}

/// Two captures of a program that serves requests: one function takes twice the time after, one is
/// gone, one is new, one is as it was.
enum ServedRequests {
  static func profile(seed: UInt64, isAfter: Bool) -> Profile {
    var maker = PageMaker()
    var random = SeededNumbers(seed)
    let module = maker.module("/usr/bin/served")
    let main = maker.thread(4242, "served", isMain: true)
    let worker = maker.thread(4243, "worker-1")
    // Else a function that is gone and one that is new would be one that was renamed.
    let modules = [
      "gone": maker.module("/usr/lib/old.so"), "fresh": maker.module("/usr/lib/new.so"),
    ]
    let idle = maker.stack(["main", "pause"], in: module)
    _ = maker.stack(["start", "serve", "wait"], in: module)
    let parts =
      isAfter
      ? [("steady", 30), ("grown", 40), ("fresh", 15)]
      : [("steady", 30), ("grown", 20), ("gone", 15)]
    for tick in 1...1000 {
      let time = Int64(tick) * 10_000_000
      maker.sample(main, idle, .blocked(WaitReason(systemCall: "pause")), at: time)
      var chance = Int.random(in: 0..<100, using: &random)
      let part = parts.first { part in
        chance -= part.1
        return chance < 0
      }
      if let name = part?.0 {
        let stack = maker.stack(["start", "serve", name], in: modules[name] ?? module)
        maker.sample(worker, stack, at: time)
      } else {
        maker.sample(
          worker, maker.stack(["start", "serve", "wait"], in: module),
          .blocked(WaitReason(systemCall: "epoll_wait")), at: time)
      }
    }
    return maker.profile(named: "served")
  }
}

/// Threads with stacks that all differ, as deep as those of a large program.
enum ManyStacks {
  static func profile(stacks: Int, threads: Int) -> Profile {
    var maker = PageMaker()
    var random = SeededNumbers(5)
    let module = maker.module("/usr/lib/large.so")
    let names = (0..<max(200, stacks / 10)).map { "library::function_\($0)(Argument const&)" }
    let indexes = (0..<threads).map {
      maker.thread(Int32(5000 + $0), "worker-\($0)", isMain: $0 == 0)
    }
    let perThread = max(1, stacks / max(threads, 1))
    for thread in indexes {
      // Most of a stack is that of the sample before.
      var path = (0..<14).map { names[$0] }
      for sample in 0..<perThread * 2 {
        if sample % 2 == 0 {
          path.removeLast(Int.random(in: 1...6, using: &random))
          while path.count < 14 { path.append(names.randomElement(using: &random) ?? "") }
        }
        let isAsleep = sample % 2 == 1
        maker.sample(
          thread, maker.stack(path, file: "/src/large.cc", in: module),
          isAsleep ? .blocked(WaitReason(systemCall: "futex")) : .running,
          at: Int64(sample + 1) * 10_000_000)
      }
    }
    return maker.profile()
  }
}
