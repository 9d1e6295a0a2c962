import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel
import Sampling

/// Everything that can go wrong for a user, with its message and exit code: the cause, then what to
/// type.
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
  /// The capture is complete, but its file could not be written.
  case cannotKeep(CaptureFileError, partial: String?)
  case fileExists(String)
  /// A file of that name is not what the command would replace.
  case isOther(String, than: String)
  /// An output that is an input or another output, by whatever path.
  case isTwice(String, String, String)
  /// The options that leave nothing of the capture.
  case nothingLeft(by: [String])
  case cannotStart(String, HeldProgram.Failure)
  /// The program that sprof has started runs, but cannot be sampled.
  case cannotSample(String, Capture.Failure)
  /// The system does not say how the program ended.
  case unknownEnd(String, SystemError)
  /// Binary output was to go to a terminal.
  case isBinary
  /// Debug files were to be fetched, and DEBUGINFOD_URLS is empty.
  case noDebugServer
  /// elfutils' client library is missing.
  case noDebuginfod

  var exitCode: Int32 {
    switch self {
    // EX_NOINPUT
    case .noProcess, .noMatch, .manyMatches, .noThread, .nothingLeft, .noDebuginfod: 66
    case .noDebugServer: 64  // EX_USAGE
    case .cannotWatch(_, let problem, _):
      switch problem {
      case .noSuchProcess, .isKernelThread, .hasEnded, .isItself, .is32Bit: 66
      case .otherUser, .yama, .seccomp, .undumpable, .missingCapability, .hidden,
        .missingReadCapability:
        77  // EX_NOPERM
      case .other: 70
      }
    case .systemCall, .unknownEnd: 70  // EX_SOFTWARE
    case .cannotRead(_, .system), .cannotRead(_, .notRegular): 66
    case .cannotRead, .cannotCreate(.tooLarge): 65  // EX_DATAERR
    case .cannotWrite, .isBinary, .fileExists, .isOther, .isTwice, .cannotCreate, .cannotKeep:
      73  // EX_CANTCREAT
    // As the shell, env and nohup do.
    case .cannotStart(_, .notFound), .cannotStart(_, .noInterpreter): 127
    case .cannotStart(_, .notExecutable), .cannotStart(_, .isDirectory): 126
    case .cannotStart(_, .system): 70
    case .cannotSample(_, .access(.noSuchProcess)), .cannotSample(_, .access(.hasEnded)),
      .cannotSample(_, .access(.is32Bit)):
      66
    case .cannotSample(_, .access(.other)), .cannotSample(_, .system): 70
    case .cannotSample: 77
    }
  }

  var message: String {
    switch self {
    case .noDebugServer:
      "DEBUGINFOD_URLS names no server. Set it to the server of your distribution, whose documentation names it."
    case .noDebuginfod:
      "libdebuginfod.so.1 is not installed. On Debian and Ubuntu: apt install libdebuginfod1"
    case .noProcess:
      "No such process. List processes with: ps -e"
    case .noMatch(let name):
      Self.words(noMatch: name)
    case .manyMatches(let name, let matches):
      Self.list(matches, named: name)
    case .noThread(let glob, let names):
      "No thread matches \"\(glob)\"; the threads are: \(names.prefix(40).map(\.printable).joined(separator: ", "))"
    case .unknownEnd(let name, let error):
      "Cannot tell how \(name) ended: \(error.call): \(error.reason)."
    case .cannotWatch(let pid, let problem, let command):
      Self.words(for: problem, pid: pid, command: command)
    case .systemCall(let error):
      "\(error.call): \(error.reason)"
    case .cannotWrite(let reason):
      "Cannot write the output: \(reason)."
    case .fileExists(let path):
      "\(path) already exists. Give another name, or overwrite it with --force."
    case .isOther(let path, let kind):
      "\(path) exists and is not a \(kind) of sprof. Give another name, or remove it first."
    case .isTwice(let path, let first, let second):
      "\(path) is both \(first) and \(second). Give another name."
    case .nothingLeft(let options):
      options.count == 1
        ? "\(options[0]) leaves nothing of the capture; it was ignored."
        : "\(options.joined(separator: ", ")) together leave nothing of the capture; they were ignored."
    case .cannotStart(let name, .notFound):
      "Cannot start \(name): no such program. "
        + "Look for it with: type \(name.hasPrefix("-") ? "-- " : "")\(name)"
    case .cannotStart(let name, .noInterpreter(let interpreter)):
      Self.words(starting: name, without: interpreter)
    case .cannotStart(let name, .isDirectory):
      "Cannot start \(name): it is a directory. List its contents with: ls \(name)"
    case .cannotStart(let name, .notExecutable(let error, let isProgram)):
      Self.words(starting: name, error, isProgram: isProgram)
    case .cannotStart(let name, .system(let error)):
      "Cannot start \(name): \(error.call): \(error.reason)"
    case .cannotSample(let name, let failure):
      Self.words(sampling: name, failure)
    case .isBinary:
      "Refusing to write binary data to a terminal. Give a file with -o."
    case .cannotRead(let path, .system(_, Self.accessDenied)):
      // Only its owner may read a capture, which is root after `sudo sprof attach -o`.
      "Cannot read \(path): \(Self.accessDenied). If it is a capture that root made, make it yours "
        + "with: sudo chown $USER \(path)"
    case .cannotRead(let path, let error):
      "Cannot read \(path): \(Self.words(reading: error))"
    case .cannotCreate(let error):
      Self.words(creating: error)
    case .cannotKeep(let error, let partial):
      Self.words(creating: error)
        + (partial.map { " The samples so far are in \($0). Show them with: sprof report \($0)" }
          ?? "")
    }
  }

  private static let accessDenied = String(cString: strerror(EACCES))

  private static func list(_ matches: [ProcessSearch.Match], named name: String) -> String {
    var lines = ["\(matches.count) processes are named \"\(name)\". Give the PID of one:"]
    for match in matches.prefix(20) {
      let command =
        match.commandLine.isEmpty ? match.name : match.commandLine.joined(separator: " ")
      lines.append("  \(match.pid)  \(String(command.printable.prefix(80)))")
    }
    if matches.count > 20 { lines.append("  … and \(matches.count - 20) more: pgrep -a \(name)") }
    return lines.joined(separator: "\n")
  }

  /// Why a process cannot be profiled, and what helps.
  struct Refusal {
    /// A sentence without its full stop.
    let cause: String
    /// What the command is for: `Run`, `List processes with`.
    let lead: String
    /// Nil where no command helps.
    let command: String?

    var message: String {
      command.map { "\(cause). \(lead): \($0)" }
        ?? (lead.isEmpty ? "\(cause)." : "\(cause). \(lead)")
    }
  }

  /// Why `sprof command` may not profile the process.
  static func refusal(_ problem: AccessProblem, pid: Int32, command: String) -> Refusal {
    let notAllowed = "Not allowed to trace \(pid): "
    func asRoot(_ cause: String) -> Refusal {
      isRoot
        ? Refusal(cause: cause, lead: rootLead, command: containerCommand)
        : Refusal(cause: cause, lead: "Run", command: "sudo sprof \(command) \(pid)")
    }
    switch problem {
    case .hidden:
      return asRoot(
        "Not allowed to see process \(pid): /proc hides other users' processes (hidepid)")
    case .missingReadCapability:
      return Refusal(
        cause: "Not allowed to read /proc/\(pid)/syscall: sprof has the capability cap_sys_ptrace, "
          + "but not cap_dac_read_search",
        lead: "Give it both with",
        command: "sudo setcap cap_sys_ptrace,cap_dac_read_search=ep \"$(command -v sprof)\"")
    case .otherUser(let owner, let me):
      return asRoot(
        notAllowed + "it belongs to user \(userName(owner)), and you are \(userName(me))")
    case .yama(3):
      return Refusal(
        cause: notAllowed
          + "kernel.yama.ptrace_scope is 3, so nobody may trace until the next boot, "
          + "not even root",
        lead: yamaLead, command: yamaCommand)
    case .yama(let scope):
      let who = scope == 1 ? "users may trace only their own descendants" : "only root may trace"
      return asRoot(notAllowed + "kernel.yama.ptrace_scope is \(scope), so \(who)")
    case .seccomp:
      return Refusal(
        cause: notAllowed + "a seccomp filter forbids ptrace, as in a container",
        lead: "Start the container with", command: containerCommand)
    case .undumpable:
      return asRoot(
        notAllowed + "it is not dumpable (it changed its user, or called prctl(PR_SET_DUMPABLE))")
    case .missingCapability:
      return asRoot(
        notAllowed + "it has capabilities that you lack, or is in another user namespace")
    case .other(let error):
      let cause = "Cannot trace \(pid): \(error.call): \(error.reason)"
      return isRoot ? Refusal(cause: cause, lead: "", command: nil) : asRoot(cause)
    case .noSuchProcess, .isItself, .isKernelThread, .hasEnded, .is32Bit:
      return unsuitable(problem, pid: pid)
    }
  }

  /// What no right would change.
  private static func unsuitable(_ problem: AccessProblem, pid: Int32) -> Refusal {
    switch problem {
    case .isItself:
      Refusal(
        cause: "\(pid) is sprof itself", lead: "Give the PID of another process.", command: nil)
    case .isKernelThread:
      Refusal(
        cause: "\(pid) is a kernel thread, which runs no program",
        lead: "See what it waits for with",
        command: "\(isRoot ? "" : "sudo ")cat /proc/\(pid)/stack")
    case .hasEnded:
      Refusal(
        cause: "Process \(pid) has ended and waits for its parent to reap it",
        lead: "Find the parent with", command: "ps -o ppid= -p \(pid)")
    case .is32Bit:
      Refusal(
        cause: "\(pid) is a 32-bit program; sprof supports only 64-bit ones",
        lead: "Sample it with", command: "perf record -g -p \(pid)")
    default:
      Refusal(
        cause: "There is no process \(pid)", lead: "List processes with", command: "ps -e")
    }
  }

  /// The message of a refusal; where rights are missing, doctor has more to say.
  private static func words(for problem: AccessProblem, pid: Int32, command: String) -> String {
    let message = refusal(problem, pid: pid, command: command).message
    guard command != "doctor", problem.isOfRights else {
      return message.hasSuffix(". ") ? String(message.dropLast()) : message
    }
    return (message.hasSuffix(". ") ? String(message.dropLast()) : message)
      + "\nMore: sprof doctor \(pid)"
  }

  private static var isRoot: Bool { geteuid() == 0 }

  /// What root lacks who is refused: sudo would change nothing.
  private static let rootLead =
    "You are root, but without the capability CAP_SYS_PTRACE or outside its user namespace, as in a "
    + "container. Run sprof on the host, or start the container with"
  private static let containerCommand = "docker run --cap-add SYS_PTRACE …"
  private static let rootWithoutRight = "\(rootLead): \(containerCommand)"

  private static func words(noMatch name: String) -> String {
    AccessCheck.hidesProcesses
      ? "No process that you may see is named \"\(name)\": /proc hides other users' processes "
        + "(hidepid). List yours with: ps -e" + (isRoot ? "" : "; or run sprof with sudo")
      : "No process is named \"\(name)\". List processes with: ps -e"
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

  private static func words(sampling name: String, _ failure: Capture.Failure) -> String {
    let rest = "The program continues without being sampled."
    let asRoot = isRoot ? rootWithoutRight : "To sample it, run: sudo sprof run -- \(name)"
    switch failure {
    case .access(.noSuchProcess), .access(.hasEnded):
      return "\(name) ended before it could be sampled; there is no report."
    case .access(.undumpable), .access(.otherUser), .access(.missingCapability), .access(.hidden),
      .access(.missingReadCapability):
      return "Not allowed to trace \(name): its privileges differ from yours. \(rest) \(asRoot)"
    case .access(.yama(let scope)):
      return "Not allowed to trace \(name): kernel.yama.ptrace_scope is \(scope). \(rest) "
        + (scope == 3 ? yamaSetting : asRoot)
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

  private static func words(creating error: CaptureFileError) -> String {
    switch error {
    case .exists(let path):
      "\(path) already exists. Give another name, or overwrite it with --force."
    case .unfinishedExists(let path):
      "\(path) exists: a capture that was cut off, or is still being written. "
        + "Show it with: sprof report \(path); or overwrite it with --force."
    case .notRegular(let path): "\(path) is not a regular file. Give another name."
    case .system(let path, let reason): "Cannot write \(path): \(reason)."
    case .tooLarge(let bound):
      "The capture would be too large: it \(words(for: bound)). Merge fewer files, use a --label "
        + "that more of them share, or lift the bound with --allow-huge."
    default: "Cannot write the capture: \(error)."
    }
  }

  private static func words(reading error: CaptureFileError) -> String {
    switch error {
    case .system(_, let reason): "\(reason)."
    case .notRegular: "it is a directory. Give a capture file."
    case .empty: "it is empty."
    case .foreign: "it is not a capture, a pprof profile or folded stacks (a;b;c 12)."
    case .cutOff: "it is truncated, and nothing in it can be read."
    case .damaged(.compression): "it is damaged: invalid gzip data or checksum."
    case .damaged(.message): "it is damaged: not the messages of a profile."
    case .damaged(.reference):
      "it is damaged: it refers to strings, functions or locations that it lacks."
    case .damaged(.header):
      "its capture header is invalid: the file is damaged, or from a newer version of sprof."
    case .tooLarge(let bound): "it \(words(for: bound)). If you trust it, add --allow-huge."
    case .noSampleTypes: "it has neither times nor counts that sprof can show."
    case .exists, .unfinishedExists: "it exists."
    }
  }

  private static func words(for bound: ReadingLimits.Bound) -> String {
    switch bound {
    case .memory(let limit, let file):
      "would take more than \(limit >> 20) MiB of memory, too much for \(file >> 10) KiB of input"
    case .contents(let limit): "has more than \(limit >> 20) MiB uncompressed"
    case .tables(let limit): "has more than \(limit >> 20) MiB without its samples"
    case .field(let limit): "has a field of more than \(limit >> 20) MiB"
    case .line(let limit): "has a line of more than \(limit >> 20) MiB"
    case .samples(let limit): "has more than \(limit) samples"
    case .stacks(let limit): "has more than \(limit) distinct stacks"
    }
  }

  private static let yamaLead = "Change the setting, and boot again; find it with"
  private static let yamaCommand =
    "grep -rs ptrace_scope /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d"
  private static let yamaSetting = "\(yamaLead): \(yamaCommand)"

  private static func userName(_ id: UInt32) -> String {
    guard let entry = getpwuid(id), let name = entry.pointee.pw_name else { return "\(id)" }
    return "\(String(cString: name)) (\(id))"
  }

  /// Writes the message to stderr.
  func report() { Terminal.writeMessage(message) }

  /// Runs a command's body; a failure is reported on stderr and ends sprof with its exit code.
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
      diagnostic.report()
      throw ExitCode(diagnostic.exitCode)
    }
  }
}

extension AccessProblem {
  /// Whether other rights would let sprof profile the process.
  fileprivate var isOfRights: Bool {
    switch self {
    case .otherUser, .yama, .seccomp, .undumpable, .missingCapability, .hidden,
      .missingReadCapability, .other:
      true
    case .noSuchProcess, .isItself, .isKernelThread, .hasEnded, .is32Bit: false
    }
  }
}
