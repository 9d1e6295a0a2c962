import ArgumentParser
import Checkup
import FoundationEssentials
import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel
import Sampling

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Checks whether sprof can work here, or on a program, and says what is missing.",
    discussion: """
      Without a process: the kernel, the rights to trace, what the kernel tells of threads, debug \
      files, and the libraries that sprof uses. With one: whether it can be sampled, and else the \
      command that makes it possible; which of its files lack names or lines, and the package that \
      has them; its language runtimes; its threads. The program is sampled once, as by dump.

        sprof doctor
        sprof doctor 4242
        sprof doctor nginx --json

      Exit codes: 0 sprof can work (there may be hints), 1 there is a problem, 66 no such process, 77 \
      not allowed to trace the process.
      """)

  @Argument(
    help: "The process: its PID, or a name (if several match, the one that started the others)."
  )
  var target: TargetArgument?

  @Flag(help: "Print the findings as JSON, for programs.")
  var json = false

  func run() throws {
    let code = try Diagnostic.guarding(command: "doctor") {
      let system = MachineFacts(
        SystemFiles(), debuginfod: ProcessInfo.processInfo.environment["DEBUGINFOD_URLS"])
      guard let target else {
        let findings = MachineCheckup.findings(system)
        try show(findings, of: nil)
        return findings.areAllWell ? EXIT_SUCCESS : 1
      }
      return try check(
        target.resolve(for: "attach"), system.system, hasServers: system.debuginfodServers != nil)
    }
    if code != EXIT_SUCCESS { throw ExitCode(code) }
  }

  /// Looks at a process; returns the exit code.
  private func check(
    _ process: ProcessIdentity, _ system: OperatingSystem, hasServers: Bool
  ) throws -> Int32 {
    let name = ProcessSearch.processName(process.pid) ?? "?"
    let title = "\(name.printable) (pid \(process.pid))"
    let (access, profile): (ProcessAccess, Profile)
    do {
      access = try AccessCheck.check(process)
      prepareOpenFiles(forThreadsOf: process.pid)
      try JobControl.begin()
      profile = try Capture.dump(process).named()
    } catch let problem as AccessProblem {
      return try refuse(problem, process.pid, title)
    } catch Capture.Failure.access(let problem) {
      return try refuse(problem, process.pid, title)
    }
    let checkup = ProcessCheckup(process, access, dump: profile)
    let owners = PackageOwners.owners(of: checkup.wantedFiles)
    let findings =
      [Finding("access", "it can be sampled by you")]
      + checkup.findings(system, owners: owners, hasServers: hasServers)
    try show(findings, of: title)
    return findings.areAllWell ? EXIT_SUCCESS : 1
  }

  private func refuse(_ problem: AccessProblem, _ pid: Int32, _ title: String) throws -> Int32 {
    let diagnostic = Diagnostic.cannotWatch(pid: pid, problem, command: "attach")
    let refusal = Diagnostic.refusal(problem, pid: pid, command: "attach")
    try show([Finding("access", .problem, refusal.cause, fix: refusal.command)], of: title)
    return diagnostic.exitCode
  }

  private func show(_ findings: [Finding], of title: String?) throws {
    try Terminal.write { output in
      if json {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let answer = DoctorAnswer(
          sprof: SprofVersion.current, target: title, findings: findings,
          ok: findings.areAllWell)
        output.write(String(decoding: try encoder.encode(answer), as: UTF8.self) + "\n")
        return
      }
      output.write(title.map { "sprof doctor: \($0)\n\n" } ?? "sprof doctor: this machine\n\n")
      for line in findings.lines(width: 100) { output.write(line.printable + "\n") }
    }
  }
}

/// The JSON of `--json`.
private struct DoctorAnswer: Encodable {
  let sprof: String
  let target: String?
  let findings: [Finding]
  let ok: Bool
}
