internal import LinuxProcess
internal import PythonReading
internal import Synchronization

/// Carries the frames of language runtimes from the tracer to the resolver, beside the ring: they
/// are put together only when the thread runs again.
final class RuntimeStacks: Sendable {
  private struct State {
    var stacks: [UInt64: RuntimeStack?] = [:]
    var last: UInt64 = 0
    var path: String?
    var names: [Int32: String] = [:]
    var lockHolders: [Int32: Int32] = [:]
    var lockWaiters: Set<Int32> = []
    var lockTime: Int64 = 0
  }

  private let state = Mutex(State())

  /// The file of the interpreter that the stacks are of.
  var path: String? {
    get { state.withLock { $0.path } }
    set { state.withLock { $0.path = newValue } }
  }

  /// By thread: the thread that held the lock of its interpreter at the end, at two moments.
  var lockHolders: [Int32: Int32] {
    get { state.withLock { $0.lockHolders } }
    set { state.withLock { $0.lockHolders = newValue } }
  }

  /// The threads that were seen to wait for that lock at the end.
  var lockWaiters: Set<Int32> {
    get { state.withLock { $0.lockWaiters } }
    set { state.withLock { $0.lockWaiters = newValue } }
  }

  /// The second of those moments, in nanoseconds from the start of the capture.
  var lockTime: Int64 {
    get { state.withLock { $0.lockTime } }
    set { state.withLock { $0.lockTime = newValue } }
  }

  /// The names that the program itself gave its threads.
  var names: [Int32: String] { state.withLock { $0.names } }

  func addNames(_ names: [Int32: String]) {
    state.withLock { $0.names.merge(names) { _, new in new } }
  }

  /// The number for a stack that will come.
  func next() -> UInt64 {
    state.withLock {
      $0.last += 1
      return $0.last
    }
  }

  /// Hands over the stack of that number, nil when it came to nothing.
  ///
  /// Each number that a look carries must be given once.
  func put(_ stack: RuntimeStack?, number: UInt64) {
    state.withLock { $0.stacks[number] = .some(stack) }
  }

  /// The stack of that number; waits for it, which is no longer than a tick.
  func take(_ number: UInt64) -> RuntimeStack? {
    let deadline = MonotonicClock.now() + 5_000_000_000
    while MonotonicClock.now() < deadline {
      if let stack = state.withLock({ $0.stacks.removeValue(forKey: number) }) { return stack }
      MonotonicClock.sleep(until: MonotonicClock.now() + 50_000)
    }
    return nil
  }
}
