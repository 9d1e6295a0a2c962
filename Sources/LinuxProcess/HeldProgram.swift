internal import CLinux
internal import Glibc
internal import Synchronization

/// A program that was started and waits before its first instruction until it is let go.
///
/// It is a child of this process and stays a zombie until `waitForEnd`, so that its number is not
/// given to another meanwhile.
package final class HeldProgram: Sendable {
  /// Why a program could not be started.
  package enum Failure: Error, Equatable, Sendable {
    /// No such file in `PATH`, or the file or its interpreter is not there.
    case notFound
    /// The file is there but cannot be executed.
    case notExecutable(SystemError)
    case system(SystemError)
  }

  /// How a program ended.
  package enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  package let pid: Int32
  private let isReleased = Atomic<Bool>(false)
  private let isHeld = Atomic<Bool>(false)

  private init(pid: Int32) { self.pid = pid }

  /// Starts `command`, found through `PATH`, with this process's standard files, environment,
  /// folder and, as its signal mask, `mask`; returns when it is about to run its first instruction.
  ///
  /// A thread of its own holds it there: the kernel answers only the thread that seized.
  @available(*, noasync, message: "blocks until the program has been loaded")
  package static func start(
    _ command: [String], mask: SignalMask
  ) throws(Failure) -> HeldProgram {
    precondition(!command.isEmpty, "a program has a name")
    var (gate, errors): (CInt, CInt) = (-1, -1)
    var mask = mask.signals
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    let pid = sprof_spawn_held(arguments, &mask, &gate, &errors)
    guard pid > 0 else { throw .system(SystemError("fork", code: -pid)) }
    let program = HeldProgram(pid: pid)
    let outcome = Outcome()
    let (gateFile, errorFile) = (gate, errors)
    do {
      // Nobody waits for this thread: it ends soon after the program was let go.
      _ = try TracerThread.startHelper {
        outcome.set(program.hold(gate: gateFile, errors: errorFile))
        program.awaitRelease()
      }
    } catch {
      close(gate)
      close(errors)
      var status: CInt = 0
      waitpid(pid, &status, 0)
      throw .system(error)
    }
    if let failure = outcome.wait() {
      _ = program.waitForEnd()
      throw failure
    }
    return program
  }

  /// Lets the program run.
  package func release() { isReleased.store(true, ordering: .releasing) }

  /// Waits for the program's end and collects it.
  ///
  /// Call it once. `collected` is the status when a stop of the program met its end
  /// (`StoppedThreads.collectedEnd`).
  @available(*, noasync, message: "blocks until the program has ended")
  package func waitForEnd(collected: CInt? = nil) -> Ending {
    var status = collected ?? 0
    while collected == nil, waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return .exited(0) }
    }
    let signal = status & 0x7f
    return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
  }

  // MARK: - The thread that holds it

  private func hold(gate: CInt, errors: CInt) -> Failure? {
    defer { close(errors) }
    // Not to be traced: then it runs a little before the first look, and nothing else is lost.
    let isSeized = sprof_ptrace_seize_for_exec(pid) == 0
    var byte: UInt8 = 1
    let written = Glibc.write(gate, &byte, 1)
    close(gate)
    guard written == 1 else { return .system(SystemError("write", code: EPIPE)) }
    if isSeized {
      isHeld.store(waitForExec(), ordering: .releasing)
      if isHeld.load(ordering: .acquiring) { return nil }
    }
    var code: CInt = 0
    let size = MemoryLayout<CInt>.size
    guard read(errors, &code, size) == size else { return nil }
    switch code {
    case ENOENT, ENOTDIR: return .notFound
    case EACCES, ENOEXEC, EISDIR, ETXTBSY: return .notExecutable(SystemError("exec", code: code))
    default: return .system(SystemError("exec", code: code))
    }
  }

  /// Waits for the stop after exec, passing on the signals that come before; false when the program
  /// has ended instead.
  private func waitForExec() -> Bool {
    var status: CInt = 0
    while true {
      let result = sprof_wait(pid, &status, 0)
      if result == -EINTR { continue }
      guard result > 0, status & 0x7f == 0x7f else { return false }
      // PTRACE_EVENT_EXEC is 4 (ptrace(2)).
      if status >> 16 == 4 { return true }
      let isEventStop = status >> 16 == 128
      _ = sprof_ptrace_continue(pid, isEventStop ? 0 : (status >> 8) & 0xff)
    }
  }

  private func awaitRelease() {
    guard isHeld.load(ordering: .acquiring) else { return }
    while !isReleased.load(ordering: .acquiring) {
      MonotonicClock.sleep(until: MonotonicClock.now() + 200_000)
    }
    _ = sprof_ptrace_detach(pid, 0)
  }
}

/// The signals that a thread keeps waiting.
package struct SignalMask: Sendable {
  fileprivate let signals: sigset_t

  /// Makes `signals` wait for the calling thread and those that it starts; gives the mask of before.
  package static func block(_ signals: [Int32]) -> SignalMask {
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for signal in signals { sigaddset(&blocked, signal) }
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    return SignalMask(signals: before)
  }
}

/// What the holding thread tells the starting one.
private final class Outcome: Sendable {
  private let state = Mutex<(isSet: Bool, failure: HeldProgram.Failure?)>((false, nil))

  func set(_ failure: HeldProgram.Failure?) { state.withLock { $0 = (true, failure) } }

  func wait() -> HeldProgram.Failure? {
    while true {
      let (isSet, failure) = state.withLock { $0 }
      if isSet { return failure }
      MonotonicClock.sleep(until: MonotonicClock.now() + 100_000)
    }
  }
}
