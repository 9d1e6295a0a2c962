import Foundation
import Glibc

/// A program that sprof starts for itself, not to be watched: a hook, a pager, a browser.
struct ChildProgram {
  let words: [String]
  var environment: [String: String] = [:]

  /// Starts it with these standard files, and with signals as a new program expects them.
  ///
  /// Returns its PID, or what the kernel says.
  func start(input: CInt, output: CInt) -> Result<pid_t, POSIXError> {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var arguments = words.map { strdup($0) } + [nil]
    var variables = merged.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &variables)
    return code == 0 ? .success(pid) : .failure(POSIXError(code))
  }

  /// Runs it to its end with what `feed` writes on its stdin; returns how it ended, as `waitpid` says.
  func run(output: CInt, feed: (CInt) -> Void) -> Result<CInt, POSIXError> {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return .failure(POSIXError(errno)) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let started = start(input: ends[0], output: output)
    close(ends[0])
    if case .success = started {
      // One that does not read to the end must not end sprof.
      signal(SIGPIPE, SIG_IGN)
      feed(ends[1])
    }
    close(ends[1])
    return started.flatMap { pid in
      var status: CInt = 0
      while waitpid(pid, &status, 0) < 0 {
        guard errno == EINTR else { return .failure(POSIXError(errno)) }
      }
      return .success(status)
    }
  }

  /// A number of `errno`.
  struct POSIXError: Error {
    let code: CInt
    init(_ code: CInt) { self.code = code }
    var words: String { String(cString: strerror(code)) }
  }
}
