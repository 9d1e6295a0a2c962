import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
  /// Programs whose code, stack or names are not where those of most are.
  @Suite struct `Every frame has its name` {
    @Test(arguments: [
      (
        "handler",
        ["inner", "outer", "handler", "__restore_rt", "interrupted", "on_signal", "main"]
      ),
      (
        "same-stack",
        ["inner", "outer", "handler", "__restore_rt", "interrupted", "on_signal", "main"]
      ),
      ("memory", ["inner", "outer", "main"]), ("moved", ["inner", "outer", "main"]),
      ("coroutine", ["inner", "outer", "coroutine", "__start_context"]),
    ])
    func `wherever its code and its stack are`(mode: String, expected: [String]) throws {
      let program = try RunningProgram(
        fixture: "elsewhere.c", [mode], flags: ["-g", "-O1", "-fno-optimize-sibling-calls"])
      try program.awaitSleep()
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      let run = try report.heaviestRun(of: try #require(report.threads.first))
      let functions = try report.frames(of: run).filter { !$0.inlined }.map(\.function)
      let own = functions.filter { expected.contains($0) }
      #expect(own == expected, "\(functions)")
      #expect(run.end == "complete", "\(run.end)")
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("setpriv"), "needs root and setpriv"))
    func `of a replaced program, for an ordinary user`() throws {
      let folder = try TemporaryFolder()
      let built = try Fixture.compile(source: "elsewhere.c")
      let path = folder.path + "/program"
      try FileManager.default.copyItem(atPath: built, toPath: path)
      let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      let program = try RunningProgram(user + [path])
      try program.awaitSleep()
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(atPath: "/bin/sh", toPath: path)
      let outcome = try run(user + [SprofCommand.path, "dump", "\(program.pid)", "--json"])
      let report = try Report(outcome)
      let first = try report.heaviestRun(of: try #require(report.threads.first))
      let functions = try report.frames(of: first).map(\.function)
      #expect(functions.contains("inner") && functions.contains("main"), "\(functions)")
      try program.assertUntouched()
    }

    @Test(.enabled(if: Tool.isInstalled("node"), "needs node"))
    func `that node has compiled, from its own map`() throws {
      // node writes a log, too, into its working directory.
      let folder = try TemporaryFolder()
      let program = try RunningProgram([
        "sh", "-c", "cd \(folder.path) && exec node --perf-basic-prof -e '\(Self.script)'",
      ])
      defer { unlink("/tmp/perf-\(program.pid).map") }
      let report = try SprofCommand.report(
        ["attach", "\(program.pid)", "--duration", "1s", "--thread", "main"])
      let functions = Set(report.frames.map(\.function))
      #expect(functions.contains("spinning"), "\(functions)")
      try program.assertUntouched()
    }

    private static let script = """
      function spinning(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) ^ s; return s }
      console.log("ready");
      for (;;) spinning(1e5);
      """

    @Test func `that is not taken from another user's map`() throws {
      // Code in memory of no file, whose map belongs to somebody else.
      try #require(Repository.isRoot || getuid() != 65534)
      let program = try RunningProgram(fixture: "elsewhere.c", ["plain"])
      let path = "/tmp/perf-\(program.pid).map"
      try "0 ffffffffffffffff stolen\n".write(toFile: path, atomically: false, encoding: .utf8)
      defer { unlink(path) }
      if Repository.isRoot { #expect(chown(path, 65534, 65534) == 0) }
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(!report.frames.contains { $0.function == "stolen" })
    }

    @Test(arguments: Interpreter.onePerVersion.filter { $0.minor >= 12 })
    func `between Python frames, with trampolines for perf`(interpreter: Interpreter) throws {
      let code = """
        import sys
        def keyed(x):
            if x == 50:
                print("ready", flush=True)
                sys.stdin.read()
            return x
        def work():
            sorted(range(100), key=keyed)
        work()
        """
      let program = try RunningProgram(
        interpreter.command + ["-X", "perf", "-c", code], environment: interpreter.environment)
      defer { unlink("/tmp/perf-\(program.pid).map") }
      try program.awaitSleep()
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      let run = try report.heaviestRun(of: try #require(report.threads.first))
      let functions = try report.frames(of: run).map(\.function)
      let inner = try #require(functions.firstIndex(of: "keyed"), "\(functions)")
      let outer = try #require(functions.firstIndex(of: "work"), "\(functions)")
      // What sorts is between them, if it has a name; the trampolines are not.
      #expect(outer > inner + (interpreter.hasSymbols ? 1 : 0), "\(functions)")
      #expect(!functions.contains { $0.hasPrefix("py::") }, "\(functions)")
      #expect(run.end == "complete", "\(functions)")
      try program.assertUntouched()
    }
  }

  @Suite(.enabled(if: Tool.isInstalled("objcopy"), "needs binutils"))
  struct `Names that are added to a capture` {
    /// Captures a stripped program whose debug file is elsewhere, and gives the capture's path and the
    /// folder with the debug file.
    private func capture(
      _ folder: TemporaryFolder, _ options: [String] = []
    ) throws -> (file: String, root: String) {
      let built = try Fixture.compile(
        source: "elsewhere.c", flags: ["-g", "-O1", "-Wl,--build-id"])
      let path = folder.path + "/program"
      let notes = try run(["readelf", "-n", built]).stdout
      let id = try #require(
        notes.split(separator: "\n").first { $0.contains("Build ID") }?
          .split(separator: " ").last)
      let place = "\(folder.path)/root/usr/lib/debug/.build-id/\(id.prefix(2))"
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      for command in [
        ["objcopy", "--only-keep-debug", built, "\(place)/\(id.dropFirst(2)).debug"],
        ["strip", "-o", path, built],
      ] {
        #expect(try run(command).status == 0)
      }
      let program = try RunningProgram([path])
      try program.awaitSleep()
      let file = folder.path + "/bare.pb.gz"
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "-o", file] + options)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(!outcome.stdout.contains("inner"))
      return (file, folder.path + "/root")
    }

    @Test func `are those of the program's own debug data`() throws {
      let folder = try TemporaryFolder()
      let (file, root) = try capture(folder)
      let named = folder.path + "/named.pb.gz"
      let outcome = try SprofCommand.run(["symbols", file, "-o", named, "--root", root])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("program: "), "\(outcome.stdout)")
      let text = try SprofCommand.run(["report", named]).stdout
      for name in ["inner", "outer", "main", "elsewhere.c"] {
        #expect(text.contains(name), "\(text)")
      }
      // Nothing is lost where nothing is found.
      let again = folder.path + "/again.pb.gz"
      #expect(try SprofCommand.run(["symbols", named, "-o", again]).status == 0)
      #expect(try SprofCommand.run(["report", again]).stdout == text)
      expectError(
        try SprofCommand.run(["symbols", file, "-o", named]), code: ExitCode.cannotWrite,
        naming: ["named.pb.gz"])
    }

    /// Runs `sprof symbols --debuginfod` with a cache of its own.
    private func fetch(
      _ file: String, _ folder: TemporaryFolder, from server: String, _ options: [String] = []
    ) throws -> CommandOutcome {
      let number = UUID().uuidString.prefix(8)
      return try run(
        [
          "env", "DEBUGINFOD_URLS=\(server)",
          "DEBUGINFOD_CACHE_PATH=\(folder.path)/cache-\(number)",
          SprofCommand.path, "symbols", file, "-o", "\(folder.path)/named.pb.gz", "--force",
          "--debuginfod",
        ] + options)
    }

    @Test(.enabled(if: Tool.isInstalled("debuginfod"), "needs debuginfod"))
    func `come from a server when it is asked for`() throws {
      let folder = try TemporaryFolder()
      let (file, root) = try capture(folder)
      let port = 20_000 + Int.random(in: 0..<20_000)
      let server = try RunningProgram(
        [
          "debuginfod", "-p", "\(port)", "-d", ":memory:", "-t", "1", "-F",
          "\(root)/usr/lib/debug/.build-id",
        ], ready: nil, environment: ["HOME": folder.path])
      try waitUntil("the server knows the file", deadline: .seconds(30)) {
        let outcome = try fetch(file, folder, from: "http://127.0.0.1:\(port)")
        #expect(outcome.status == 0, "\(outcome.stderr)")
        return outcome.stdout.contains("got names or lines")
          && outcome.stdout.contains("program: ")
          && !outcome.stdout.contains("program: 3 frames, no file")
      }
      let text = try SprofCommand.run(["report", folder.path + "/named.pb.gz"]).stdout
      for name in ["inner", "outer", "elsewhere.c"] { #expect(text.contains(name), "\(text)") }
      server.kill()
    }

    @Test func `are done without where the server is down, or never answers`() throws {
      let folder = try TemporaryFolder()
      let (file, _) = try capture(folder)
      let down = try fetch(file, folder, from: "http://127.0.0.1:1")
      #expect(down.status == 0, "\(down.stderr)")
      #expect(down.stdout.contains("note: no more debug data was fetched"), "\(down.stdout)")
      let silent = try RunningProgram([
        "python3", "-c",
        """
        import socket, time
        server = socket.create_server(("127.0.0.1", 0))
        print(server.getsockname()[1])
        print("ready", flush=True)
        time.sleep(1000)
        """,
      ])
      let port = try #require(silent.greeting.first)
      let start = ContinuousClock.now
      let late = try fetch(
        file, folder, from: "http://127.0.0.1:\(port)", ["--fetch-timeout", "1s"])
      #expect(late.status == 0, "\(late.stderr)")
      #expect(late.stdout.contains("--fetch-timeout"), "\(late.stdout)")
      #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func `need servers to be fetched from`() throws {
      let folder = try TemporaryFolder()
      let (file, _) = try capture(folder)
      let outcome = try run(
        [
          "env", "-u", "DEBUGINFOD_URLS", SprofCommand.path, "symbols", file, "-o",
          folder.path + "/named.pb.gz", "--debuginfod",
        ])
      expectError(outcome, code: ExitCode.usage, naming: ["DEBUGINFOD_URLS"])
    }
  }
}
