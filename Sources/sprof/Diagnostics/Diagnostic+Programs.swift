import Glibc
import LinuxProcess
import ProfileExport
import Sampling

// MARK: - Why a program is not found, not started or not sampled

extension Diagnostic {
  static func words(noMatch name: String) -> String {
    AccessCheck.hidesProcesses
      ? "No process that you may see is named \"\(name)\": /proc hides other users' processes "
        + "(hidepid). List yours with: ps -e" + (isRoot ? "" : "; or run sprof as root")
      : "No process is named \"\(name)\". List processes with: ps -e"
  }

  static func list(_ matches: [ProcessSearch.Match], named name: String) -> String {
    var lines = ["\(matches.count) processes are named \"\(name)\". Give the PID of one:"]
    for match in matches.prefix(20) {
      let command =
        match.commandLine.isEmpty ? match.name : match.commandLine.joined(separator: " ")
      lines.append("  \(match.pid)  \(String(command.printable.prefix(80)))")
    }
    if matches.count > 20 { lines.append("  … and \(matches.count - 20) more: pgrep -a \(name)") }
    return lines.joined(separator: "\n")
  }

  static func words(starting name: String, _ failure: HeldProgram.Failure) -> String {
    switch failure {
    case .notFound:
      "Cannot start \(name): no such program. "
        + "Look for it with: type \(name.hasPrefix("-") ? "-- " : "")\(name)"
    case .noInterpreter(let interpreter):
      words(starting: name, without: interpreter)
    case .isDirectory:
      "Cannot start \(name): it is a directory. List its contents with: ls \(name)"
    case .notExecutable(let error, let isProgram):
      words(starting: name, error, isProgram: isProgram)
    case .system(let error):
      "Cannot start \(name): \(words(for: error))"
    }
  }

  private static func words(
    starting name: String, _ error: SystemError, isProgram: Bool
  ) -> String {
    let cause = "Cannot start \(name): \(error.reason)"
    if isProgram { return "\(cause). Make it executable with: chmod +x \(name)" }
    guard error.code == EACCES else { return "\(cause)." }
    return
      "\(cause): it is not a program, or its file system or a folder above it does not allow it. "
      + "See what it is with: file \(name)"
  }

  private static func words(starting name: String, without interpreter: String) -> String {
    guard interpreter.hasSuffix("\r") else {
      return "Cannot start \(name): its interpreter \(interpreter) is missing. "
        + "See the line that names it with: head -n 1 \(name)"
    }
    return "Cannot start \(name): it has Windows line endings (CR LF), so its interpreter is not "
      + "found. Fix it with: sed -i 's/\\r$//' \(name)"
  }

  static func words(sampling name: String, _ failure: Capture.Failure) -> String {
    let rest = "The program continues without being sampled."
    let remedy =
      isRoot ? rootWithoutRight : "To sample it, run: " + asRoot("sprof run -- \(name)")
    switch failure {
    case .access(.noSuchProcess), .access(.hasEnded):
      return "\(name) ended before it could be sampled; there is no report."
    case .access(.undumpable), .access(.otherUser), .access(.missingCapability), .access(.hidden),
      .access(.missingReadCapability):
      return "Not allowed to trace \(name): its privileges differ from yours. \(rest) \(remedy)"
    case .access(.yama(let scope)):
      return "Not allowed to trace \(name): kernel.yama.ptrace_scope is \(scope). \(rest) "
        + (scope == 3 ? yamaSetting : remedy)
    case .access(.seccomp):
      return "Not allowed to trace \(name): a seccomp filter forbids ptrace, as in a container. "
        + "\(rest) Start the container with: docker run --cap-add SYS_PTRACE …"
    case .access(.is32Bit):
      return "\(name) is a 32-bit program; sprof supports only 64-bit ones. \(rest)"
    case .access(.isItself), .access(.isKernelThread):
      return "Cannot trace \(name). \(rest)"
    case .access(.other(let error)), .system(let error):
      return "Cannot trace \(name): \(error.call): \(error.reason). \(rest)"
    }
  }
}
