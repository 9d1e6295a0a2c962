import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `A Python program that hangs` {
    /// Interpreters that have the modules, the newest and the oldest alone where time counts.
    private static func interpreters(with module: String) -> [Interpreter] {
      let all = Interpreter.onePerVersion.filter { $0.has(module: module) }
      return Repository.isTrial || all.count < 3 ? all : [all[0], all[all.count - 1]]
    }

    private static let ofSystem = Interpreter(
      name: "of the system", command: ["/usr/bin/python3"])

    @Test(arguments: Interpreter.onePerLayout.filter { $0.has(module: "ctypes") })
    func `between the interpreter's lock and a mutex is called a deadlock`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("window.py", ["none", "deadlock"])
      try expect(.deadlock, of: program, in: interpreter)
    }

    @Test(arguments: interpreters(with: "ctypes"))
    func `is called the same when its C frames are not shown`(interpreter: Interpreter) throws {
      let program = try interpreter.start("gild.py")
      let folder = try TemporaryFolder()
      let file = folder.path + "/dump.pb.gz"
      func dump() throws -> Report { try SprofCommand.report(["dump", "\(program.pid)"]) }
      // It says that it is ready before it hangs.
      try waitUntil("it hangs") { try dump().verdict?.kind == "deadlock" }
      // Who waits for the mutex was stopped once to be looked at, and slept for a short time only since.
      try waitUntil("a short capture finds it") {
        let short = ["attach", "\(program.pid)", "--duration", "300ms"]
        return try SprofCommand.report(short).verdict?.kind.hasSuffix("deadlock") == true
      }
      // Who waits for the lock wakes up all the time to ask for it again; without a CPU for it then, a busy
      // machine cuts the wait in two.
      try waitUntil("a capture finds it from its first second on") {
        let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1500ms"])
        #expect(report.verdict?.kind == "deadlock", "\(interpreter)")
        return try #require(report.verdict?.lastedNs) > 1_000_000_000
      }
      let whole = try dump()
      // A dump may meet it awake, more often on a busy machine.
      var found: Report?
      try waitUntil("a dump without C frames finds it") {
        found = try SprofCommand.report(
          ["dump", "\(program.pid)", "--no-native", "-o", file, "--force"])
        return found?.verdict?.kind == "deadlock"
      }
      let shown = try #require(found)
      #expect(whole.frames.contains { $0.file?.hasSuffix(".py") != true })
      for report in [shown, try SprofCommand.report(["report", file, "--no-native"])] {
        #expect(report.verdict?.kind == "deadlock", "\(report.verdict?.words ?? "")")
        #expect(report.frames.allSatisfy { $0.file?.hasSuffix(".py") == true })
      }
      let kept = try SprofCommand.report(["report", file])
      #expect(kept.frames.contains { $0.file?.hasSuffix(".py") != true })
      let export = ["export", file, "--to", "folded"]
      #expect(try SprofCommand.run(export).stdout.contains("pthread_mutex_lock"))
      let hidden = try SprofCommand.run(export + ["--no-native"]).stdout
      #expect(hidden.contains("grab") && !hidden.contains("pthread_mutex_lock"))
      try program.assertUntouched()
      program.kill()
      expectNothingLeftBehind()
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && !interpreters(with: "_tkinter").isEmpty,
        "needs Xvfb and a Python with tkinter"),
      arguments: interpreters(with: "_tkinter"), HungPython.all)
    func `with a window of Tk is explained by its handler, file and line`(
      interpreter: Interpreter, hang: HungPython
    ) throws {
      let server = try XServer()
      let program = try interpreter.start(
        "window.py", ["tk", hang.mode], environment: ["DISPLAY": server.display])
      try expect(hang, of: program, in: interpreter, handler: true)
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && ofSystem.has(module: "gi"), "needs Xvfb and GTK 3 for Python"),
      arguments: HungPython.all)
    func `with a window of GTK is explained by its handler, file and line`(
      hang: HungPython
    ) throws {
      let server = try XServer()
      let program = try Self.ofSystem.start(
        "window.py", ["gtk", hang.mode],
        environment: [
          "DISPLAY": server.display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1",
        ])
      try expect(hang, of: program, in: Self.ofSystem, handler: true)
    }

    @Test(
      arguments: Interpreter.perVersion(
        [
          "with sleep", "nested read", "condition read", "rlock sleep", "main sleep",
          "acquired sleep",
        ], parts: 6))
    func `at a lock of threading is never called idle`(
      interpreter: Interpreter, mode: String
    ) throws {
      let program = try interpreter.start(
        "locked.py", mode.split(separator: " ").map(String.init))
      let isKnown = !mode.hasPrefix("acquired")
      var verdict = try SprofCommand.report(["dump", "\(program.pid)"]).verdict
      // For a second it may be at work.
      try waitUntil("all wait for long") {
        verdict = try SprofCommand.report(["dump", "\(program.pid)"]).verdict
        return verdict?.kind == (isKnown ? "hung_on_lock" : "waiting")
          && (verdict?.lastedNs ?? 0) > 1_000_000_000
      }
      let whole = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "1500ms"])
      for verdict in [verdict, whole.verdict] {
        let words =
          "\(interpreter), \(mode): \(verdict?.words ?? "")\n"
          + (verdict?.chainWords.joined(separator: "\n") ?? "")
        #expect(verdict?.kind == (isKnown ? "hung_on_lock" : "waiting"), "\(words)")
        #expect(words.contains("want (locked.py:") || mode.hasPrefix("condition"), "\(words)")
        #expect(words.contains("for a Python lock"), "\(words)")
        if isKnown {
          let holder = mode.hasPrefix("main") ? "the main thread" : "\"holder\""
          #expect(words.contains("held by \(holder)"), "\(words)")
          #expect(words.contains("rest (locked.py:"), "\(words)")
        }
      }
      try program.assertUntouched()
      program.kill()
      expectNothingLeftBehind()
    }

    @Test(arguments: Interpreter.onePerVersion)
    func `of two threads that each hold the other's lock is a deadlock`(
      interpreter: Interpreter
    ) throws {
      let program = try interpreter.start("locked.py", ["crossed", "sleep"])
      try waitUntil("both wait") {
        try SprofCommand.report(["dump", "\(program.pid)"]).verdict?.kind == "deadlock"
      }
      try program.assertUntouched()
      program.kill()
      expectNothingLeftBehind()
    }

    private func expect(
      _ hang: HungPython, of program: RunningProgram, in interpreter: Interpreter,
      handler: Bool = false
    ) throws {
      let attach = ["attach", "\(program.pid)", "--duration"]
      var report = try SprofCommand.report(attach + ["2s"])
      // On a machine that is busy with other things it takes more time to be sure.
      if !hang.kinds.contains(report.verdict?.kind ?? "") {
        report = try SprofCommand.report(attach + ["8s"])
      }
      let verdict = try #require(report.verdict)
      let words = "\(interpreter), \(hang.mode): \([verdict.words] + verdict.chainWords)"
      #expect(hang.kinds.contains(verdict.kind), "\(words)")
      #expect(verdict.ring == (hang.mode == "deadlock"), "\(words)")
      #expect(verdict.tid == program.pid, "\(words)")
      let all = ([verdict.words] + verdict.chainWords).joined(separator: "\n")
      for needle in hang.words { #expect(all.contains(needle), "\(words)") }
      // The line is the one that the handler is in, by the source itself.
      let frames = try report.frames(of: try report.heaviestRun(of: try report.thread()))
      let place = try #require(frames.first { $0.function == hang.function }, "\(words)")
      #expect(place.file?.hasSuffix("window.py") == true)
      let places = try lines(of: "python/window.py", containing: hang.line)
      #expect(places.contains { abs($0 - (place.line ?? 0)) <= hang.spread }, "\(words)")
      let clicked = try #require(frames.first { $0.function == "on_clicked" }, "\(words)")
      let call = try lines(of: "python/window.py", containing: "loop_for_ever, \"c\":")
      #expect(call.contains(clicked.line ?? 0), "\(words)")
      if handler {
        #expect(verdict.handlerFunction == "on_clicked", "\(words)")
        #expect(verdict.handlerFile?.hasSuffix("window.py") == true, "\(words)")
        #expect(call.contains(verdict.handlerLine ?? 0), "\(words)")
      }
      try program.assertUntouched()
      program.kill()
      expectNothingLeftBehind()
    }
  }
}

/// A way to hang of `window.py`, and what has to be said of it.
struct HungPython: Sendable, CustomTestStringConvertible {
  let mode: String
  let kinds: Set<String>
  /// What stands in the verdict or in the lines of its chain.
  let words: [String]
  /// The innermost function of Python, and the line in it, give or take a few.
  let function: String
  let line: String
  var spread = 0

  var testDescription: String { mode }

  static let deadlock = HungPython(
    mode: "deadlock", kinds: ["deadlock"],
    words: [
      "take_mutex (window.py:", "Python's global interpreter lock", "held by \"journal\"",
      "held by the main thread", "post_journal (window.py:",
    ], function: "take_mutex", line: "holding.pthread_mutex_lock(mutex)")

  static let all = [
    HungPython(
      mode: "python", kinds: ["busy_loop"], words: ["loop_for_ever (window.py:"],
      function: "loop_for_ever", line: "        turns += 1", spread: 1),
    HungPython(
      mode: "c", kinds: ["hung_on_io"],
      words: ["read_answer (window.py:", "to read from a pipe", "\"backend\""],
      function: "read_answer", line: "libc.read(answers"),
    deadlock,
  ]
}
