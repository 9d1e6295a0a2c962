internal import CLinux
internal import Glibc

/// Why a process cannot be profiled.
package enum AccessProblem: Error, Equatable, Sendable {
  case noSuchProcess
  case isItself
  case isKernelThread
  /// It has ended, but its parent has not collected it.
  case hasEnded
  /// It belongs to another user, and sprof lacks CAP_SYS_PTRACE.
  case otherUser(owner: UInt32, me: UInt32)
  /// The Yama security module restricts tracing (1: descendants only, 2: CAP_SYS_PTRACE only,
  /// 3: nobody).
  case yama(scope: Int)
  /// A seccomp filter in force for sprof itself (a container's) forbids ptrace.
  case seccomp
  /// The program runs with other privileges than its user's, or asked not to be dumped.
  case undumpable
  /// It has capabilities that sprof lacks, or is in another user namespace.
  case missingCapability
  /// The kernel refused for a reason that is none of the above.
  case other(SystemError)
}

/// Finds out before a capture whether a process may be profiled, and if not, why.
package enum AccessCheck {
  /// Returns the tracer that already holds the process, 0 for none.
  ///
  /// Costs the target nothing: reading its system call file needs the same right as ptrace.
  package static func check(_ process: ProcessIdentity) throws(AccessProblem) -> Int32 {
    let pid = process.pid
    guard pid != getpid() else { throw .isItself }
    let status: ProcessStatus
    do {
      status = try ProcessStatus(of: pid)
    } catch {
      throw error.meansGone ? .noSuchProcess : .other(error)
    }
    guard process.isStillThere else { throw .noSuchProcess }
    guard !status.state.hasEnded || status.threadCount > 1 else { throw .hasEnded }
    let live = status.state == .zombie ? try liveThread(of: process).pid : pid
    if live == pid, !status.hasMemory { throw .isKernelThread }
    try checkRight(pid, live: live, status: status)
    return status.tracer
  }

  /// A thread of the process that has not ended: the one to read memory and maps through.
  package static func liveThread(
    of process: ProcessIdentity
  ) throws(AccessProblem) -> ProcessIdentity {
    guard let folder = try? TaskFolder(process) else { throw .noSuchProcess }
    let threads = folder.threads()
    for tid in threads {
      if let status = folder.status(of: tid), status.state != .zombie, status.hasMemory,
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
    throw reason(for: failure, pid, status: status)
  }

  /// A filter that forbids ptrace answers EPERM or ENOSYS where the kernel itself would say that
  /// there is no thread 0.
  private static func isPtraceAllowed() -> Bool {
    let answer = sprof_ptrace_interrupt(0)
    return answer != -EPERM && answer != -ENOSYS
  }

  private static func reason(
    for code: CInt, _ pid: Int32, status: ProcessStatus
  ) -> AccessProblem {
    let me = geteuid()
    let own = try? ProcessStatus(of: getpid())
    let mayTraceAll = (own?.capabilities ?? 0) & 1 << 19 != 0  // CAP_SYS_PTRACE is 19.
    if !mayTraceAll, status.userID != me || status.effectiveUserID != me {
      return .otherUser(owner: status.effectiveUserID, me: me)
    }
    if let scope = yamaScope(), scope == 3 || (scope > 0 && !mayTraceAll) {
      return .yama(scope: scope)
    }
    if !isPtraceAllowed() { return .seccomp }
    // An undumpable process's /proc files belong to root (proc(5), "dumpable").
    var file = stat()
    if stat("/proc/\(pid)/maps", &file) == 0, file.st_uid != status.effectiveUserID {
      return .undumpable
    }
    if !mayTraceAll, status.capabilities & ~(own?.capabilities ?? 0) != 0 {
      return .missingCapability
    }
    return code == EPERM || code == EACCES
      ? .missingCapability : .other(SystemError("/proc/\(pid)/syscall", code: code))
  }

  /// The setting of the Yama security module; nil where it is not built in.
  package static func yamaScope() -> Int? {
    guard let text = try? ProcFile.read("/proc/sys/kernel/yama/ptrace_scope") else { return nil }
    return Int(text.filter { $0.isNumber })
  }
}
