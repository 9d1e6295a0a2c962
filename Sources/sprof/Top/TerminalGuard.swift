import Glibc

/// Gives the terminal back where sprof cannot: when it was killed (SIGKILL) in the middle of a live view.
///
/// A shell that does nothing but wait for the end of a pipe.
struct TerminalGuard {
  // `$1` is what leaves the full screen. Modes are set only if nobody has done so a moment later, as an
  // interactive shell does when its job has ended.
  private static let script = """
    trap '' HUP INT QUIT TERM TSTP TTIN TTOU
    exec 3<&1
    while read -r line; do state=$line; done
    test "$state" = drawing || exit 0
    printf '%s' "$1"
    sleep 0.3
    case $(stty -a <&3 2>&1) in *-isig*) stty sane <&3;; esac
    """

  private let pid: pid_t
  private let pipe: CInt

  /// Nil where it could not be started: then sprof does without.
  init?(leaving sequence: String) {
    var ends: [CInt] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let program = ChildProgram(words: ["/bin/sh", "-c", Self.script, "sh", sequence])
    let started = program.start(input: ends[0], output: STDOUT_FILENO)
    close(ends[0])
    guard case .success(let pid) = started else {
      close(ends[1])
      return nil
    }
    (self.pid, pipe) = (pid, ends[1])
  }

  /// From now on the terminal is sprof's, or not any more.
  func note(isDrawing: Bool) {
    var line = isDrawing ? "drawing\n" : "given back\n"
    // A guard that has gone cannot be told: SIGPIPE is blocked.
    line.withUTF8 { _ = write(pipe, $0.baseAddress, $0.count) }
  }

  /// Ends it, once the terminal was given back.
  func end() {
    note(isDrawing: false)
    close(pipe)
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }
}
