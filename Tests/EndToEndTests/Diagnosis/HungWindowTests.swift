import TestSupport
import Testing

extension EndToEnd {
  @Suite(
    .enabled(
      if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
  struct `A window that hangs` {
    @Test(arguments: [
      ("lock", "wait_for_lock"), ("read", "read_answer"), ("sleep", "sleep_long"),
    ])
    func `is explained by its handler, file and line, without a stop`(
      mode: String, function: String
    ) throws {
      let server = try XServer()
      let program = try hungWindow(server, mode)
      let report = try SprofCommand.report(["attach", "\(program.pid)", "--duration", "2s"])

      #expect(report.cost.stops == 0)
      let frames = try report.frames(of: try report.heaviestRun(of: try report.thread()))
      let names = frames.map(\.function)
      for name in [function, "on_clicked", "main"] { #expect(names.contains(name), "\(names)") }
      let handler = frames.first { $0.function == "on_clicked" }
      #expect(handler?.file?.hasSuffix("gtk_hang.c") == true)
      let call = try lines(of: "gtk_hang.c", containing: "    \(function)();")
      #expect(call.contains(handler?.line ?? 0), "\(call)")
      #expect(try program.figure("interrupted") == 0)
      try program.assertUntouched()
    }

    @Test(arguments: Hang.all)
    func `has the right verdict in two seconds and at one look`(hang: Hang) throws {
      let server = try XServer()
      let program = try hungWindow(server, hang.mode)
      let folder = try TemporaryFolder()
      // The look comes when the window has hung for as long as the capture took.
      for command in [["attach", "--duration", "2s"], ["dump"]] {
        let file = folder.path + "/" + command[0]
        let begin = (time: ContinuousClock.now, delay: runDelay(of: program.pid))
        let outcome = try SprofCommand.run(
          [command[0], "\(program.pid)", "-o", file] + command.dropFirst())
        let delay = runDelay(of: program.pid) - begin.delay
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try SprofCommand.report(["report", file])
        let verdict = try #require(report.verdict)
        let isDump = command[0] == "dump"
        // A loop that a busy machine gives no CPU is starved, and said to be.
        if hang.mode == "loop", verdict.kind == "starved",
          delay > (ContinuousClock.now - begin.time) / 3
        {
          continue
        }
        #expect(verdict.kind == (isDump ? hang.dumpKind : hang.kind), "\(verdict.words)")
        #expect(verdict.ring == (hang.kind == "deadlock"))
        #expect(verdict.tid == program.pid)
        if hang.mode != "loop" { #expect(report.cost.stops == 0) }
        let parts = [verdict.words] + verdict.chainWords
        for (part, needle) in hang.words {
          #expect(parts.indices.contains(part) && parts[part].contains(needle), "\(parts)")
        }
        guard hang.mode != "idle" else { continue }
        #expect(verdict.handlerFunction == "on_clicked")
        #expect(verdict.handlerFile?.hasSuffix("gtk_hang.c") == true)
        let call = try lines(of: "gtk_hang.c", containing: "    \(hang.function)();")
        #expect(call.contains(verdict.handlerLine ?? 0), "\(call)")
        let place = "gtk_hang.c:\(verdict.handlerLine ?? 0)"
        let rows = outcome.stdout.split(separator: "\n")
        #expect(rows.contains { $0.contains(" on_clicked ") && $0.hasSuffix(place) })
      }
      #expect(try program.figure("interrupted") == 0)
      #expect(try program.figure("done") == 0)
      try program.assertUntouched(progress: hang.mode == "loop" ? "turns" : nil)
      expectNothingLeftBehind()
    }
  }
}

/// A way to hang, and what has to be said of it.
struct Hang: Sendable, CustomTestStringConvertible {
  let mode: String
  let function: String
  let kind: String
  let dumpKind: String
  /// What stands in the verdict's sentence, the first, and in the lines of its chain.
  let words: [(Int, String)]

  var testDescription: String { mode }

  init(
    _ mode: String, _ function: String, _ kind: String, dump: String? = nil,
    _ words: [(Int, String)]
  ) {
    self.mode = mode
    self.function = function
    self.kind = kind
    dumpKind = dump ?? kind
    self.words = words
  }

  static let all = [
    Hang(
      "deadlock", "transfer", "deadlock",
      [
        (0, "the main thread"), (0, "\"holder\""), (0, "for each other"),
        (1, "transfer (gtk_hang.c:"), (1, "mutex journal"), (1, "held by \"holder\""),
        (2, "post_journal (gtk_hang.c:"), (2, "mutex accounts"), (2, "held by the main thread"),
      ]),
    Hang(
      "owner", "wait_for_lock", "hung_on_lock",
      [
        (0, "mutex mutex"), (0, "held by \"holder\""), (0, "wait_for_lock (gtk_hang.c:"),
        (0, "on_clicked (gtk_hang.c:"), (2, "\"holder\""), (2, "read_answer (gtk_hang.c:"),
        (2, "to read from a pipe"), (2, "held by \"backend\""),
      ]),
    Hang(
      "loop", "loop_for_ever", "busy_loop", dump: "running",
      [(0, "loop_for_ever (gtk_hang.c:"), (0, "on_clicked (gtk_hang.c:")]),
    Hang(
      "receive", "receive_answer", "hung_on_io",
      [
        (0, "to receive from a TCP socket (fd "), (0, "127.0.0.1:"), (0, "held by \"backend\""),
        (0, "receive_answer (gtk_hang.c:"), (0, "on_clicked (gtk_hang.c:"),
      ]),
    Hang("idle", "", "idle", [(0, "GLib's main loop")]),
  ]
}

/// `gtk_hang`, with its window on a server.
func hungWindow(_ server: XServer, _ mode: String) throws -> RunningProgram {
  try RunningProgram(
    fixture: "gtk_hang.c", [mode],
    flags: ["-g", "-O1"] + Fixture.flags(forLibrary: "gtk+-3.0"),
    environment: ["DISPLAY": server.display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"])
}
