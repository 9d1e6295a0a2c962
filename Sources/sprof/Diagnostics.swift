import ArgumentParser
import Glibc
import LinuxProcess
import ProfileModel
import Sampling

/// Everything that can go wrong for a user, with words and exit code: the only place that has them.
enum Diagnostic: Error {
  case noProcess
  case noMatch(String)
  case manyMatches(String, [ProcessSearch.Match])
  case noThread(String, names: [String])
  case cannotWatch(pid: Int32, AccessProblem, command: String)
  case systemCall(SystemError)
  case cannotWrite(String)
  case cannotReadCapture(String)

  var exitCode: Int32 {
    switch self {
    case .noProcess, .noMatch, .manyMatches, .noThread, .cannotReadCapture: 66  // EX_NOINPUT
    case .cannotWatch(_, let problem, _):
      switch problem {
      case .noSuchProcess, .isKernelThread, .hasEnded, .isItself: 66
      case .otherUser, .yama, .seccomp, .undumpable, .missingCapability: 77  // EX_NOPERM
      case .other: 70
      }
    case .systemCall: 70  // EX_SOFTWARE
    case .cannotWrite: 73  // EX_CANTCREAT
    }
  }

  var message: String {
    switch self {
    case .noProcess:
      "There is no such process. To list all: ps -e"
    case .noMatch(let name):
      "No process is named \"\(name)\". To list all: ps -e"
    case .manyMatches(let name, let matches):
      Self.list(matches, named: name)
    case .noThread(let glob, let names):
      "No thread matches \"\(glob)\". The threads are named: \(names.prefix(40).joined(separator: ", "))"
    case .cannotWatch(let pid, let problem, let command):
      Self.words(for: problem, pid: pid, command: command)
    case .systemCall(let error):
      "\(error.call): \(error.reason)"
    case .cannotWrite(let reason):
      "Cannot write the output: \(reason)."
    case .cannotReadCapture(let path):
      "Cannot read \(path): this version of sprof reads no capture files yet."
    }
  }

  private static func list(_ matches: [ProcessSearch.Match], named name: String) -> String {
    var lines = ["\(matches.count) processes are named \"\(name)\". Give the PID of one:"]
    for match in matches.prefix(20) {
      let command = match.commandLine.joined(separator: " ")
      lines.append("  \(match.pid)  \(command.isEmpty ? match.name : String(command.prefix(80)))")
    }
    if matches.count > 20 { lines.append("  … and \(matches.count - 20) more: pgrep -a \(name)") }
    return lines.joined(separator: "\n")
  }

  private static func words(for problem: AccessProblem, pid: Int32, command: String) -> String {
    let asRoot = "Run: sudo sprof \(command) \(pid)"
    switch problem {
    case .noSuchProcess:
      return "There is no process \(pid). To list all: ps -e"
    case .isItself:
      return "\(pid) is sprof itself, which cannot watch itself. Give the PID of another process."
    case .isKernelThread:
      return "\(pid) is a thread of the kernel and has no program to look at. "
        + "To see what it waits for: sudo cat /proc/\(pid)/stack"
    case .hasEnded:
      return "Process \(pid) has already ended; only its exit code waits for its parent. "
        + "To see the parent: ps -o ppid= -p \(pid)"
    case .otherUser(let owner, let me):
      return "May not watch \(pid): it belongs to user \(userName(owner)), and you are "
        + "\(userName(me)). \(asRoot)"
    case .yama(let scope):
      return yamaWords(scope: scope, pid: pid, asRoot: asRoot)
    case .seccomp:
      return "May not watch \(pid): a seccomp filter forbids ptrace here, as in a container. "
        + "Start the container with: docker run --cap-add SYS_PTRACE …"
    case .undumpable:
      return "May not watch \(pid): the program is undumpable (it changed its user, or asked for "
        + "it with prctl). \(asRoot)"
    case .missingCapability:
      return "May not watch \(pid): it has capabilities that you have not, or lives in another "
        + "user namespace. \(asRoot)"
    case .other(let error):
      return "Cannot watch \(pid): \(error.call): \(error.reason). \(asRoot)"
    }
  }

  private static func yamaWords(scope: Int, pid: Int32, asRoot: String) -> String {
    let cause = "May not watch \(pid): kernel.yama.ptrace_scope is \(scope)"
    switch scope {
    case 1: return "\(cause), so that a user may trace only what he started. \(asRoot)"
    case 2: return "\(cause), so that only root may trace. \(asRoot)"
    default:
      return "\(cause), so that nobody may trace until the machine is started again. "
        + "Look for the setting: grep -r ptrace_scope /etc/sysctl.conf /etc/sysctl.d"
    }
  }

  private static func userName(_ id: UInt32) -> String {
    guard let entry = getpwuid(id), let name = entry.pointee.pw_name else { return "\(id)" }
    return "\(String(cString: name)) (\(id))"
  }

  /// Runs a command's body; a failure is told on stderr and ends sprof with its exit code.
  static func guarding(command: String, pid: Int32 = 0, _ body: () throws -> Void) throws {
    do {
      do {
        try body()
      } catch let failure as Capture.Failure {
        switch failure {
        case .access(let problem): throw cannotWatch(pid: pid, problem, command: command)
        case .system(let error): throw systemCall(error)
        }
      }
    } catch let error as SystemError {
      throw systemCall(error)
    } catch let diagnostic as Diagnostic {
      Terminal.writeError("sprof: \(diagnostic.message)\n")
      throw ExitCode(diagnostic.exitCode)
    }
  }
}
