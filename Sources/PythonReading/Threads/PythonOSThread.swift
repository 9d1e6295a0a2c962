internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A thread of the process with the thread states that it has, one of each interpreter that it runs, and
/// with those that any thread may have.
final class PythonOSThread: RuntimeThread {
  private let tid: Int32
  private let reader: PythonReader
  private let readers: [PythonThreadReader]
  /// The thread's own are the first.
  private let ownCount: Int
  /// What the copy was taken of.
  private var place = ThreadPlace()
  /// The stack, where nothing else shows whose the frames are.
  private var stack: PythonStackTrace?
  /// Whether the copy was taken where nothing shows the frames.
  private var isEntering = false

  init(_ readers: [PythonThreadReader], ownCount: Int, tid: Int32, of reader: PythonReader) {
    self.readers = readers
    self.ownCount = ownCount
    self.tid = tid
    self.reader = reader
    guard !reader.runtime.hasStackPlaces, readers.contains(where: { needsProof($0) }) else {
      return
    }
    stack = PythonStackTrace()
  }

  private var own: ArraySlice<PythonThreadReader> { readers.prefix(ownCount) }

  func warmUp(from memory: some TargetMemory) {
    limitDepth()
    for reader in readers { reader.warmUp(from: memory) }
  }

  func prepare() {
    limitDepth()
    for reader in readers { reader.prepare() }
  }

  /// Where frames show whose they are, or the tasks that wait are behind them, all are needed.
  private func limitDepth() {
    for reader in readers {
      let needsAll = self.reader.taskPlaces != nil || needsProof(reader)
      reader.wantedDepth = needsAll ? nil : self.reader.maxDepth
    }
  }

  func isInTransit(at instruction: RemoteAddress) -> Bool {
    ownCount > 0 && reader.runtime.isEnteringLoop(at: instruction)
  }

  func copy(
    at place: ThreadPlace, from memory: some TargetMemory, reads: Int,
    until deadline: MonotonicClock.Instant,
    isStopped: Bool
  ) -> Bool {
    self.place = reader.withinOwnStack(place)
    isEntering = isInTransit(at: place.registers.instructionPointer)
    var isComplete = true
    for reader in readers {
      if !reader.copy(from: memory, reads: reads, until: deadline, isStopped: isStopped) {
        isComplete = false
      }
    }
    stack?.copy(self.place.usedStack, from: memory)
    return isComplete
  }

  var isCopyInTransit: Bool { isEntering || own.contains(where: \.isInTransit) }

  func finish() -> RuntimeStack {
    var found: [(stack: RuntimeStack, start: RemoteAddress?)] = []
    // The thread's own come first, newest first.
    var ownFound = 0
    var isCallerUnknown = isEntering
    for (index, reader) in readers.enumerated() {
      let stack = reader.finish()
      let (isMine, start) = placing(of: reader)
      guard isMine || (index < ownCount && stack.frames.isEmpty) else {
        // They may be of this thread all the same.
        isCallerUnknown = isCallerUnknown || index < ownCount
        continue
      }
      found.append((stack, start))
      if index < ownCount { ownFound += 1 }
      isCallerUnknown = isCallerUnknown || reader.isCallerUnknown
    }
    // Up to 3.9 nothing but what was found on the stack shows which interpreter was called by which.
    if stack != nil {
      let starts = found.prefix(ownFound).compactMap(\.start)
      // An interpreter calls only newer ones. What is found otherwise was left over from earlier calls.
      if zip(starts, starts.dropFirst()).contains(where: { $0 > $1 }) { isCallerUnknown = true }
      found.sort { ($0.start ?? RemoteAddress(0)) < ($1.start ?? RemoteAddress(0)) }
    }
    var result = RuntimeStack.joined(found.map(\.stack))
    if isCallerUnknown { result.reject() }
    return result
  }
}

// MARK: - Whose frames they are

extension PythonOSThread {
  private func owner(of state: PythonThreadReader) -> PythonThreadOwners.Owner {
    reader.owners[state.thread]
  }

  private func needsProof(_ state: PythonThreadReader) -> Bool {
    let owner = owner(of: state)
    return owner.isShared || owner.isElsewhere || owner.tid != tid
  }

  /// Whether the frames that were copied are of this thread, and where on its stack the innermost one was
  /// found.
  private func placing(of state: PythonThreadReader) -> (isMine: Bool, start: RemoteAddress?) {
    let isTrusted = !needsProof(state)
    guard !state.hasNoFrames, !place.usedStack.isEmpty else { return (isTrusted, nil) }
    if let start = start(of: state) {
      reader.note(state.thread, tid, isThere: true)
      return (true, start)
    }
    // Where nothing shows it, or in a handler that has a stack of its own, there is only the id.
    let isKnown = state.walk.place != nil || stack != nil
    if isTrusted, !isKnown || !isOnOwnStack(state.thread) { return (true, nil) }
    reader.note(state.thread, tid, isThere: false)
    return (false, nil)
  }

  private func start(of state: PythonThreadReader) -> RemoteAddress? {
    if let place = state.walk.place { return self.place.usedStack.contains(place) ? place : nil }
    return stack?.start(of: state.walk.frames, place.registers)
  }

  /// Whether the stack pointer is in the stack that the thread began with.
  ///
  /// C libraries keep what `pthread_self()` points to at that stack's upper end; for the main thread it is
  /// elsewhere, below its stack.
  private func isOnOwnStack(_ thread: PythonThread) -> Bool {
    let pthread = RemoteAddress(thread.pthread)
    return reader.isMain(tid)
      ? place.registers.stackPointer > pthread : place.stack.contains(pthread)
  }
}
