internal import LinuxProcess
internal import PythonReading
internal import Synchronization

/// Carries the frames of language runtimes from the tracer to the resolver, beside the ring: they
/// are put together only when the thread runs again.
final class RuntimeStacks: Sendable {
  fileprivate struct State {
    /// Those that were handed over and not taken, from `head` on, with ascending numbers.
    var waiting: [(number: UInt64, stack: RuntimeStack?)] = []
    var head = 0
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

  /// Hands over the stack of a look, nil when it came to nothing.
  ///
  /// Numbers ascend, and each that a look carries must be given once.
  func put(_ stack: RuntimeStack?, number: UInt64) {
    state.withLock { $0.waiting.append((number, stack)) }
  }

  /// The stack of that number; waits for it, which is no longer than a tick.
  ///
  /// Those with smaller numbers are dropped: take them in the order of the looks.
  func take(_ number: UInt64) -> RuntimeStack? {
    let deadline = MonotonicClock.now() + 5_000_000_000
    while MonotonicClock.now() < deadline {
      if let stack = state.withLock({ $0.take(number) }) { return stack }
      MonotonicClock.sleep(until: MonotonicClock.now() + 50_000)
    }
    return nil
  }
}

extension RuntimeStacks.State {
  /// Nil when it was not handed over yet.
  fileprivate mutating func take(_ number: UInt64) -> RuntimeStack?? {
    var result: RuntimeStack??
    while head < waiting.count, waiting[head].number <= number {
      if waiting[head].number == number { result = .some(waiting[head].stack) }
      waiting[head].stack = nil
      head += 1
    }
    if head == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 1024 {
      waiting.removeFirst(head)
      head = 0
    }
    return result
  }
}
