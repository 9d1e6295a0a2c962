import ArgumentParser
import CaptureFile
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
  case cannotRead(String, CaptureFileError)
  case cannotCreate(CaptureFileError)
  /// The capture was made, but its file could not be written at the end.
  case cannotKeep(CaptureFileError, partial: String)
  case fileExists(String)
  case nothingLeft
  case cannotStart(String, HeldProgram.Failure)
  /// The program that sprof has started runs, unwatched.
  case cannotSample(String, Capture.Failure)
  /// Bytes were to go to a terminal.
  case isNoText

  var exitCode: Int32 {
    switch self {
    case .noProcess, .noMatch, .manyMatches, .noThread, .nothingLeft: 66  // EX_NOINPUT
    case .cannotWatch(_, let problem, _):
      switch problem {
      case .noSuchProcess, .isKernelThread, .hasEnded, .isItself: 66
      case .otherUser, .yama, .seccomp, .undumpable, .missingCapability: 77  // EX_NOPERM
      case .other: 70
      }
    case .systemCall: 70  // EX_SOFTWARE
    case .cannotRead(_, .system), .cannotRead(_, .notRegular): 66
    case .cannotRead: 65  // EX_DATAERR
    case .cannotWrite, .isNoText, .fileExists, .cannotCreate, .cannotKeep: 73  // EX_CANTCREAT
    // As the shell, env and nohup have it.
    case .cannotStart(_, .notFound), .cannotStart(_, .noInterpreter): 127
    case .cannotStart(_, .notExecutable), .cannotStart(_, .isDirectory): 126
    case .cannotStart(_, .system): 70
    case .cannotSample(_, .access(.noSuchProcess)), .cannotSample(_, .access(.hasEnded)): 66
    case .cannotSample(_, .access(.other)), .cannotSample(_, .system): 70
    case .cannotSample: 77
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
    case .fileExists(let path):
      "\(path) is there already. Give another name, or --force to write over it."
    case .nothingLeft:
      "Nothing is left of the profile: no thread did what the options ask for."
    case .cannotStart(let name, .notFound):
      "Cannot start \(name): there is no such program. To look for it: type \(name)"
    case .cannotStart(let name, .noInterpreter(let interpreter)):
      Self.words(starting: name, without: interpreter)
    case .cannotStart(let name, .isDirectory):
      "Cannot start \(name): it is a directory. To see what is in it: ls \(name)"
    case .cannotStart(let name, .notExecutable(let error)):
      "Cannot start \(name): \(error.reason). To make it executable: chmod +x \(name)"
    case .cannotStart(let name, .system(let error)):
      "Cannot start \(name): \(error.call): \(error.reason)"
    case .cannotSample(let name, let failure):
      Self.words(sampling: name, failure)
    case .isNoText:
      "This format is no text for a terminal. Give a file with -o."
    case .cannotRead(let path, let error):
      "Cannot read \(path): \(Self.words(reading: error))"
    case .cannotCreate(let error):
      Self.words(creating: error)
    case .cannotKeep(let error, let partial):
      "\(Self.words(creating: error)) What the capture saw until then is in \(partial); "
        + "look at it with: sprof report \(partial)"
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

  private static func words(starting name: String, without interpreter: String) -> String {
    guard interpreter.hasSuffix("\r") else {
      return "Cannot start \(name): its interpreter \(interpreter) is missing. "
        + "To see the line that names it: head -n 1 \(name)"
    }
    return "Cannot start \(name): its lines end as on Windows, so that its interpreter is not "
      + "found. To mend it: sed -i 's/\\r$//' \(name)"
  }

  private static func words(sampling name: String, _ failure: Capture.Failure) -> String {
    let rest = "The program runs on without being sampled."
    switch failure {
    case .access(.noSuchProcess), .access(.hasEnded):
      return "\(name) had ended before it could be looked at; there is no report."
    case .access(.undumpable), .access(.otherUser), .access(.missingCapability):
      return "May not watch \(name): it runs with other rights than yours. \(rest) "
        + "To sample it, run: sudo sprof run -- \(name)"
    case .access(.yama(let scope)):
      return "May not watch \(name): kernel.yama.ptrace_scope is \(scope). \(rest)"
    case .access(.seccomp):
      return "May not watch \(name): a seccomp filter forbids ptrace here, as in a container. "
        + "\(rest) Start the container with: docker run --cap-add SYS_PTRACE …"
    case .access(.isItself), .access(.isKernelThread):
      return "Cannot watch \(name). \(rest)"
    case .access(.other(let error)), .system(let error):
      return "Cannot watch \(name): \(error.call): \(error.reason). \(rest)"
    }
  }

  private static func words(creating error: CaptureFileError) -> String {
    switch error {
    case .exists(let path): "\(path) exists. To overwrite it, add --force."
    case .unfinishedExists(let path):
      "\(path) exists: a capture that was cut off, or still goes on. "
        + "Look at it with sprof report \(path); to overwrite it, add --force."
    case .notRegular(let path): "\(path) is not a plain file. Give another name."
    case .system(let path, let reason): "Cannot write \(path): \(reason)."
    case .tooLarge, .tooMany:
      "The capture would be larger than sprof could read again. "
        + "Merge fewer files, or with a --label that more of them share."
    default: "Cannot write the capture: \(error)."
    }
  }

  private static func words(reading error: CaptureFileError) -> String {
    switch error {
    case .system(_, let reason): "\(reason)."
    case .notRegular: "it is a directory. Give the file of a capture."
    case .empty: "it is empty."
    case .foreign: "it is neither a capture, nor a pprof profile, nor folded stacks (a;b;c 12)."
    case .cutOff: "it is cut off, and nothing of it can be read."
    case .damaged(.compression):
      "it is damaged: its compressed contents or their checksum are wrong."
    case .damaged(.message): "it is damaged: its contents are not those of a profile."
    case .damaged(.reference):
      "it is damaged: it refers to texts, functions or locations that it does not have."
    case .damaged(.header):
      "it is damaged, or of a newer version of sprof: what it says about the capture is not clear."
    case .tooLarge(let limit): "it is too large: a part of it has more than \(limit >> 20) MiB."
    case .tooMany(let limit): "it has more samples or stacks than the \(limit) that sprof reads."
    case .noSampleTypes: "it has neither times nor counts that sprof could show."
    case .exists, .unfinishedExists: "it exists."
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

  /// Writes the message to stderr.
  func tell() { Terminal.writeError("sprof: \(message)\n") }

  /// Runs a command's body; a failure is told on stderr and ends sprof with its exit code.
  static func guarding<Value>(
    command: String, pid: Int32 = 0, _ body: () throws -> Value
  ) throws -> Value {
    do {
      do {
        return try body()
      } catch let failure as Capture.Failure {
        switch failure {
        case .access(let problem): throw cannotWatch(pid: pid, problem, command: command)
        case .system(let error): throw systemCall(error)
        }
      }
    } catch let error as SystemError {
      throw systemCall(error)
    } catch let diagnostic as Diagnostic {
      diagnostic.tell()
      throw ExitCode(diagnostic.exitCode)
    }
  }
}
