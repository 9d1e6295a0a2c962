import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(
    .enabled(
      if: XServer.isInstalled && Tool.isInstalled("xdotool") && Tool.hasLibrary("x11"),
      "needs Xvfb, xdotool and libX11's headers"))
  struct `A click at a window` {
    private let server: XServer
    private let folder: TemporaryFolder

    init() throws {
      server = try XServer()
      folder = try TemporaryFolder()
    }

    /// A program with a window at the upper left corner, 200 by 100.
    private func window(
      _ arguments: [String], before: [String] = [], fixture: String = "window.c"
    ) throws -> RunningProgram {
      let path = try Fixture.compile(
        source: fixture, compiler: "cc", flags: ["-g", "-O1"] + Fixture.flags(forLibrary: "x11"))
      return try RunningProgram(
        before + [path] + arguments, environment: ["DISPLAY": server.display])
    }

    /// `sprof` when it waits for the click; its stderr is what the test reads.
    private func sprof(_ arguments: [String], before: [String] = []) throws -> RunningProgram {
      try RunningProgram(
        before + ["/bin/sh", "-c", "exec \"$@\" 2>&1 >\(folder.path)/output", "-"]
          + [SprofCommand.path] + arguments,
        ready: "sprof: Click the window of the program that hangs (Esc cancels).",
        environment: ["DISPLAY": server.display, "WAYLAND_DISPLAY": ""])
    }

    private func output() throws -> String {
      try String(contentsOfFile: folder.path + "/output", encoding: .utf8)
    }

    private func xdotool(_ arguments: String...) throws {
      let outcome = try run(["xdotool"] + arguments, environment: ["DISPLAY": server.display])
      #expect(outcome.status == 0, "\(outcome.stderr)")
    }

    private func click(_ x: Int = 100, _ y: Int = 50, button: Int = 1) throws {
      try xdotool("mousemove", "\(x)", "\(y)", "click", "\(button)")
    }

    @Test(arguments: [["dump"], ["attach", "--duration", "200ms"]])
    func `names the program, and samples it`(arguments: [String]) throws {
      let program = try window(["Mail"])
      let command = try sprof(arguments + ["--window", "--json"])
      try click()
      let line = try command.readLine()
      #expect(line.hasPrefix("sprof: The window \"Mail\" belongs to window"), "\(line)")
      #expect(line.hasSuffix(" (PID \(program.pid))."), "\(line)")
      #expect(try command.waitForEnd() == .exit(0))
      #expect(try Report(json: try output()).capture.pid == program.pid)
      try program.assertUntouched()
    }

    @Test func `names a program that watch waits to freeze`() throws {
      let program = try window(["Mail"])
      let command = try sprof(
        ["watch", "--window", "--for", "100ms", "--dir", folder.path + "/freezes"])
      try click()
      #expect(try command.readLine().hasSuffix(" (PID \(program.pid))."))
      #expect(try command.waitForEnd() == .exit(0))
      #expect(try output().contains("\(program.pid)"))
    }

    @Test(arguments: [20, 90])
    func `finds the program within the frame of a window manager`(row: Int) throws {
      let program = try window(["Mail"])
      let manager = try window([], fixture: "window_frame.c")
      let command = try sprof(["dump", "--window", "--json"])
      try click(100, row)
      let line = try command.readLine()
      #expect(line.hasSuffix(" (PID \(program.pid))."), "\(line)")
      #expect(try command.waitForEnd() == .exit(0))
      try manager.assertUntouched()
    }

    @Test(
      .enabled(if: Tool.hasLibrary("gtk+-3.0"), "needs GTK 3's headers"))
    func `finds what a hung program of GTK waits for`() throws {
      let program = try hungWindow(server, "owner")
      let command = try sprof(["dump", "--window"])
      try click(10, 10)
      #expect(try command.readLine().hasSuffix(" (PID \(program.pid))."))
      #expect(try command.waitForEnd() == .exit(0))
      #expect(try output().contains("held by \"holder\""))
      try program.assertUntouched()
    }

    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("unshare"), "needs root and unshare"))
    func `finds a program in a container by its number here`() throws {
      let unshare = try window(
        ["Mail", "5d41402abc4b", "1"], before: ["unshare", "--pid", "--fork", "--kill-child"])
      let pid = try #require(children(of: unshare.pid).first)
      let command = try sprof(["dump", "--window", "--json"])
      try click()
      let line = try command.readLine()
      #expect(line.contains(" (PID \(pid), which is 1 in a PID namespace of its own"), "\(line)")
      #expect(try command.waitForEnd() == .exit(0))
      #expect(try Report(json: try output()).capture.pid == pid)
    }

    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("unshare"), "needs root and unshare"))
    func `says that a program is outside of the container that sprof is in`() throws {
      let host = try run(["uname", "-n"]).stdout.split(separator: "\n").joined()
      let program = try window(["Mail", host, "424242"])
      let command = try sprof(
        ["dump", "--window"],
        before: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
      try click()
      let line = try command.readLine()
      #expect(line.contains("belongs to process 424242 of another PID namespace"), "\(line)")
      #expect(try command.waitForEnd() == .exit(ExitCode.noTarget))
      try program.assertUntouched()
    }

    @Test func `refuses a program of another host`() throws {
      let program = try window(["Mail", "server.example.org", "1"])
      let command = try sprof(["dump", "--window"])
      try click()
      #expect(
        try command.readLine()
          == "sprof: The window \"Mail\" belongs to a program on the host server.example.org. "
          + "Run sprof there.")
      #expect(try command.waitForEnd() == .exit(ExitCode.noTarget))
      try program.assertUntouched()
    }

    @Test func `beside all windows is said to be`() throws {
      let command = try sprof(["attach", "--window"])
      try click(600, 400)
      #expect(try command.readLine().contains("(the root window), which is no program's."))
      #expect(try command.waitForEnd() == .exit(ExitCode.noTarget))
    }

    @Test func `can be cancelled, and is once the pointer is free`() throws {
      let first = try sprof(["attach", "--window"])
      let second = try run(
        [SprofCommand.path, "attach", "--window"], environment: ["DISPLAY": server.display])
      #expect(second.status == ExitCode.noTarget)
      #expect(second.stderr.contains("keeps the mouse pointer to itself"), "\(second.stderr)")
      try xdotool("key", "Escape")
      #expect(try first.readLine() == "sprof: Cancelled: no window was clicked.")
      #expect(try first.waitForEnd() == .exit(130))
      let third = try sprof(["attach", "--window"])
      try click(button: 3)
      #expect(try third.waitForEnd() == .exit(130))
    }
  }

  @Suite struct `Without an X server` {
    @Test(arguments: [
      (["DISPLAY": "", "WAYLAND_DISPLAY": ""], "DISPLAY is not set"),
      (["DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"], "Wayland lets no program ask"),
    ])
    func `--window says what to do`(environment: [String: String], words: String) throws {
      let outcome = try run(
        [SprofCommand.path, "attach", "--window"], environment: environment)
      expectError(outcome, code: ExitCode.noTarget, naming: [words, "sprof attach PID"])
    }

    @Test(.enabled(if: XServer.isInstalled, "needs Xvfb"))
    func `of that number, or without its library, --window says so`() throws {
      let folder = try TemporaryFolder()
      let server = try XServer()
      let command = [SprofCommand.path, "dump", "--window"]
      let wrong = try run(command, environment: ["DISPLAY": "/nowhere" + server.display])
      expectError(
        wrong, code: ExitCode.noTarget, naming: ["Cannot connect", "sprof dump PID"])
      try Data().write(to: URL(fileURLWithPath: folder.path + "/libxcb.so.1"))
      let bare = try run(
        command, environment: ["DISPLAY": server.display, "LD_LIBRARY_PATH": folder.path])
      expectError(bare, code: ExitCode.noTarget, naming: ["libxcb.so.1", "apt install libxcb1"])
    }
  }
}
