import TestSupport
import Testing

extension EndToEnd {
  @Suite struct Misuse {
    /// What users type, the exit code, and a part of the answer; `$PID` is a program that sleeps.
    private static let table: [([String], Int32, String)] = [
      (["attahc", "4242"], 64, "Did you mean: sprof attach 4242"),
      (["dmp", "4242"], 64, "Did you mean: sprof dump 4242"),
      (["rnu", "--", "make"], 64, "Did you mean: sprof run -- make"),
      (["compaer", "a", "b"], 64, "Did you mean: sprof compare a b"),
      (["record", "-p", "4242"], 64, "Did you mean: sprof attach -p 4242"),
      (["pstack", "4242"], 64, "Did you mean: sprof dump 4242"),
      (["diff", "a.pb.gz", "b.pb.gz"], 64, "Did you mean: sprof compare a.pb.gz b.pb.gz"),
      (["show", "my file"], 64, "Did you mean: sprof report 'my file'"),
      (["4242"], 64, "sprof attach 4242"),
      (["-p", "4242"], 64, "sprof attach -p 4242"),
      (["firefox"], 64, "sprof attach firefox"),
      (["/etc/passwd"], 64, "sprof report /etc/passwd"),
      (
        ["--duration", "5s", "attach", "4242"], 64,
        "Options come after the command: sprof attach --duration 5s 4242"
      ),
      (["attach"], 64, "its PID, such as 4242"),
      (["attach", "-p", "4242", "4242"], 64, "Name one process"),
      (["attach", "-p"], 64, "Missing value"),
      (["attach", "--window", "4242"], 64, "--window finds the process by a click"),
      (["dump", "--window", "-p", "4242"], 64, "--window finds the process by a click"),
      (["watch", "--window", "--", "./server"], 64, "--window finds the process by a click"),
      (["attach", "4242", "4243"], 64, "4243"),
      (["attach", "-d", "1", "4242"], 64, "did you mean 1s?"),
      (["attach", "-d", "0", "4242"], 64, "greater than zero, and at most 30 days"),
      (["attach", "-d", "0s", "4242"], 64, "greater than zero, and at most 30 days"),
      (["attach", "-d", "9999999", "4242"], 64, "30 days"),
      (["attach", "-d", "inf", "4242"], 64, "use a form like"),
      (["attach", "-d", "1m30", "4242"], 64, "1m30s"),
      (["attach", "-d", "30s1m", "4242"], 64, "1m30s"),
      (["attach", "-d", "-5s", "4242"], 64, "greater than zero"),
      (["attach", "-d", "99999h", "4242"], 64, "30 days"),
      (["attach", "-r", "1khz", "4242"], 64, "did you mean 1000?"),
      (["attach", "-F", "0", "4242"], 64, "from 1 to 20000"),
      (["attach", "--max-pause", "25", "4242"], 64, "did you mean 25%?"),
      (["attach", "--durration", "1s", "4242"], 64, "Did you mean '--duration'?"),
      (["attach", "--view", "pie", "4242"], 64, "timeline"),
      (["attach", "--json", "--view", "tree", "4242"], 64, "--json"),
      (["attach", "--brief", "--by", "line", "4242"], 64, "--brief"),
      (["attach", "--open", "4242"], 64, "--open needs --html"),
      (["attach", "--source", "--brief", "4242"], 64, "--source needs"),
      (["report", "x.pb.gz", "--json", "--source"], 64, "--source needs"),
      (["report", "x.pb.gz", "--json", "--by", "line"], 64, "--json"),
      (["report", "x.pb.gz", "--by", "line", "--view", "tree"], 64, "--by"),
      (["report", "x.pb.gz", "--brief", "--html", "x.html"], 64, "--html"),
      (["report", "x.pb.gz", "--html", "x.html", "--sort", "cpu"], 64, "--html"),
      (["report", "x.pb.gz", "--html", "x.html", "--top", "5"], 64, "--html"),
      (["report", "x.pb.gz", "--json", "--top", "5"], 64, "--json writes everything"),
      (["attach", "--json", "--width", "80", "4242"], 64, "--json writes everything"),
      (["dump", "--brief", "--no-native", "4242"], 64, "--brief has a size of its own"),
      (["dump", "--brief", "--all", "4242"], 64, "--brief cannot be combined with --all"),
      (["dump", "--json", "--all", "4242"], 64, "--json writes everything"),
      (["compare", "a.pb.gz", "b.pb.gz", "--width", "10"], 64, "from 60 to 1000"),
      (["compare", "a.pb.gz", "b.pb.gz", "--width", "90", "--json"], 64, "--width"),
      (["dump", "--brief", "--watch", "4242"], 64, "--watch shows what changed"),
      (["dump", "--sort", "cpu", "4242"], 64, "--sort"),
      (["attach", "--source", "--redact", "4242"], 64, "--redact"),
      (["attach", "--source", "--view", "tree", "4242"], 64, "--source needs --view summary"),
      (["attach", "--explain", "--focus", "main", "4242"], 64, "a part of a capture"),
      (["report", "x.pb.gz", "--explain", "--to", "2s"], 64, "a part of a capture"),
      (["report", "x.pb.gz", "--brief", "--state", "blocked"], 64, "--brief writes the verdict"),
      (["report", "x.pb.gz", "--brief", "--json", "--to", "2s"], 64, "a part of a capture"),
      (["report", "x.pb.gz", "--until", "1s", "--to", "2s"], 64, "the same as --until"),
      (["export", "x.pb.gz", "--to", "folded", "--force"], 64, "--force needs --output"),
      (["compare", "a.pb.gz", "b.pb.gz", "--json", "--top", "5"], 64, "--json"),
      (["compare", "a.pb.gz", "b.pb.gz", "--html", "x.html", "--all"], 64, "--html"),
      (["compare", "a.pb.gz", "b.pb.gz", "--allow-missing"], 64, "--allow-missing needs"),
      (["report", "-"], 65, "stdin: it is empty"),
      (["export", "x.pb.gz", "--to", "pie"], 64, "speedscope"),
      (["attach", "$PID", "-d", "100ms", "-o", "-"], 64, "--output needs a file, not -"),
      (["merge", "x.pb.gz", "-o", "-"], 64, "--output needs a file, not -"),
      (["top"], 64, "Name the process"),
      (["top", "--pane", "pie", "4242"], 64, "functions"),
      (["doctor", "4194305"], 66, "ps -e"),
      (["attach", "--force", "4242"], 64, "--force needs --output"),
      (["attach", "--width", "10", "4242"], 64, "from 60 to 1000"),
      (["attach", "--focus", "(", "4242"], 64, "regular expression"),
      (["attach", "--from", "5s", "--until", "2s", "4242"], 64, "earlier"),
      (["attach", "4194305"], 66, "ps -e"),
      (["attach", "no-such-program"], 66, "ps -e"),
      (["attach", "-o", "/no/such/folder/x.pb.gz", "$PID"], 73, "/no/such/folder"),
      (["attach", "-d", "100ms", "-o", "/etc/passwd", "$PID"], 73, "--force"),
      (["attach", "-d", "100ms", "--html", "/etc/passwd", "$PID"], 73, "not a page"),
      (["dump", "--thread", "nosuch", "$PID"], 66, "the threads are"),
      (["dump", "--watch=2", "4242"], 64, "did you mean 2s?"),
      (
        ["attach", "-d", "100ms", "--focus", "nosuch", "$PID"], 66,
        "--focus 'nosuch' leaves nothing"
      ),
      (["attach", "-d", "100ms", "--thread", "nosuch", "$PID"], 66, "No thread matches"),
      (["report"], 64, "Missing expected argument"),
      (["report", "/no/such/file"], 66, "No such file"),
      (["report", "/etc/passwd"], 65, "not a capture"),
      (["report", "/tmp"], 66, "directory"),
      (["export", "x.pb.gz"], 64, "--to"),
      (["merge"], 64, "files"),
      (["run"], 64, "Name the program to start"),
      (["run", "--", "no-such-program"], 127, "no such program"),
      (["run", "--rte", "5", "make"], 64, "put -- before it"),
      (["run", "--rte", "5", "--", "make"], 64, "run has no option --rte. Its options"),
      (["run", "-d", "1s", "--", "make"], 64, "samples until the program ends"),
      (["run", "--duration=1s", "--", "make"], 64, "samples until the program ends"),
      (["watch"], 64, "Name the process to watch"),
      (["compare", "one.pb.gz"], 64, "Give two captures"),
      (
        ["compare", "a.pb.gz", "b.pb.gz", "--freeze", "1s"], 64, "compare has no option --freeze; "
      ),
      (["compare", "a.pb.gz", "b.pb.gz", "--sort=cpu"], 64, "compare has no option --sort; "),
      (["compare", "a.pb.gz", "b.pb.gz", "--markdwon", "1"], 64, "Did you mean '--markdown'?"),
      (["compare", "a.pb.gz", "b.pb.gz", "--wdith", "90"], 64, "Did you mean '--width'?"),
      (["compare", "a.pb.gz", "b.pb.gz", "--freeez", "1s"], 64, "have --freeze."),
      (["dump", "-5"], 64, "A PID is a positive number"),
      (["top", "-5"], 64, "A PID is a positive number"),
      (["attach", "4242", "--top", "-3"], 64, "The value of --top cannot be negative: '-3'."),
      (["top", "4242", "--json"], 64, "sprof dump PID --json"),
      (["dump", "4242", "--duration", "3s"], 64, "sprof attach 4242 --duration 3s"),
      (["dump", "4242", "-d", "3s"], 64, "dump takes one sample"),
      (["dump", "4242", "--thread", "w-["], 64, "which no ']' ends"),
      (["report", "x.pb.gz", "--module", "lib["], 64, "which no ']' ends"),
    ]

