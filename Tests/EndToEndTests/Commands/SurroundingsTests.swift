import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What a shell, a pipe or a system may leave to sprof that is not as usual.
  @Suite struct `Odd surroundings` {
    /// Runs a script of bash, in which `$S` is sprof.
    private func script(_ text: String) throws -> CommandOutcome {
      try run(["/bin/bash", "-c", text], environment: ["S": SprofCommand.path])
    }

    @Test(arguments: [("false", 1), ("true", 0), ("sh -c 'kill -9 $$'", 137)])
    func `of an ignored SIGCHLD do not hide how a program ended`(
      command: String, code: Int32
    ) throws {
      let outcome = try script("trap '' CHLD; exec \"$S\" run -- \(command)")
      #expect(outcome.status == code, "\(outcome.stderr)")
    }

    @Test(arguments: ["CHLD", "HUP", "USR1", "CHLD PIPE INT"])
    func `of ignored signals are handed on to the program`(signals: String) throws {
      let tell = "/bin/grep SigIgn /proc/self/status"
      let plain = try script("trap '' \(signals); exec \(tell)")
      let sampled = try script("trap '' \(signals); exec \"$S\" run --report /dev/null -- \(tell)")
      let ignored = try [plain, sampled].map { outcome in
        let set = try #require(UInt64(outcome.stdout.dropLast().suffix(16), radix: 16))
        // The C library keeps 32 and 33 for itself and ignores them in children of posix_spawn.
        return set & ~0x1_8000_0000
      }
      #expect(ignored[0] != 0)
      #expect(ignored[1] == ignored[0], "\(sampled.stderr)")
    }

    @Test(arguments: [("sh -c 'exit 3'", 3), ("sh -c 'kill -15 $$'", 143), ("true", 73)])
    func `of a reader of stderr that has gone do not change the exit code`(
      command: String, code: Int32
    ) throws {
      let outcome = try script(
        """
        exec {gone}> >(exit 0); wait $!
        "$S" run -- \(command) 2>&$gone; echo $?
        """)
      #expect(outcome.stdout == "\(code)\n")
    }

    @Test(
      .enabled(if: canMount, "needs root and unshare"),
      arguments: ["dump 1", "report x", "help", "--version", "run -- true"])
    func `without /proc are named, and not taken for a lack of arguments`(command: String) throws {
      let text = "umount -l /proc && exec '\(SprofCommand.path)' \(command)"
      let outcome = try run(["unshare", "-m", "/bin/sh", "-c", text])
      expectError(outcome, code: 72, naming: ["/proc is not mounted", "mount -t proc"])
    }

    @Test(.enabled(if: canMount && canBecomeNobody, "needs root, unshare and setpriv"))
    func `with hidden processes are a lack of permission, and named`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let own = "\(SprofCommand.path) dump"
      for level in ["1", "2"] {
        for (target, code) in [("\(program.pid)", 77), ("no-such-program", 66)] as [(String, Int32)]
        {
          let text = """
            mount -t proc -o hidepid=\(level) proc /proc && exec \
            \(asNobody.joined(separator: " ")) \(own) \(target)
            """
          let outcome = try run(["unshare", "-m", "/bin/sh", "-c", text])
          expectError(outcome, code: code, naming: ["hidepid"])
        }
      }
      try program.assertUntouched()
    }

    @Test(.enabled(if: canBecomeNobody, "needs root and setpriv"))
    func `of root without capabilities are not mended by sudo, which is not named`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let outcome = try run([
        "setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-all", SprofCommand.path, "attach",
        "\(program.pid)",
      ])
      expectError(outcome, code: ExitCode.noPermission, naming: ["CAP_SYS_PTRACE"])
      #expect(!outcome.stderr.contains("sudo"), "\(outcome.stderr)")
      try program.assertUntouched()
    }

    @Test(
      .enabled(
        if: canBecomeNobody && Tool.isInstalled("setcap"), "needs root, setpriv and setcap"))
    func `of capabilities of the file are enough with the one to read, and named without`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["1"])
      let folder = try TemporaryFolder()
      let copy = folder.path + "/sprof"
      try FileManager.default.copyItem(atPath: SprofCommand.path, toPath: copy)
      chmod(folder.path, 0o755)
      func dump(_ capabilities: String, _ pid: Int32) throws -> CommandOutcome {
        #expect(try run(["setcap", capabilities, copy]).status == 0)
        return try run(asNobody + [copy, "dump", "\(pid)"])
      }
      expectError(
        try dump("cap_sys_ptrace=ep", program.pid), code: ExitCode.noPermission,
        naming: ["cap_sys_ptrace,cap_dac_read_search=ep"])
      let outcome = try dump("cap_sys_ptrace,cap_dac_read_search=ep", program.pid)
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("wait_for_condition"))
      // As docs/permissions.md says, the first one alone does for a user's own programs.
      let own = try RunningProgram(asNobody + ["/bin/sleep", "600"], ready: nil)
      try waitUntil("it has become nobody's") { ProcessStatus(pid: own.pid)?.name == "sleep" }
      #expect(try dump("cap_sys_ptrace=ep", own.pid).status == 0)
      try program.assertUntouched()
    }

    @Test func `of a file that is no program get advice that can work`() throws {
      let folder = try TemporaryFolder()
      func file(_ name: String, _ text: String, mode: mode_t) throws -> String {
        let path = folder.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, mode)
        return path
      }
      for (path, advises) in [
        (try file("text", "root:x:0:0\n", mode: 0o644), false),
        (try file("script", "#!/bin/sh\n", mode: 0o644), true),
      ] {
        let outcome = try SprofCommand.run(["run", "--", path])
        #expect(outcome.status == 126)
        #expect(outcome.stderr.contains("chmod +x") == advises, "\(outcome.stderr)")
      }
      let dashed = try SprofCommand.run(["run", "--", "-no-such"])
      #expect(dashed.status == 127)
      #expect(!dashed.stderr.contains("put --"), "\(dashed.stderr)")
    }
  }
}

private let canMount = Repository.isRoot && Tool.isInstalled("unshare")

/// 65534 is nobody on Linux.
private let asNobody = [
  "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
]

private let canBecomeNobody: Bool = {
  guard Repository.isRoot, Tool.isInstalled("setpriv") else { return false }
  return (try? run(asNobody + ["/usr/bin/test", "-x", SprofCommand.path]))?.status == 0
}()
