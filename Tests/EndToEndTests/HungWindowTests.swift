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
      let program = try RunningProgram(
        fixture: "gtk_hang.c", [mode],
        flags: ["-g", "-O1"] + Fixture.flags(forLibrary: "gtk+-3.0"),
        environment: ["DISPLAY": server.display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"])
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
  }
}
