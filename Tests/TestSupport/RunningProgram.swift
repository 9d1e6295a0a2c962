internal import Foundation
internal import Glibc

/// A program that runs while a test watches it, and is killed when the value goes away.
package final class RunningProgram {
  package let pid: Int32
  /// The lines that it printed before it was ready.
  package private(set) var greeting: [String] = []
  private let command: [String]
  private let input: Int32
  private let output: Int32
  // A file, not our own stderr: a grandchild that outlives the test would keep that open, and
  // `swift test` waits until nobody has it.
  private let errors: Int32
  private var buffer: [UInt8] = []
  private var ending: Ending?

  /// Starts `command`; with a `ready` line, waits until the program has printed it.
  package init(
    _ command: [String], ready: String? = "ready", deadline: Duration = .seconds(30),
    environment: [String: String] = [:]
  ) throws {
    self.command = command
    let stdin = try Pipe()
    let stdout = try Pipe()
    var name = Array("/tmp/sprof-test-XXXXXX".utf8CString)
    errors = mkstemp(&name)
    guard errors >= 0 else { throw TestFailure("no temporary file: errno \(errno)") }
    unlink(name)
    _ = fcntl(errors, F_SETFD, FD_CLOEXEC)
    pid = try spawn(
      command, environment: environment, input: stdin.reading, output: stdout.writing,
      error: errors)
    close(stdin.reading)
    close(stdout.writing)
    input = stdin.writing
    output = stdout.reading
    guard let ready else { return }
    while true {
      let line = try readLine(deadline: deadline)
      if line == ready { break }
      greeting.append(line)
    }
  }

  /// Compiles a fixture and starts it.
  package convenience init(
    fixture source: String, _ arguments: [String] = [], compiler: String = "cc",
    flags: [String] = ["-g", "-O1"], environment: [String: String] = [:]
  ) throws {
    let path = try Fixture.compile(source: source, compiler: compiler, flags: flags)
    try self.init([path] + arguments, environment: environment)
  }

  deinit {
    kill()
    for descriptor in [input, output, errors] { close(descriptor) }
  }

  /// The last of what it wrote to stderr, for the words of a failure.
  private var complaints: String {
    var bytes = [UInt8](repeating: 0, count: 2_000)
    let size = lseek(errors, 0, SEEK_END)
    let count = pread(errors, &bytes, bytes.count, max(0, size - off_t(bytes.count)))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// All that it writes to stderr until it ends, which it must be about to.
  package func errorOutput() throws -> String {
    ending = ending ?? reap(pid, block: true)
    let size = max(0, lseek(errors, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let count = pread(errors, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// The next line it prints; throws after `deadline`, or when it has closed its output.
  package func readLine(deadline: Duration = .seconds(20)) throws -> String {
    let end = ContinuousClock.now + deadline
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      if let index = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[..<index], as: UTF8.self)
        buffer.removeSubrange(...index)
        return line
      }
      let left = (end - ContinuousClock.now) / .milliseconds(1)
      guard left > 0 else {
        throw TestFailure("\(command) printed no line in \(deadline): \(complaints)")
      }
      var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, Int32(left.rounded(.up))) > 0 else { continue }
      let count = read(output, &chunk, chunk.count)
      guard count > 0 else { throw TestFailure("\(command) closed its output: \(complaints)") }
      buffer += chunk[..<count]
    }
  }

  /// Writes a line to its standard input.
  package func send(line: String) throws {
    let bytes = Array("\(line)\n".utf8)
    guard write(input, bytes, bytes.count) == bytes.count else {
      throw TestFailure("\(command) does not read its input")
    }
  }

  package func send(signal: Int32) { if ending == nil { Glibc.kill(pid, signal) } }

  /// The figures that a fixture answers to a line.
  package func figures(_ question: String = "report") throws -> [String: Double] {
    try send(line: question)
    let line = try readLine()
    let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return (value ?? [:]).compactMapValues { ($0 as? NSNumber)?.doubleValue }
  }

  /// One of the figures; throws when the fixture has none of that name.
  package func figure(_ name: String) throws -> Double {
    let all = try figures()
    guard let value = all[name] else { throw TestFailure("no figure \(name) in \(all)") }
    return value
  }

  /// Waits until all its threads sleep: after `ready` its main thread goes on for a moment.
  package func awaitSleep() throws {
    try waitUntil("all threads of \(command) sleep") {
      ProcessStatus.threads(of: pid).allSatisfy { ProcessStatus(pid: pid, tid: $0)?.state == "S" }
    }
  }

  /// Ends it with SIGKILL and reaps it; does nothing the second time.
  package func kill() {
    guard ending == nil else { return }
    Glibc.kill(pid, SIGKILL)
    ending = reap(pid, block: true)
  }

  /// Waits until it ends by itself.
  package func waitForEnd(deadline: Duration = .seconds(20)) throws -> Ending {
    try waitUntil("\(command) ended", deadline: deadline) {
      ending = ending ?? reap(pid, block: false)
      return ending != nil
    }
    guard let ending else { throw TestFailure("unreachable") }
    return ending
  }

  /// Throws unless no thread is stopped or traced, and the program still runs.
  ///
  /// `progress` names a figure that a program at work lets grow.
  package func assertUntouched(progress: String? = nil, isStopped: Bool = false) throws {
    ending = ending ?? reap(pid, block: false)
    if let ending { throw TestFailure("\(command) has ended: \(ending)") }
    let threads = ProcessStatus.threads(of: pid)
    guard !threads.isEmpty else { throw TestFailure("\(command) is gone") }
    for tid in threads {
      // A thread may end between the list and the sample.
      guard let status = ProcessStatus(pid: pid, tid: tid) else { continue }
      guard status.tracer == 0 else {
        throw TestFailure("thread \(tid) is traced by \(status.tracer)")
      }
      let stopped = status.state == "T" || status.state == "t"
      guard stopped == isStopped || status.state == "Z" else {
        throw TestFailure("thread \(tid) is in state \(status.state)")
      }
    }
    guard let progress else { return }
    let before = try figure(progress)
    try waitUntil("\(progress) grows") { try figure(progress) > before }
  }
}
