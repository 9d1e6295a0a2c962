import Glibc
import ProfileExport

/// What stdout and stderr are connected to.
enum Terminal {
  static var wantsColor: Bool { wantsColor(on: STDOUT_FILENO) }

  static func wantsColor(on descriptor: CInt) -> Bool {
    isatty(descriptor) == 1 && getenv("NO_COLOR") == nil && !isDumb
  }

  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

  private static var isDumb: Bool { getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? true }

  static var errorWidth: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Whether text may have more than ASCII, by the user's locale.
  static var isUTF8: Bool {
    setlocale(LC_CTYPE, "")
    // The text is the C library's, and read at once.
    return unsafe nl_langinfo(nl_item(CODESET)).map { unsafe strcmp($0, "UTF-8") == 0 } ?? false
  }

  /// Whether sprof's job is in the foreground, or there is no job control.
  static var isForeground: Bool {
    let group = tcgetpgrp(STDERR_FILENO)
    return group < 0 || group == getpgrp()
  }

  /// Opens standard files that are closed on /dev/null, so that none of sprof's own files gets their
  /// number and a message ends up in a capture.
  ///
  /// Nothing can be written to such a stdout, so that a report which nobody gets is a failure. A program that
  /// sprof starts finds them closed.
  static func reserveStandardFiles() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", (descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR) | O_CLOEXEC)
    }
  }

  /// Writes a message of sprof's to stderr; names of files, programs and threads in it may hold
  /// anything, and do not control the terminal.
  static func writeMessage(_ text: String) { writeError("sprof: \(text.printableLines)\n") }

  /// Writes to stderr; a failure cannot be reported anywhere.
  static func writeError(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Writes to stdout what `body` writes, or throws.
  ///
  /// With `pages` what is longer than the terminal goes through the user's pager.
  static func write(
    pages: Bool = false, _ body: (inout FileOutput) throws -> Void
  ) throws {
    guard pages, isatty(STDOUT_FILENO) == 1, !isDumb, let size, let pager = Pager() else {
      return try FileOutput.write(to: STDOUT_FILENO, body)
    }
    let bytes = try FileOutput.bytes(body)
    let rows = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .reduce(0) { $0 + max(1, ($1.count + size.columns - 1) / size.columns) }
    if rows <= size.rows || !pager.show(bytes) {
      try FileOutput.write(to: STDOUT_FILENO) { $0.write(bytes) }
    }
  }

  /// Rows and columns of the terminal that stdout is; nil where it is none.
  static var size: (rows: Int, columns: Int)? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return nil }
    return (Int(size.ws_row), Int(size.ws_col))
  }
}
