import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Real programs, watched by sprof without a stop, then by gdb.
  @Suite(.enabled(if: Debugger.isInstalled, "needs gdb")) struct `Frames are those of gdb` {
    @Test func `in a program with eight threads`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7"])
      try expectSameFrames(program.pid)
    }

    @Test(.enabled(if: Tool.isInstalled("redis-server"), "needs redis-server"))
    func `in redis-server`() throws {
      let server = try RedisServer()
      try expectSameFrames(server.pid)
    }

    @Test(.enabled(if: Tool.isInstalled("postgres"), "needs PostgreSQL"))
    func `in PostgreSQL and its workers`() throws {
      let server = try PostgresServer()
      let workers = server.processes
      #expect(workers.count > 2)
      for pid in workers { try expectSameFrames(pid) }
    }

    @Test(
      .enabled(
        if: XServer.isInstalled && Tool.hasLibrary("gtk+-3.0"), "needs Xvfb and GTK 3's headers"))
    func `in a window that hangs`() throws {
      let server = try XServer()
      let program = try RunningProgram(
        fixture: "gtk_hang.c", ["lock"],
        flags: ["-g", "-O1"] + Fixture.flags(forLibrary: "gtk+-3.0"),
        environment: ["DISPLAY": server.display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"])
      try expectSameFrames(program.pid)
    }

    @Test(.enabled(if: systemPython != nil, "needs python3 of the distribution"))
    func `in python3`() throws {
      let python = try #require(systemPython)
      let code = """
        import sys, threading
        event = threading.Event()
        for _ in range(3): threading.Thread(target=event.wait, daemon=True).start()
        print("ready", flush=True)
        sys.stdin.read()
        """
      let program = try RunningProgram([python, "-c", code])
      try expectSameFrames(program.pid)
    }

    private static let hasDebugFiles = FileManager.default.fileExists(
      atPath: "/usr/lib/debug/.build-id")

    @Test(.enabled(if: hasDebugFiles, "needs libc6-dbg"))
    func `with their lines and inlined functions, from the C library's debug file`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["7"])
      try expectSameLines(program.pid)
    }

    @Test(
      .enabled(if: hasDebugFiles && Tool.isInstalled("redis-server"), "needs libc6-dbg and redis"))
    func `with their lines and inlined functions in redis-server`() throws {
      let server = try RedisServer()
      try expectSameLines(server.pid)
    }

    @Test(.enabled(if: hasDebugFiles && systemPython != nil, "needs libc6-dbg and python3"))
    func `with their lines and inlined functions in python3`() throws {
      let python = try #require(systemPython)
      let program = try RunningProgram([
        python, "-c", "import sys; print('ready', flush=True); sys.stdin.read()",
      ])
      try expectSameLines(program.pid)
    }

    /// Compares the lines of every frame of blocked threads, and which frames are inlined.
    ///
    /// Names are compared for inlined functions only: of several symbols at one place, and of one with
    /// parameters, the two show different ones.
    private func expectSameLines(_ pid: Int32) throws {
      let report = try SprofCommand.report(["dump", "\(pid)", "--internals"])
      let theirs = try Debugger.allFrames(of: pid)
      var compared = 0
      for thread in report.threads {
        let run = try report.heaviestRun(of: thread)
        guard run.activity == "blocked", let expected = theirs[thread.tid] else { continue }
        let own = try report.frames(of: run).filter { $0.inlined || $0.address != nil }
        func text(_ function: String, _ line: Int, _ isInlined: Bool) -> String {
          isInlined ? "\(function) (inlined):\(line)" : "\(line)"
        }
        let left = own.map { text($0.function, $0.line ?? 0, $0.inlined) }
        let right = expected.map { text($0.function, $0.line, $0.isInlined) }
        #expect(left == right, "\(own.map(\.function)) \(expected.map(\.function))")
        compared += own.filter { ($0.line ?? 0) > 0 }.count
      }
      #expect(compared > 2)
    }

    /// Compares every blocked thread; some again, when the program moved between the two samples.
    private func expectSameFrames(_ pid: Int32) throws {
      var differences: [String] = []
      for _ in 0..<4 {
        differences = try self.differences(pid)
        if differences.isEmpty { break }
      }
      #expect(differences == [])
    }

    private func differences(_ pid: Int32) throws -> [String] {
      let report = try SprofCommand.report(["dump", "\(pid)", "--internals"])
      let space = try AddressSpace(pid: pid)
      let theirs = try Debugger.frames(of: pid)
      var compared = 0
      var result: [String] = []
      for thread in report.threads {
        let run = try report.heaviestRun(of: thread)
        guard run.activity == "blocked", let expected = theirs[thread.tid] else { continue }
        compared += 1
        // A debugger knows machine code only.
        let own = try report.frames(of: run).filter { !$0.inlined && $0.address != nil }
        let different = zip(own, expected).first { !matches($0, $1, report, space) }
        let same = own.count == expected.count && different == nil
        guard !same else { continue }
        let left = own.map(\.function).joined(separator: " < ")
        let right = expected.map(\.function).joined(separator: " < ")
        let first = different.map { own, other in
          let module = own.module.map { report.modules[$0].path } ?? "no module"
          let place = space.place(of: other.pc).map { "\($0.path) \($0.address)" } ?? "nowhere"
          return "\(own.function) in \(module) \(own.address?.value ?? 0) is not \(place)"
        }
        result.append(
          "\(thread.name) (\(run.end)): sprof \(left), gdb \(right); \(first ?? "other length")")
      }
      if compared == 0 { result.append("no blocked thread to compare") }
      return result
    }

    /// Whether both name one place; a return address is stored as the byte before it.
    private func matches(
      _ own: Report.Frame, _ other: Debugger.Frame, _ report: Report, _ space: AddressSpace
    ) -> Bool {
      guard let place = space.place(of: other.pc), let address = own.address?.value,
        let module = own.module, report.modules.indices.contains(module)
      else { return false }
      return report.modules[module].path == place.path
        && (address == place.address || address &+ 1 == place.address)
    }
  }
}

/// Not one of a version manager, whose launcher is a shell script.
private let systemPython: String? = ["/usr/bin/python3"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}
