internal import LinuxProcess

/// The sleep in which a tick has met a thread.
struct MetSleep {
  typealias Call = (number: Int32, arguments: InlineArray<6, UInt64>)

  let state: ThreadState
  /// The system call, -1 for none, as in a page fault; nil where the thread woke up before it was read.
  let call: Call?
  /// Whether it is another sleep than that of the sample before.
  let isNew: Bool
  /// Whether the thread waits for its interpreter's lock.
  var awaitsLock = false

  /// Nil for a state that is no sleep.
  init?(_ state: ThreadState?, in call: SystemCallState, isNew: Bool) {
    guard let state, state != .running, !state.hasEnded else { return nil }
    self.state = state
    self.isNew = isNew
    if case .asleep(let number, let arguments, _, _) = call {
      self.call = (number, arguments)
    } else {
      self.call = nil
    }
  }

  /// A sleep in `call`, which a later stop showed.
  init(in call: StoppedThread.Call, isNew: Bool) {
    state = .sleeping
    self.call = (call.number, call.arguments)
    self.isNew = isNew
  }

  /// The call in which the thread slept with the stack that it has in its stop, which came in `stopCall`; nil
  /// where it has gone on since.
  func call(in stopCall: StoppedThread.Call?) -> Call? {
    let inStop: Call? = stopCall.map { ($0.number, $0.arguments) }
    guard let call else { return inStop }
    return call.number < 0 || call.number == inStop?.number ? call : nil
  }
}
