internal import Foundation
internal import Glibc
internal import Synchronization

/// How a process ended.
package enum Ending: Equatable, Sendable {
  case exit(Int32)
  case signal(Int32)

  init(waitStatus: Int32) {
    // The low seven bits hold the signal, the next byte the exit status: wait(2).
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exit((waitStatus >> 8) & 0xff) : .signal(signal)
  }
}

/// The children that tests of this process have started and not yet reaped.
enum Children {
  static let running = Mutex<Set<pid_t>>([])
}

/// The children of this process that no `RunningProgram` or `run` accounts for: those that
/// something left behind, zombies included.
package func strayChildren() -> [Int32] {
  let own = getpid()
  // Under the lock no child can be born between the sample and the comparison.
  return Children.running.withLock { known in
    children(of: own).filter { !known.contains($0) }
  }
}

/// The processes whose parent is `pid`, zombies included.
package func children(of pid: Int32) -> [Int32] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.compactMap { Int32($0) }.filter { ProcessStatus(pid: $0)?.parent == pid }
}

/// Whether everything that tests started has been ended, or is still in someone's hands.
package func hasNoChildren() -> Bool { strayChildren().isEmpty }

/// Starts `command` with pipes; the child gets no blocked and no ignored signal of ours.
///
/// A test runs on a thread of Dispatch, whose signals are blocked; a child would inherit that.
/// `asJob` gives it a process group of its own, as a shell does.
func spawn(
  _ command: [String], environment: [String: String], input: Int32, output: Int32, error: Int32?,
  asJob: Bool = false
) throws -> pid_t {
  guard let name = command.first, let path = name.contains("/") ? name : Tool.path(name) else {
    throw TestFailure("no such program: \(command.first ?? "")")
  }
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  sigemptyset(&none)
  var all = sigset_t()
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  let group = asJob ? POSIX_SPAWN_SETPGROUP : 0
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group))

  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, input, 0)
  posix_spawn_file_actions_adddup2(&actions, output, 1)
  if let error { posix_spawn_file_actions_adddup2(&actions, error, 2) }

  let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  var arguments = command.map { strdup($0) } + [nil]
  var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer {
    for text in arguments + settings { free(text) }
  }
  var pid: pid_t = 0
  let code = Children.running.withLock { running in
    let code = posix_spawn(&pid, path, &actions, &attributes, &arguments, &settings)
    if code == 0 { running.insert(pid) }
    return code
  }
  guard code == 0 else {
    throw TestFailure("cannot start \(path): \(String(cString: strerror(code)))")
  }
  return pid
}

/// Reaps the child; nil while it runs, when `block` is false.
func reap(_ pid: pid_t, block: Bool) -> Ending? {
  var status: Int32 = 0
  while true {
    let result = waitpid(pid, &status, block ? 0 : WNOHANG)
    if result == -1, errno == EINTR { continue }
    guard result == pid else { return nil }
    _ = Children.running.withLock { $0.remove(pid) }
    return Ending(waitStatus: status)
  }
}

/// The two ends of a pipe, closed in children unless handed over.
struct Pipe {
  let reading: Int32
  let writing: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    // Under the lock no child can be born between the two calls and inherit the ends.
    let made = Children.running.withLock { _ in
      guard pipe(&ends) == 0 else { return false }
      return ends.allSatisfy { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }
    }
    guard made else { throw TestFailure("no pipe: errno \(errno)") }
    reading = ends[0]
    writing = ends[1]
  }
}

/// What a command that ran to its end left.
package struct CommandOutcome: Sendable {
  /// The exit status, nil when a signal ended it.
  package let status: Int32?
  /// The signal that ended it, nil when it exited.
  package let signal: Int32?
  package let stdout: String
  package let stderr: String
  package let seconds: Double
}

