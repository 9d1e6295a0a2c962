import FoundationEssentials
import Glibc

/// A program that sprof starts for itself, not to be watched: a hook, a pager, a browser, `dpkg-query`.
struct ChildProgram {
  let words: [String]
  var environment: [String: String] = [:]

  /// Starts it with these standard files, and with signals as a new program expects them.
  ///
  /// Returns its PID, or what the kernel says.
  func start(input: CInt, output: CInt, errors: CInt = STDERR_FILENO) -> Result<pid_t, POSIXError> {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
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
    guard let ends = Self.pipe() else { return .failure(POSIXError(errno)) }
    let started = start(input: ends.reading, output: output)
    close(ends.reading)
    if case .success = started {
      // One that does not read to the end must not end sprof.
      signal(SIGPIPE, SIG_IGN)
      feed(ends.writing)
    }
    close(ends.writing)
    return started.flatMap(Self.end)
  }

  /// Runs it to its end without input and without its error messages; returns what it wrote, at most
  /// 1 MiB, and how it ended, as `waitpid` says.
  func output() -> Result<(text: String, status: CInt), POSIXError> {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { return .failure(POSIXError(errno)) }
    defer { close(null) }
    guard let ends = Self.pipe() else { return .failure(POSIXError(errno)) }
    let started = start(input: null, output: ends.writing, errors: null)
    close(ends.writing)
    var bytes: [UInt8] = []
    if case .success = started { bytes = Self.read(ends.reading, atMost: 1 << 20) }
    // One that writes more than that is ended by SIGPIPE.
    close(ends.reading)
    return started.flatMap(Self.end).map { (String(decoding: bytes, as: UTF8.self), $0) }
  }

  /// A pipe that no program inherits; nil where the kernel gives none, with the reason in `errno`.
  private static func pipe() -> (reading: CInt, writing: CInt)? {
    var ends: [CInt] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func read(_ file: CInt, atMost limit: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let count = Glibc.read(file, &part, part.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += part[..<count]
    }
    return bytes
  }

  /// Waits for the end of a child.
  private static func end(of pid: pid_t) -> Result<CInt, POSIXError> {
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return .failure(POSIXError(errno)) }
    }
    return .success(status)
  }

  /// A number of `errno`.
  struct POSIXError: Error {
    let code: CInt
    init(_ code: CInt) { self.code = code }
    var words: String { String(cString: strerror(code)) }
  }
}
