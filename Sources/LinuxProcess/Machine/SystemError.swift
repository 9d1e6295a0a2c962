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
    if meansTooManyFiles { OpenFileLimit.noteFailure() }
  }

  static let noSuchProcess = ESRCH

  /// Whether it says that the process or thread has ended: every call on a thread may.
  package var meansGone: Bool { code == ESRCH || code == ENOENT }

  /// Whether it says that this process, or the whole system, may open no more files.
  package var meansTooManyFiles: Bool { Self.meansTooManyFiles(code) }

  static func meansTooManyFiles(_ code: CInt) -> Bool { code == EMFILE || code == ENFILE }

  /// The reason in words: the C library's, except where these would not say whose limit it is.
  package var reason: String {
    code == EMFILE
      ? "sprof may have no more than \(OpenFileLimit.current) files open (ulimit -n)"
      : String(cString: strerror(code))
  }
}
