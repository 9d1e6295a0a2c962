import ArgumentParser
import CaptureFile
import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel
import Sampling
import WindowPicking

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
  /// Options that do nothing with what was found; the message.
  case isMisused(String)
  /// No process was found by its window.
  case cannotPick(WindowProblem, command: String)
  case cannotPing(PingProblem, command: String)

  var exitCode: Int32 {
    switch self {
    // EX_NOINPUT
    case .noProcess, .noMatch, .manyMatches, .noThread, .nothingLeft, .noDebuginfod: 66
    case .noDebugServer, .isMisused: 64  // EX_USAGE
    case .cannotPick(.isCancelled, _): 128 + SIGINT  // As after Ctrl-C.
    case .cannotPick, .cannotPing: 66
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
    case .isMisused(let message): message
    case .cannotPing(let problem, let command): Self.words(pinging: problem, command: command)
    case .cannotPick(let problem, let command): Self.words(picking: problem, command: command)
    case .noProcess:
      "No such process. List processes with: ps -e"
    case .noMatch(let name): Self.words(noMatch: name)
    case .manyMatches(let name, let matches): Self.list(matches, named: name)
    case .noThread(let glob, let names):
      "No thread matches \"\(glob)\"; the threads are: \(names.prefix(40).map(\.printable).joined(separator: ", "))"
    case .unknownEnd(let name, let error):
      "Cannot tell how \(name) ended: \(error.call): \(error.reason)."
    case .cannotWatch(let pid, let problem, let command):
      Self.words(for: problem, pid: pid, command: command)
    case .systemCall(let error): Self.words(for: error)
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
    case .cannotStart(let name, let failure): Self.words(starting: name, failure)
    case .cannotSample(let name, let failure): Self.words(sampling: name, failure)
    case .isBinary:
      "Refusing to write binary data to a terminal. Give a file with -o."
    case .cannotRead(let path, let error):
      "Cannot read \(path): \(Self.words(reading: error, path))"
    case .cannotCreate(let error): Self.words(creating: error)
    case .cannotKeep(let error, let partial):
      Self.words(creating: error)
        + (partial.map { " The samples so far are in \($0). Show them with: sprof report \($0)" }
          ?? "")
    }
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