    @Test func `is answered with what to type instead`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      for (arguments, code, words) in Self.table {
        let outcome = try SprofCommand.run(
          arguments.map { $0 == "$PID" ? "\(program.pid)" : $0 })
        #expect(outcome.status == code, "\(arguments): \(outcome.stderr)")
        // The parser breaks long lines.
        let answer = outcome.stderr.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(answer.contains(words), "\(arguments): \(outcome.stderr)")
        #expect(outcome.stderr.hasPrefix("sprof: "), "\(arguments): \(outcome.stderr)")
      }
      try program.assertUntouched()
      expectNothingLeftBehind()
    }

    @Test func `of a capture is told from that of a program`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let folder = try TemporaryFolder()
      let dump = folder.path + "/dump.pb.gz"
      #expect(try SprofCommand.run(["dump", "\(program.pid)", "-o", dump]).status == 0)
      let table = [
        (["report", dump, "--sort", "cpu"], "without times. It cannot be combined with --sort."),
        (["report", dump, "--view", "threads", "--sort", "cpu"], "be combined with --sort."),
        (["report", dump, "--by", "function", "--freeze", "1s"], "be combined with --freeze."),
        (["report", dump, "--freeze", "1s", "--source"], "with --freeze, --source."),
        (["top", dump, "--rate", "50"], "which say how to sample"),
      ]
      for (arguments, words) in table {
        let outcome = try SprofCommand.run(arguments)
        expectError(outcome, code: ExitCode.usage, naming: ["\(dump) is a ", words])
      }
      for command in [["report"], ["export", "--to", "folded"]] {
        let late = try SprofCommand.run(
          command + [dump, "--from", "10s", "--until", "12s"])
        expectError(
          late, code: ExitCode.usage,
          naming: ["The capture is only 0.", " s long; --from must be earlier."])
      }
      let views = try SprofCommand.run(["report", dump, "--view", "summary", "--source"])
      #expect(views.status == 0, "\(views.stderr)")
    }

    @Test(arguments: [
      ["attach", "-d", "200ms"], ["attach", "-p", "$PID", "--duration=0m0.2s"],
      ["attach", "-F", "50", "-d", "0.1s100ms"], ["attach", "-r", "50", "-d", "200ms"],
      ["dump", "--pid", "$PID"],
    ])
    func `of other tools' options is none`(arguments: [String]) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let target = arguments.contains("$PID") ? [] : ["\(program.pid)"]
      let report = try SprofCommand.report(
        arguments.map { $0 == "$PID" ? "\(program.pid)" : $0 } + target)
      #expect(report.capture.pid == program.pid)
      try program.assertUntouched()
    }

    @Test(arguments: [["--focus", "nosuch"], ["--thread", "nosuch"], ["--state", "running"]])
    func `of a filter loses no capture`(filter: [String]) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "-d", "200ms"] + filter)
      #expect(outcome.status == ExitCode.noTarget)
      #expect(outcome.stdout.contains("Threads:"), "\(outcome.stdout)")
      #expect(outcome.stderr.contains(filter[0] == "--thread" ? "nosuch" : filter[0]))
      try program.assertUntouched()
    }

    @Test func `of a signal sent twice at once is not taken for a second one`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let outcome = try run(
        ["timeout", "-s", "INT", "2", SprofCommand.path, "attach", "\(program.pid)"])
      #expect(outcome.stdout.contains("sprof attach:"), "\(outcome.stdout) \(outcome.stderr)")
      try program.assertUntouched()
    }

    @Test func `of a terminal is none: long text goes through the pager`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let line = "'\(SprofCommand.path)' dump --all \(program.pid)"
      func shown(_ command: String) throws -> String {
        try run([
          "/bin/sh", "-c",
          "PAGER='sed s/^/PAGED:/' TERM=xterm script -qec \"stty rows 5 cols 80; \(command)\" /dev/null",
        ]).stdout
      }
      #expect(try shown(line).contains("PAGED:"))
      #expect(try !shown(line + " --no-pager").contains("PAGED:"))
      try program.assertUntouched()
    }
  }
}
