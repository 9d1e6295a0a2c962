internal import Glibc

/// What is known of a process whose system call file the kernel did not let sprof read.
struct AccessFacts {
  var me: UInt32
  /// sprof's own, as a bit mask.
  var capabilities: UInt64
  var user: UInt32
  var effectiveUser: UInt32
  var targetCapabilities: UInt64
  /// Nil where Yama is not built in.
  var yamaScope: Int?
  /// Whether no seccomp filter forbids ptrace.
  var isPtraceAllowed: Bool
  var isDumpable: Bool
  var failure: SystemError
  /// Whether the file's mode, 0400, and not the right to trace, was in the way.
  var isUnreadable: Bool

  /// The cause: first what not even root is free of.
  var problem: AccessProblem {
    let mayTraceAll = has(19)  // CAP_SYS_PTRACE (linux/capability.h)
    if yamaScope == 3 { return .yama(scope: 3) }
    if !isPtraceAllowed { return .seccomp }
    // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    if mayTraceAll, isUnreadable, !has(1), !has(2) { return .missingReadCapability }
    if !mayTraceAll, user != me || effectiveUser != me {
      return .otherUser(owner: effectiveUser, me: me)
    }
    if let yamaScope, yamaScope > 0, !mayTraceAll { return .yama(scope: yamaScope) }
    if !isDumpable { return .undumpable }
    if !mayTraceAll, targetCapabilities & ~capabilities != 0 { return .missingCapability }
    return failure.code == EPERM || failure.code == EACCES ? .missingCapability : .other(failure)
  }

  private func has(_ capability: UInt64) -> Bool { capabilities & 1 << capability != 0 }
}
