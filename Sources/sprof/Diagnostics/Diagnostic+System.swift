import Glibc
import LinuxProcess
import Sampling

// MARK: - What the system refused sprof itself

extension Diagnostic {
  /// Which call failed, why, and what to do.
  static func words(for error: SystemError) -> String {
    if error.code == ESRCH {
      return "The process or thread has ended. List processes with: ps -e"
    }
    return "\(error.call): \(error.reason). \(remedy(for: error))"
  }

  private static func remedy(for error: SystemError) -> String {
    switch error.code {
    case EMFILE: "Show the most that is allowed with: ulimit -Hn"
    case ENFILE: "Show how many are open, and how many may be, with: cat /proc/sys/fs/file-nr"
    case ENOMEM: "Show what uses the memory with: ps aux --sort=-rss | head"
    case EAGAIN: "Show how many threads and processes you may have with: ulimit -u"
    default: "Check what this machine allows with: sprof doctor"
    }
  }

  /// The words for any error, where they are shown beside what goes on.
  static func words(for error: any Error, command: String, pid: Int32) -> String {
    switch error {
    case let diagnostic as Diagnostic: diagnostic.message
    case let error as SystemError, Capture.Failure.system(let error): words(for: error)
    case Capture.Failure.access(let problem):
      refusal(problem, pid: pid, command: command).message
    default: "Unexpected error: \(error). Check what this machine allows with: sprof doctor"
    }
  }
}
