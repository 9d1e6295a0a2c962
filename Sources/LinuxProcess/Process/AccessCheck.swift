internal import CLinux
internal import Glibc
internal import ProfileModel

/// Why a process cannot be profiled.
package enum AccessProblem: Error, Equatable, Sendable {
  case noSuchProcess
  /// It is there, but `/proc` hides the processes of other users (`hidepid`, proc(5)).
  case hidden
  case isItself
  case isKernelThread
  /// It has ended, but its parent has not collected it.
  case hasEnded
  /// Its program is one of 32 bits.
  case is32Bit
  /// It belongs to another user, and sprof lacks CAP_SYS_PTRACE.
  case otherUser(owner: UInt32, me: UInt32)
  /// The Yama security module restricts tracing (1: descendants only, 2: CAP_SYS_PTRACE only,
  /// 3: nobody).
  case yama(scope: Int)
  /// A seccomp filter in force for sprof itself (a container's) forbids ptrace.
  case seccomp
  /// The program runs with other privileges than its user's, or asked not to be dumped.
  case undumpable
  /// sprof may trace it, but lacks CAP_DAC_READ_SEARCH to read the files in its folder of `/proc`.
  case missingReadCapability
  /// It has capabilities that sprof lacks, or is in another user namespace.
  case missingCapability
  /// The kernel refused for a reason that is none of the above.
  case other(SystemError)
}

/// A process that may be profiled.
package struct ProcessAccess: Sendable {
  /// The tracer that already holds the process, 0 for none.
  package let tracer: Int32
  /// A thread of the process that has not ended: the one to read memory and maps through.
  package let liveThread: ProcessIdentity
}

/// Finds out before a capture whether a process may be profiled, and if not, why.
package enum AccessCheck {
  /// How often a process is asked again that only seems to have ended.
  private static let tries = 50
  private static let pause = Nanoseconds.milliseconds(1)

  /// Costs the target nothing: reading its system call file needs the same right as ptrace.
  package static func check(_ process: ProcessIdentity) throws(AccessProblem) -> ProcessAccess {
    for _ in 1..<tries {
      do throws(AccessProblem) {
        return try checkOnce(process)
      } catch {
        guard mayPass(error, process) else { throw error }
        MonotonicClock.sleep(for: pause)
      }
    }
    return try checkOnce(process)
  }

  /// Whether the process only looks as if it had ended, for moments: a thread that executes a program
  /// ends the others, the main one too, and takes over its number (kernel: de_thread).
  private static func mayPass(_ problem: AccessProblem, _ process: ProcessIdentity) -> Bool {
    switch problem {
    case .noSuchProcess, .hasEnded, .isKernelThread: break
    default: return false
    }
    guard process.isStillThere, let status = try? ProcessStatus(of: process.pid) else {
      return false
    }
    return status.threadCount > 1 || !status.state.hasEnded && status.hasMemory
  }

  private static func checkOnce(
    _ process: ProcessIdentity
  ) throws(AccessProblem) -> ProcessAccess {
    let pid = process.pid
    guard pid != getpid() else { throw .isItself }
    let status: ProcessStatus
    do {
      status = try ProcessStatus(of: pid)
    } catch {
      throw problem(reading: pid, error)
    }
    guard process.isStillThere else { throw .noSuchProcess }
    guard !status.state.hasEnded || status.threadCount > 1 else { throw .hasEnded }
    if !status.state.hasEnded, !status.hasMemory { throw .isKernelThread }
    let live = try liveThread(of: process)
    try checkRight(pid, live: live.pid, status: status)
    guard !ProcessMemory(tid: live.pid).isOf32BitProgram else { throw .is32Bit }
    return ProcessAccess(tracer: status.tracer, liveThread: live)
  }

  /// Why the files of a process cannot be read.
  package static func problem(reading pid: Int32, _ error: SystemError) -> AccessProblem {
    // kill(2) answers for processes that /proc hides, too.
    if error.meansGone { return kill(pid, 0) < 0 && errno == EPERM ? .hidden : .noSuchProcess }
    return error.code == EPERM || error.code == EACCES ? .hidden : .other(error)
  }

  /// Whether `/proc` hides processes: one of them, the first, is always there.
  package static var hidesProcesses: Bool { (try? ProcessStatus(of: 1)) == nil }

  /// Whether there is a `/proc`, without which nothing is known of any process.
  package static var isProcMounted: Bool { access("/proc/self/stat", F_OK) == 0 }

  private static func liveThread(
    of process: ProcessIdentity
  ) throws(AccessProblem) -> ProcessIdentity {
    guard let folder = try? TaskFolder(process) else { throw .noSuchProcess }
    let threads = folder.threads()
    for tid in threads {
      if let status = folder.status(of: tid), !status.state.hasEnded, status.hasMemory,
        let thread = folder.identity(of: tid)
      {
        return thread
      }
    }
    throw threads.isEmpty ? .noSuchProcess : .hasEnded
  }

  private static func checkRight(
    _ pid: Int32, live: Int32, status: ProcessStatus
  ) throws(AccessProblem) {
    let path = "/proc/\(pid)/task/\(live)/syscall"
    let file = sprof_open(path, O_RDONLY)
    // Without the file the kernel does not answer this way; the first stop will.
    guard file >= 0 || -file == EACCES || -file == EPERM else { return }
    var failure = file < 0 ? -file : 0
    if file >= 0 {
      var byte: UInt8 = 0
      if Glibc.read(file, &byte, 1) < 0 { failure = errno }
      close(file)
    }
    if failure == 0 {
      guard isPtraceAllowed() else { throw .seccomp }
      return
    }
    if failure == ESRCH { throw .noSuchProcess }
    throw facts(pid, status: status, failure: SystemError(path, code: failure), atOpen: file < 0)
      .problem
  }

  /// Whether no seccomp filter in force for sprof forbids ptrace.
  ///
  /// Such a filter answers EPERM or ENOSYS where the kernel itself would say that there is no thread 0.
  package static func isPtraceAllowed() -> Bool {
    let answer = sprof_ptrace_interrupt(0)
    return answer != -EPERM && answer != -ENOSYS
  }

  private static func facts(
    _ pid: Int32, status: ProcessStatus, failure: SystemError, atOpen: Bool
  ) -> AccessFacts {
    let own = try? ProcessStatus(of: getpid())
    // An undumpable process's /proc files belong to root (proc(5), "dumpable").
    var file = stat()
    let isDumpable =
      stat("/proc/\(pid)/maps", &file) != 0 || file.st_uid == status.effectiveUserID
    return AccessFacts(
      me: geteuid(), capabilities: own?.capabilities ?? 0, user: status.userID,
      effectiveUser: status.effectiveUserID, targetCapabilities: status.capabilities,
      yamaScope: yamaScope(), isPtraceAllowed: isPtraceAllowed(), isDumpable: isDumpable,
      failure: failure, isUnreadable: atOpen)
  }

  /// The setting of the Yama security module; nil where it is not built in.
  package static func yamaScope() -> Int? {
    guard let text = try? ProcFile.read("/proc/sys/kernel/yama/ptrace_scope") else { return nil }
    return Int(text.filter { $0.isNumber })
  }
}
