import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(
    .enabled(if: JavaRelease.isThere, "needs a JDK"),
    .enabled(if: !JavaRelease.withWindows.isEmpty, "needs a JDK with windows"),
    .enabled(if: XServer.isInstalled, "needs Xvfb"))
  struct `A Java program with a window` {
    @Test(
      arguments: JavaRelease.withWindows,
      [("monitor", "Hung: "), ("deep", "Hung: "), ("socket", "Hung: "), ("loop", "Busy loop")])
    func `whose handler does not come back is said to hang there`(
      java: JavaRelease, hang: (kind: String, verdict: String)
    ) throws {
      let server = try XServer()
      // 5,000 calls of the interpreter take half a megabyte, more than is copied of a stack at first.
      let flags = hang.kind == "deep" ? ["-Xint", "-Xss4m"] : []
      let program = try java.start(
        "Window", [hang.kind], flags: flags, environment: ["DISPLAY": server.display])
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "1600ms"])
      let text = outcome.plainWords
      #expect(text.hasPrefix(hang.verdict), "\(java) \(hang.kind): \(text.prefix(900))")
      let (function, comment) =
        switch hang.kind {
        case "monitor", "deep": ("Window.save", "waits for the ledger")
        case "socket": ("Window.load", "reads from the socket")
        default: ("Window.count", "counts for ever")
        }
      let line = try #require(try lines(of: "java/Window.java", containing: comment).first)
      #expect(text.contains("\(function) (Window.java:\(line))"), "\(text.prefix(900))")
      #expect(text.contains("AWT's event queue"))
      if hang.kind == "monitor" || hang.kind == "deep" {
        #expect(text.contains("the monitor of a Window$Ledger, held by \"holder\""))
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withWindows)
    func `without events is idle`(java: JavaRelease) throws {
      let server = try XServer()
      let program = try java.start("Window", ["none"], environment: ["DISPLAY": server.display])
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "3s"])
      let text = outcome.plainWords
      #expect(text.hasPrefix("Idle: "), "\(java): \(text.prefix(900))")
      #expect(text.contains("AWT's event queue"))
      try program.assertUntouched()
      program.kill()
    }
  }
}

extension EndToEnd {
  @Suite struct `Java without HotSpot` {
    @Test func `shows native frames, and says so`() throws {
      let program = try RunningProgram(fixture: "java/nativeimage.c")
      let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
      let text = outcome.plainWords
      #expect(text.contains("Native frames only"), "\(text.prefix(900))")
      #expect(text.contains("GraalVM native image"))
      #expect(text.contains("pause"))
      try program.assertUntouched()
      program.kill()
    }
  }
}
