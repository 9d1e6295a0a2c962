import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `What make install installs` {
    private static let commands = [
      "attach", "dump", "run", "watch", "top", "report", "export", "merge", "compare", "doctor",
    ]

    @Test func `has a manual page with every option that the help has`() throws {
      let page = try SprofCommand.run(["manual"]).stdout.replacing("\\-", with: "-")
      #expect(page.hasPrefix(".TH SPROF 1"))
      for command in Self.commands {
        #expect(page.contains(".SS sprof \(command)\n"))
        let help = try SprofCommand.run(["help", command]).stdout
        let options = help.matches(of: /^  (?:-[a-z], )?(--[a-z-]+)/.anchorsMatchLineEndings())
        #expect(!options.isEmpty, "\(command)")
        for option in options where !["--version", "--help"].contains(option.1) {
          #expect(page.contains("\\fB\(option.1)\\fR"), "\(command) \(option.1)")
        }
      }
    }

    @Test(.enabled(if: Tool.isInstalled("groff"), "needs groff"))
    func `has a manual page that groff takes without a warning`() throws {
      let page = try SprofCommand.run(["manual"]).stdout
      let outcome = try run(["groff", "-man", "-Tutf8", "-ww", "-rLL=80n", "-P-cbu"], stdin: page)
      #expect(outcome.status == 0)
      #expect(outcome.stderr.isEmpty, "\(outcome.stderr)")
      let plain = outcome.stdout.replacing(/\u{1B}\[[0-9;]*m/, with: "")
      #expect(plain.contains("SYNOPSIS"))
      // An example is not broken.
      for line in plain.split(separator: "\n") where !line.contains("  sprof ") {
        #expect(line.count <= 80, "\(line)")
      }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `offers processes by number and name`(shell: String) throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let outcome = try run(
        [
          SprofCommand.path, "---completion", "dump", "--", "positional@0", "2", "0", "sprof",
          "dump", "",
        ],
        environment: ["SAP_SHELL": shell])
      let lines = outcome.stdout.split(separator: "\n").map(String.init)
      switch shell {
      case "zsh": #expect(lines.contains("\(program.pid):sleepers"), "\(lines)")
      case "fish": #expect(lines.contains("\(program.pid)\tsleepers"), "\(lines)")
      default: #expect(lines.contains("\(program.pid)") && lines.contains("sleepers"), "\(lines)")
      }
      // A kernel thread runs no program.
      #expect(!lines.contains { $0.hasSuffix("kthreadd") })
    }

    @Test(arguments: [
      (["attach", "4242", "-o", "slow"], ["slow.pb.gz", "slower"]),
      (["dump", "4242", "--output", "slow."], ["slow.pb.gz"]),
      (["compare", "slow"], ["slow.pb.gz", "slower"]),
      (["compare", "slow.pb.gz", "slowe"], ["slower"]),
      (["compare", "--before", "slowe"], ["slower"]),
      (["report", "slow."], ["slow.pb.gz"]), (["run", "--report", "slowe"], ["slower"]),
      (["watch", "4242", "--dir", "sprofd"], ["sprofdir"]),
      (["run", "sprof-test-to"], ["sprof-test-tool"]),
      (["run", "--rate", "100", "sprof-test-to"], ["sprof-test-tool"]),
      (["run", "--", "sprof-test-to"], ["sprof-test-tool"]),
      (["run", "sprofd"], ["sprofdir/"]),
      (["run", "sprofdir/sprof-test-to"], ["sprofdir/sprof-test-tool"]),
      (["run", "--", "make", "sprof-test-to"], []), (["run", "--", "cat", "slowe"], ["slower"]),
    ])
    func `offers files and commands in bash`(words: [String], expected: [String]) throws {
      let folder = try TemporaryFolder()
      for name in ["slow.pb.gz", "slower", "other"] {
        try Data().write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
      }
      let bin = folder.path + "/sprofdir"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: false)
      let tool = bin + "/sprof-test-tool"
      #expect(
        FileManager.default.createFile(
          atPath: tool, contents: nil, attributes: [.posixPermissions: 0o755]))
      let line = (["sprof"] + words).joined(separator: " ")
      let script = """
        cd "$1" && PATH="$1/sprofdir:$PATH"
        source <("$0" --generate-completion-script bash)
        COMP_LINE="$2" COMP_POINT=${#2} COMP_WORDS=($2)
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_WORDS[0]=$0
        compopt() { :; }
        _sprof sprof "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
        """
      let outcome = try run(["bash", "-c", script, SprofCommand.path, folder.path, line])
      let offered = Set(outcome.stdout.split(separator: "\n").map(String.init))
      #expect(offered == Set(expected), "\(outcome.stderr)")
    }

    @Test func `names version, build and libraries`() throws {
      let lines = try SprofCommand.run(["--version"]).stdout.split(separator: "\n")
      #expect(lines.count == 3)
      #expect(lines.first?.hasPrefix("sprof ") == true)
      #expect(lines.last?.contains("libdw") == true && lines.last?.contains("libunwind") == true)
    }

    @Test(
      .enabled(
        if: FileManager.default.fileExists(atPath: "/var/lib/dpkg/info"), "needs Debian's packages")
    )
    func `takes no file of a package`() throws {
      let script = Repository.path("scripts/check-owners.sh")
      let owned = try run(["sh", script, "/usr/bin/dpkg-query"])
      #expect(owned.status == 1)
      #expect(owned.stderr.contains("package dpkg"))
      #expect(
        try run(["sh", script, "/usr/bin/dpkg-query"], environment: ["DESTDIR": "/x"]).status == 0)
      #expect(try run(["sh", script, "/usr/local/bin/no-such-file"]).status == 0)
    }
  }
}
