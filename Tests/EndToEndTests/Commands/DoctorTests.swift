import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Doctor` {
    private struct Answer: Decodable {
      struct Finding: Decodable {
        let topic: String
        let grade: String
        let text: String
        let fix: String?
      }

      let findings: [Finding]
      let ok: Bool

      func first(_ topic: String) -> Finding? { findings.first { $0.topic == topic } }
    }

    private func ask(_ command: [String]) throws -> (answer: Answer, status: Int32?) {
      let outcome = try run(command + ["--json"])
      return (
        try JSONDecoder().decode(Answer.self, from: Data(outcome.stdout.utf8)), outcome.status
      )
    }

    /// sprof where every user may execute it.
    private func sprofForAll(in folder: TemporaryFolder) throws -> String {
      let path = folder.path + "/sprof"
      try FileManager.default.copyItem(atPath: SprofCommand.path, toPath: path)
      return path
    }

    @Test func `of a machine ends with 0 just when it has no problem`() throws {
      let (answer, status) = try ask([SprofCommand.path, "doctor"])
      #expect(answer.ok == !answer.findings.contains { $0.grade == "problem" })
      #expect(status == (answer.ok ? 0 : 1))
      for topic in ["kernel", "access", "schedstat", "syscall", "libraries"] {
        #expect(answer.first(topic) != nil, "\(topic)")
      }
      #expect(answer.first("libraries")?.text.contains("libdw") == true)
      let text = try SprofCommand.run(["doctor"])
      #expect(text.status == status)
      #expect(text.stdout.contains("Linux"))
    }

    @Test func `finds the threads, the names and the Python of a program`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["3"])
      let (answer, status) = try ask([SprofCommand.path, "doctor", "\(program.pid)"])
      #expect(status == 0)
      #expect(answer.first("access")?.grade == "ok")
      #expect(answer.first("threads")?.text == "all 4 were read")
      let own = answer.findings.first { $0.topic == "names" && $0.text.contains("sleepers") }
      #expect(own?.grade == "ok", "\(answer.findings)")
      try program.assertUntouched()
    }

    @Test func `tells how a stripped program gets names`() throws {
      let path = try Fixture.compile(source: "sleepers.c", flags: ["-s"])
      let program = try RunningProgram([path, "1"])
      let (answer, _) = try ask([SprofCommand.path, "doctor", "\(program.pid)"])
      let own = answer.findings.first { $0.topic == "names" && $0.text.contains("sleepers") }
      #expect(own?.grade == "hint")
      #expect(own?.fix?.contains("-g") == true, "\(answer.findings)")
      try program.assertUntouched()
    }

    @Test func `says that there is no such process`() throws {
      let outcome = try SprofCommand.run(["doctor", "4194303"])
      expectError(outcome, code: ExitCode.noTarget, naming: ["no process"])
    }

    @Test(.enabled(if: canChangeRights, "needs root, setpriv and unshare"))
    func `names the command that lets another user's program be sampled, and it works`() throws {
      let folder = try TemporaryFolder()
      let sprof = try sprofForAll(in: folder)
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let (answer, status) = try ask(asNobody([sprof, "doctor", "\(program.pid)"]))
      #expect(status == ExitCode.noPermission)
      let fix = try #require(answer.first("access")?.fix)
      let command = "sprof attach \(program.pid)"
      #expect(["sudo \(command)", "doas \(command)", "su -c '\(command)'"].contains(fix))
      // This test is root, as that would make it.
      let words = command.split(separator: " ").dropFirst().map(String.init)
      #expect(try SprofCommand.run(words + ["--duration", "200ms"]).status == 0)
      let refused = try run(asNobody([sprof, "attach", "\(program.pid)"]))
      #expect(refused.stderr.contains("sprof doctor \(program.pid)"))
      try program.assertUntouched()
    }

    @Test(
      .enabled(if: canChangeRights, "needs root, setpriv and unshare"), arguments: ["1", "2", "3"])
    func `reads the setting of Yama`(scope: String) throws {
      let folder = try TemporaryFolder()
      let sprof = try sprofForAll(in: folder)
      let (answer, status) = try ask(
        inNamespace(
          "mount -t tmpfs none /proc/sys && mkdir -p /proc/sys/kernel/yama && "
            + "echo \(scope) > /proc/sys/kernel/yama/ptrace_scope", asNobody([sprof, "doctor"])))
      #expect(status == 1)
      #expect(answer.first("access")?.grade == "problem")
      #expect(
        answer.first("access")?.text.contains("ptrace_scope is \(scope)") == true,
        "\(answer.findings)")
      #expect((answer.first("access")?.fix?.contains("sprof attach PID") == true) == (scope != "3"))
    }

    @Test(.enabled(if: canChangeRights, "needs root, setpriv and unshare"))
    func `knows root without the capability, and a container without /proc/sys`() throws {
      let without = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
      let (answer, status) = try ask(without + [SprofCommand.path, "doctor"])
      #expect(status == 1)
      #expect(answer.first("access")?.fix?.contains("--cap-add SYS_PTRACE") == true)
      let (hidden, _) = try ask(
        inNamespace("mount -t tmpfs none /proc/sys", [SprofCommand.path, "doctor"]))
      #expect(hidden.first("yama")?.grade == "hint")
    }

    @Test(.enabled(if: canChangeRights, "needs root, setpriv and unshare"))
    func `knows a kernel without scheduler statistics`() throws {
      let folder = try TemporaryFolder()
      // As such a kernel has it (fs/proc/base.c: proc_pid_schedstat).
      let file = folder.path + "/schedstat"
      try "0 0 0\n".write(toFile: file, atomically: true, encoding: .utf8)
      let (answer, status) = try ask(
        inNamespace(
          "mount --bind '\(file)' /proc/$$/schedstat", [SprofCommand.path, "doctor"]))
      #expect(status == 1)
      #expect(answer.first("schedstat")?.grade == "problem", "\(answer.findings)")
      let (usual, _) = try ask([SprofCommand.path, "doctor"])
      #expect(usual.first("schedstat")?.grade == "ok")
    }

    @Test(.enabled(if: strippedPython != nil, "needs a Python without a symbol table"))
    func `reads a Python without symbols, and knows the package that has them`() throws {
      let python = try #require(strippedPython)
      let program = try RunningProgram(
        [python, "-c", "import time; print('ready', flush=True); time.sleep(900)"])
      let (answer, status) = try ask([SprofCommand.path, "doctor", "\(program.pid)"])
      #expect(status == 0)
      #expect(answer.first("python")?.grade == "ok", "\(answer.findings)")
      #expect(answer.first("python")?.text.contains("frames are read") == true)
      // Its own functions are in stacks where they are asked for; there a debug file would help.
      for finding in answer.findings where finding.topic == "names" && isDebian {
        guard finding.grade == "hint", finding.text.contains("/python3.") else { continue }
        #expect(finding.fix?.contains("apt install python3.") == true, "\(finding)")
        #expect(finding.fix?.hasSuffix("-dbg") == true, "\(finding)")
      }
      try program.assertUntouched()
    }

    @Test(.enabled(if: canChangeRights && isDebian, "needs root, unshare and Debian's packages"))
    func `names the package with the debug file that is missing`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let (answer, _) = try ask(
        inNamespace(
          "mkdir -p /usr/lib/debug && mount -t tmpfs none /usr/lib/debug",
          [SprofCommand.path, "doctor", "\(program.pid)"]))
      // The program itself has the debug files of its own root, which is that of this test: so only a
      // machine without them has the hint. Of the machine as such it is told in any case.
      let (machine, _) = try ask(
        inNamespace(
          "mkdir -p /usr/lib/debug && mount -t tmpfs none /usr/lib/debug",
          [SprofCommand.path, "doctor"]))
      #expect(machine.first("debug")?.grade == "hint")
      #expect(machine.first("debug")?.fix?.hasSuffix("apt install libc6-dbg") == true)
      #expect(answer.first("threads")?.grade == "ok")
      try program.assertUntouched()
    }
  }
}

/// The command line that runs `command` without any right; 65534 is nobody on Linux.
private func asNobody(_ command: [String]) -> [String] {
  ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"] + command
}

/// The command line that runs `command` where `preparation` has changed the mounts, for itself alone.
private func inNamespace(_ preparation: String, _ command: [String]) -> [String] {
  ["unshare", "-m", "sh", "-c", preparation + " && exec \"$@\"", "sh"] + command
}

private let canChangeRights: Bool = {
  guard Repository.isRoot, Tool.isInstalled("setpriv"), Tool.isInstalled("unshare") else {
    return false
  }
  return (try? run(["unshare", "-m", "true"]))?.status == 0
}()

private let isDebian = FileManager.default.fileExists(atPath: "/usr/bin/dpkg-query")

/// A Python whose symbol table was taken away, as distributions do; nil where there is none.
private let strippedPython: String? = {
  let path = "/usr/bin/python3"
  guard FileManager.default.isExecutableFile(atPath: path),
    let sections = try? run(["readelf", "-S", "-W", path]), sections.status == 0
  else { return nil }
  return sections.stdout.contains(".symtab") ? nil : path
}()
