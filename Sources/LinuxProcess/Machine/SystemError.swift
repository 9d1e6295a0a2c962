internal import Glibc

/// A system call that failed, and the kernel's reason.
package struct SystemError: Error, Equatable, Sendable {
  /// The system call, such as `ptrace(PTRACE_SEIZE)`, or the file that was read.
  package let call: String
  /// The error number (errno(3)).
  package let code: CInt

  package init(_ call: String, code: CInt) {
    self.call = call
    self.code = code
  }

  static let noSuchProcess = ESRCH

  /// Whether it says that the process or thread has ended: every call on a thread may.
  package var meansGone: Bool { code == ESRCH || code == ENOENT }

  /// The C library's words for the reason.
  package var reason: String { String(cString: strerror(code)) }
}