/// Runs a command to its end, and throws, having killed it, when it takes longer than `timeout`.
package func run(
  _ command: [String], timeout: Duration = .seconds(60), stdin: String = "",
  environment: [String: String] = [:]
) throws -> CommandOutcome {
  let program = try StartedCommand(command, environment: environment)
  return try program.finish(timeout: timeout, stdin: stdin)
}

/// A command under way, whose output is collected when it is finished.
package final class StartedCommand {
  package let pid: Int32
  private let command: [String]
  private let input: Pipe
  private let output: Pipe
  private let error: Pipe
  private let start = ContinuousClock.now
  private var ending: Ending?
  private var texts: [Int32: [UInt8]] = [:]

  /// Starts it; `stdout` is a path that gets its output instead of the outcome, and `asJob` gives it
  /// a process group of its own, so that Ctrl-Z's signal stops it as it does in a shell.
  package init(
    _ command: [String], environment: [String: String] = [:], stdout path: String? = nil,
    asJob: Bool = false
  ) throws {
    self.command = command
    input = try Pipe()
    output = try Pipe()
    error = try Pipe()
    var target = output.writing
    if let path {
      target = open(path, O_WRONLY | O_CLOEXEC)
      guard target >= 0 else { throw TestFailure("cannot open \(path)") }
    }
    defer { if path != nil { close(target) } }
    pid = try spawn(
      command, environment: environment, input: input.reading, output: target,
      error: error.writing, asJob: asJob)
    close(input.reading)
    close(output.writing)
    close(error.writing)
  }

  deinit {
    if ending == nil {
      Glibc.kill(pid, SIGKILL)
      _ = reap(pid, block: true)
    }
    close(output.reading)
    close(error.reading)
  }

  /// Sends a signal, such as Ctrl-C's SIGINT.
  package func send(_ signal: Int32) { Glibc.kill(pid, signal) }

  /// Waits until it has ended, and gives its output; kills it and throws after `timeout`.
  package func finish(
    timeout: Duration = .seconds(60), stdin: String = ""
  ) throws -> CommandOutcome {
    feed(stdin)
    let deadline = ContinuousClock.now + timeout
    while ending == nil {
      collect(waiting: 5)
      ending = reap(pid, block: false)
      guard ending != nil || ContinuousClock.now < deadline else {
        Glibc.kill(pid, SIGKILL)
        ending = reap(pid, block: true)
        collect(waiting: 0)
        throw TestFailure(
          "\(command) took longer than \(timeout); stdout: \(text(output)) stderr: \(text(error))")
      }
    }
    // What it wrote before its end; a grandchild may hold the pipe open for longer.
    collect(waiting: 0)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    var status: Int32?
    var signal: Int32?
    switch ending {
    case .exit(let code): status = code
    case .signal(let number): signal = number
    case nil: break
    }
    return CommandOutcome(
      status: status, signal: signal, stdout: text(output), stderr: text(error), seconds: seconds)
  }

  /// Writes a short text, which fits the pipe, and closes.
  private func feed(_ stdin: String) {
    let bytes = Array(stdin.utf8)
    if !bytes.isEmpty { _ = write(input.writing, bytes, bytes.count) }
    close(input.writing)
  }

  private func text(_ pipe: Pipe) -> String {
    String(decoding: texts[pipe.reading] ?? [], as: UTF8.self)
  }

  /// Takes what the pipes hold; waits up to `milliseconds` when they are empty.
  private func collect(waiting milliseconds: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var entries = [output, error].map { pollfd(fd: $0.reading, events: Int16(POLLIN), revents: 0) }
    var wait = milliseconds
    while poll(&entries, nfds_t(entries.count), wait) > 0 {
      wait = 0
      var gotSome = false
      for entry in entries where entry.revents & Int16(POLLIN) != 0 {
        let count = read(entry.fd, &buffer, buffer.count)
        if count > 0 {
          texts[entry.fd, default: []] += buffer[..<count]
          gotSome = true
        }
      }
      // Both ends closed by the child: it is about to end, or has closed its output early.
      guard gotSome else {
        usleep(1_000)
        return
      }
    }
  }
}
