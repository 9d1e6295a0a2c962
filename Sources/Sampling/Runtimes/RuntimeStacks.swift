internal import ProfileModel
internal import RuntimeReading
internal import Synchronization

/// Carries the frames of language runtimes from the tracer to the resolver, beside the ring: they
/// are put together only when the thread runs again.
final class RuntimeStacks: Sendable {
  fileprivate struct State {
    /// Those that were handed over and not taken, from `head` on, with ascending numbers.
    var waiting: [(number: UInt64, stack: RuntimeStack?)] = []
    var head = 0
    var lastNumber: UInt64 = 0
    var nativeCode: [any RuntimeNativeCode] = []
    var names: [Int32: (name: String, time: Nanoseconds)] = [:]
    var main: Int32?
  }

  private let state = Mutex(State())

  /// The native code of the runtimes that the stacks are of, each file once.
  var nativeCode: [any RuntimeNativeCode] { state.withLock { $0.nativeCode } }

  /// Notes a runtime before the first stack of it comes.
  func add(_ code: any RuntimeNativeCode) {
    state.withLock { state in
      guard !state.nativeCode.contains(where: { $0.path == code.path }) else { return }
      state.nativeCode.append(code)
    }
  }

  /// The name that the program itself gave a thread that was first seen at this time.
  ///
  /// One that was read before is another thread's, whose number it has got.
  func name(of tid: Int32, seenSince time: Nanoseconds) -> String? {
    state.withLock { state in
      state.names[tid].flatMap { $0.time >= time ? $0.name : nil }
    }
  }

  /// Takes the names of threads as they were at a time, since the start of the capture.
  func addNames(_ names: [Int32: String], at time: Nanoseconds) {
    state.withLock { state in
      for (tid, name) in names { state.names[tid] = (name, time) }
    }
  }

  /// Notes the thread that the program's main function runs in.
  func noteMain(_ thread: Int32) { state.withLock { $0.main = thread } }

  /// The thread that the program's main function runs in; nil where that is the process's first.
  var mainThread: Int32? { state.withLock { $0.main } }

  func forgetName(of thread: Int32) {
    state.withLock { $0.names[thread] = nil }
  }

  /// Hands over the stacks of samples, nil for those that came to nothing.
  ///
  /// Numbers ascend, and each that a sample carries must be given once.
  func put(_ stacks: [(number: UInt64, stack: RuntimeStack?)]) {
    guard let last = stacks.last else { return }
    state.withLock {
      $0.waiting += stacks
      $0.lastNumber = last.number
    }
  }

  /// The number up to which all were handed over.
  var lastNumber: UInt64 { state.withLock { $0.lastNumber } }

  /// The stack of that number, which must have been handed over.
  ///
  /// Those with smaller numbers are dropped: take them in the order of the samples.
  func take(_ number: UInt64) -> RuntimeStack? { state.withLock { $0.take(number) } }
}

extension RuntimeStacks.State {
  fileprivate mutating func take(_ number: UInt64) -> RuntimeStack? {
    var result: RuntimeStack?
    while head < waiting.count, waiting[head].number <= number {
      if waiting[head].number == number { result = waiting[head].stack }
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
