internal import CLinux
internal import Foundation
internal import LinuxProcess
internal import ProfileModel
internal import Testing

/// A command that failed, with what it said.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs `arguments` to its end.
///
/// Returns what it wrote to its standard output.
@discardableResult
func run(_ arguments: [String]) throws -> String {
  let command = try Child(arguments)
  let output = command.readAll()
  guard command.waitForEnd() == 0 else {
    throw CommandFailure(description: arguments.joined(separator: " ") + ":\n" + output)
  }
  return output
}

/// Whether a program of that name is on PATH.
func isInstalled(_ name: String) -> Bool {
  (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { access("\($0)/\(name)", X_OK) == 0 }
}

/// A child process with an empty signal mask, whose output is a pipe; killed when it goes away.
final class Child {
  let pid: pid_t
  private let output: CInt
  private var hasEnded = false

  init(_ arguments: [String]) throws {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SystemError("pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // Dispatch's threads block signals, and a child inherits the mask.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      close(ends[1])
    }
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &words, environ)
    guard code == 0 else {
      close(ends[0])
      throw SystemError(arguments[0], code: code)
    }
    self.pid = pid
    output = ends[0]
  }

  deinit {
    if !hasEnded {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    close(output)
  }

  func readAll() -> String {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(output, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += chunk[..<count]
    }
  }

  /// Waits until the child has written `mark`; the fixtures write a line `ready`.
  func waitUntilReady(_ mark: String = "ready\n") throws {
    var text = ""
    var byte: UInt8 = 0
    while !text.hasSuffix(mark) {
      // Half a minute is no handshake, but the end of a test that would hang.
      var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, 30_000) == 1, read(output, &byte, 1) == 1 else {
        throw CommandFailure(description: "ended or hung before it was ready: \(text)")
      }
      text.append(Character(UnicodeScalar(byte)))
    }
  }

  func waitForEnd() -> CInt {
    var status: CInt = 0
    waitpid(pid, &status, 0)
    hasEnded = true
    return status
  }

  /// The value of a line of `/proc/PID/status`.
  func status(_ key: String) throws -> String? {
    try ProcFile.read("/proc/\(pid)/status").split(separator: "\n")
      .first { $0.hasPrefix(key + ":") }
      .map { $0.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces) }
  }

  /// Checks that nothing is left of having been watched, then ends the child.
  func expectUnharmed() throws {
    #expect(try status("TracerPid") == "0")
    let state = try #require(try status("State")?.first)
    #expect(state == "R" || state == "S", "state \(state)")
  }
}

/// Takes snapshots of one thread by stopping it; every call begins and ends untraced.
struct SnapshotTaker {
  let tid: pid_t
  /// The most bytes of the stack that are copied.
  var limit = 16 << 20

  /// Stops the thread, copies, lets it go, and then hands the copy to `body`.
  func withSnapshot<Result>(_ body: (StackSnapshot) throws -> Result) throws -> Result {
    let memory = ProcessMemory(tid: tid)
    let maps = try memory.maps()
    var taken: (registers: Registers, copy: Copy)?
    // On a loaded machine a thread may get no CPU for as long as a stop is waited for.
    for _ in 0..<100 where taken == nil {
      let stops = StoppedThreads()
      guard stops.seize(tid, tag: 0, mayRestartCall: true) == .requested else {
        throw SystemError("ptrace(seize)", code: ESRCH)
      }
      stops.interruptAll().forEachStopped { stopped in
        let registers = stopped.registers
        guard
          let copy = try? Self.copyStack(
            registers.stackPointer, limit: limit, maps: maps, memory: memory)
        else { return }
        taken = (registers, copy)
      }
      while !stops.isEmpty { stops.releaseOverdue() }
    }
    let (registers, copy) = try #require(taken)
    return try copy.bytes.withUnsafeBytes {
      try body(
        StackSnapshot(
          registers: registers, start: copy.start, bytes: $0, reachesEnd: copy.reachesEnd))
    }
  }

  /// A snapshot of a sleeping thread from what the kernel tells without a stop.
  func withSleepingSnapshot<Result>(_ body: (StackSnapshot) throws -> Result) throws -> Result {
    let fields = try ProcFile.read("/proc/\(tid)/syscall").split(separator: " ")
    let numbers = fields.suffix(2).compactMap {
      UInt64($0.dropFirst(2).trimmingCharacters(in: .whitespacesAndNewlines), radix: 16)
    }
    try #require(numbers.count == 2)
    let registers = Registers(
      stackPointer: RemoteAddress(numbers[0]), instructionPointer: RemoteAddress(numbers[1]))
    let memory = ProcessMemory(tid: tid)
    let copy = try Self.copyStack(
      registers.stackPointer, limit: limit, maps: try memory.maps(), memory: memory)
    return try copy.bytes.withUnsafeBytes {
      try body(
        StackSnapshot(
          registers: registers, start: copy.start, bytes: $0, reachesEnd: copy.reachesEnd))
    }
  }

  private typealias Copy = (bytes: [UInt8], start: RemoteAddress, reachesEnd: Bool)

  private static func copyStack(
    _ stackPointer: RemoteAddress, limit: Int, maps: MemoryMaps, memory: ProcessMemory
  ) throws -> Copy {
    let mapping = try #require(maps.mapping(containing: stackPointer))
    let start = max(mapping.start, stackPointer.advanced(by: -512))
    let size = Int(mapping.end.rawValue - start.rawValue)
    let bytes = try #require(memory.read(at: start, count: min(size, limit)))
    return (bytes, start, bytes.count == size)
  }
}

/// A program compiled for one test, in a directory that goes away with it.
final class Program {
  let directory: String
  let path: String

  /// Compiles `source` by `compiler` (with its flags), and strips it if wanted.
  init(
    _ source: String, compiler: [String], libraries: [String: String] = [:], strip: Bool = false,
    suffix: String = "c"
  ) throws {
    directory = NSTemporaryDirectory() + "sprof-unwind-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    path = directory + "/program"
    let file = directory + "/program." + suffix
    var arguments = compiler + ["-o", path, file]
    try source.write(toFile: file, atomically: true, encoding: .utf8)
    for (name, code) in libraries.sorted(by: { $0.key < $1.key }) {
      let file = directory + "/lib\(name)"
      try code.write(toFile: file + ".c", atomically: true, encoding: .utf8)
      try run(["cc", "-O2", "-fPIC", "-shared", "-o", file + ".so", file + ".c"])
      arguments += [file + ".so", "-Wl,-rpath,\(directory)"]
    }
    try run(arguments + (suffix == "c" ? ["-lpthread"] : []))
    if strip { try run(["strip", path]) }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// The addresses of a function, by the symbol table.
  func range(of function: String) throws -> Range<UInt64> {
    let line = try #require(
      try run(["nm", "-S", path]).split(separator: "\n")
        .first { $0.hasSuffix(" \(function)") })
    let fields = line.split(separator: " ")
    let start = try #require(UInt64(fields[0], radix: 16))
    let size = try #require(UInt64(fields[1], radix: 16))
    return start..<start + size
  }

  /// Writes a changed copy of the program beside it; the next one takes its place.
  func variant(_ bytes: Data) throws -> String {
    let file = directory + "/variant"
    try? FileManager.default.removeItem(atPath: file)
    try bytes.write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    return file
  }

  func start() throws -> Child {
    let child = try Child([path])
    try child.waitUntilReady()
    return child
  }
}
