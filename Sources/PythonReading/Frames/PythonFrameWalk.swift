internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// The walk along the frames of one thread, which stops where memory was not copied yet, and goes
/// on from there when it was.
struct PythonFrameWalk {
  enum State: Equatable {
    case going
    case ended(RuntimeStack.End)
  }

  /// No Python stack is deeper: frames of 100 bytes would fill a gigabyte.
  static let depthLimit = 1 << 20
  /// Between two readings of the clock; both take about a microsecond.
  private static let stepsBetweenReadings = 64
  /// So many are walked in any case, in some ten microseconds.
  private static let leastRecords = 512

  private let runtime: PythonRuntime
  private let shape: PythonFrameShape
  private let thread: RemoteAddress
  private let interpreter: RemoteAddress
  private let pthread: UInt64
  private(set) var frames: [PythonRawFrame] = []
  /// The walk ends at so many.
  private var limit = Int.max
  /// The anchors of groups, innermost first, and how many frames there were below each.
  private(set) var shims: [(address: RemoteAddress, frames: Int)] = []
  /// `frame` is the innermost one of an activation, where the version keeps it there (3.11).
  private(set) var cframes: [(address: RemoteAddress, frame: RemoteAddress?)] = []
  private(set) var state = State.going
  /// Every record that was read, for the plan of the next copy.
  private(set) var touched: [MemoryRange] = []

  private var stage = Stage.thread
  private var address = RemoteAddress.null
  /// How many records of frames were read, whatever they turned out to be.
  private var records = 0
  private var previousCFrame = RemoteAddress.null
  /// The piece of the copies that held the last frame.
  private var hint = -1
  private var ahead = PythonReadAhead()
  /// Brent's algorithm: the address that the chain must not come back to, and when it is set anew.
  private var mark = RemoteAddress.null
  private var markAt = 2

  private enum Stage { case thread, firstCFrame, frames, cframes }

  init(_ thread: PythonThread, runtime: PythonRuntime) {
    self.thread = thread.state
    interpreter = thread.interpreter
    pthread = thread.pthread
    self.runtime = runtime
    shape = runtime.frameShape
  }

  /// Begins anew, with the buffers of the last walk, and looks for at most so many frames.
  mutating func reset(limit: Int = .max) {
    self.limit = limit
    frames.removeAll(keepingCapacity: true)
    if !shims.isEmpty { shims.removeAll(keepingCapacity: true) }
    if !cframes.isEmpty { cframes.removeAll(keepingCapacity: true) }
    previousCFrame = .null
    touched.removeAll(keepingCapacity: true)
    state = .going
    hint = -1
    stage = .thread
    records = 0
    ahead.reset()
    mark = .null
    markAt = 2
  }

  /// Walks as far as the copies reach; nil at the end of the walk, or when `deadline` has passed.
  mutating func advance(
    in copies: MemoryCopies, until deadline: MonotonicClock.Instant = .distantFuture
  ) -> PythonWant? {
    var steps = 0
    while isGoing {
      steps += 1
      if steps % Self.stepsBetweenReadings == 0, records > Self.leastRecords,
        MonotonicClock.now() >= deadline
      {
        return nil
      }
      let want =
        switch stage {
        case .thread: readThread(copies)
        case .firstCFrame: readFirstCFrame(copies)
        case .frames: readFrame(copies)
        case .cframes: readCFrame(copies)
        }
      if let want { return want }
    }
    return nil
  }

  /// Whether nothing was read yet.
  var isUntouched: Bool { stage == .thread && isGoing }

  /// A place on the C stack within the call that runs the innermost frames; nil where nothing shows it,
  /// as up to 3.9.
  var place: RemoteAddress? {
    let isWithinThread = previousCFrame.isWithin(runtime.threadSize, of: thread)
    if !previousCFrame.isNull, !isWithinThread { return previousCFrame }
    return shims.first?.address
  }

  /// Without `==`, which goes through the witness table of `End` here.
  var isGoing: Bool {
    if case .going = state { true } else { false }
  }

  /// Whether the innermost frame may not be linked to its caller, so that those found are others'.
  ///
  /// The loop of 3.11 to 3.13 makes a frame the current one before it links it to its caller, in
  /// whatever order a compiler likes; until then it finds there what an earlier call has left.
  var isCallerUnknown: Bool {
    guard let innermost = frames.first, shims.first?.frames != 0 else { return false }
    return innermost.isBeginning
  }

  /// What the walk waits for.
  var currentAddress: RemoteAddress {
    switch stage {
    case .thread: thread
    case .firstCFrame: previousCFrame
    case .frames, .cframes: address
    }
  }

  /// `ranges` with the rest of the page behind each frame: the next call will push there.
  func withRoomToGrow(_ ranges: [MemoryRange]) -> [MemoryRange] {
    guard shape.owner != nil, let innermost = frames.first, innermost.owner == 0 else {
      return ranges
    }
    let start = innermost.address + shape.first
    let room = min(Self.roomToGrow, Int(4096 - start.rawValue % 4096))
    return ranges + [MemoryRange(start: start, count: room)]
  }

  /// A few calls' worth of frames.
  private static let roomToGrow = 1024

  /// Ends the walk at memory that cannot be had.
  mutating func giveUp(at address: RemoteAddress) {
    end(.unreadable(address))
  }

  /// Ends a walk for which there was no more time.
  mutating func cut() { end(.cut) }

  private mutating func end(_ end: RuntimeStack.End) {
    // Without their anchors the frames are whole nonetheless; with some, none would fit.
    state = .ended(stage == .cframes ? .complete : end)
    cframes.removeAll(keepingCapacity: true)
  }

  // MARK: - Steps

  private mutating func readThread(_ copies: MemoryCopies) -> PythonWant? {
    let layout = runtime.layout
    let size = runtime.threadSize
    guard let offset = copies.offset(of: thread, count: size) else {
      return PythonWant(range: MemoryRange(start: thread, count: size))
    }
    touched.append(MemoryRange(start: thread, count: size))
    func word(_ field: PythonField) -> UInt64? {
      layout[field].flatMap { $0 + 8 <= size ? copies.load(at: offset + $0, as: UInt64.self) : nil }
    }
    // A thread state that was freed, and its memory used again, belongs to no interpreter.
    // Up to 3.11 a state is made by the thread that starts another, has its id until the other
    // runs, and then the other's.
    guard word(.threadInterpreter) == interpreter.rawValue, (word(.threadPthread) ?? 0) == pthread
    else {
      state = .ended(.unreadable(thread))
      return nil
    }
    previousCFrame = RemoteAddress(word(.threadCFrame) ?? 0)
    if let frame = word(.threadFrame) {
      begin(at: RemoteAddress(frame))
    } else {
      stage = .firstCFrame
    }
    return nil
  }

  private mutating func begin(at frame: RemoteAddress) {
    address = frame
    stage = .frames
    ahead.beginChain()
  }

  private var cframeSpan: Int {
    max((runtime.layout[.cframeFrame] ?? 0), (runtime.layout[.cframePrevious] ?? 0)) + 8
  }

  /// 3.11 and 3.12 keep the current frame in a structure on the C stack.
  private mutating func readFirstCFrame(_ copies: MemoryCopies) -> PythonWant? {
    guard !previousCFrame.isNull, let field = runtime.layout[.cframeFrame] else {
      state = .ended(.complete)
      return nil
    }
    guard let offset = copies.offset(of: previousCFrame, count: cframeSpan) else {
      return want(previousCFrame, count: cframeSpan)
    }
    note(previousCFrame, count: cframeSpan)
    begin(at: RemoteAddress(copies.load(at: offset + field, as: UInt64.self)))
    return nil
  }

  private mutating func readFrame(_ copies: MemoryCopies) -> PythonWant? {
    guard !address.isNull else {
      finishFrames(.complete)
      return nil
    }
    let start = address + shape.first
    guard let offset = copies.offset(of: start, count: shape.span, hint: &hint) else {
      return want(start, count: shape.span, aheadOf: copies)
    }
    note(start, count: shape.span)
    records += 1
    let (frame, previous) = shape.frame(copies, at: address, recordOffset: offset)
    if frame.owner >= shape.lowestShim {
      // The sentinel at the end of a chain of 3.15 is part of the thread state.
      if !address.isWithin(runtime.threadSize, of: thread) { shims.append((address, frames.count)) }
    } else {
      frames.append(frame)
    }
    step(to: previous)
    return nil
  }

  private mutating func step(to previous: RemoteAddress) {
    guard !previous.isNull else { return finishFrames(.complete) }
    guard previous != address, previous != mark else { return finishFrames(.cyclic) }
    guard frames.count < limit else { return finishFrames(.limited) }
    guard records < Self.depthLimit else { return finishFrames(.tooDeep) }
    if records >= markAt {
      mark = address
      markAt *= 2
    }
    address = previous
  }

  private mutating func finishFrames(_ end: RuntimeStack.End) {
    let hasAnchors = !shape.hasShims && runtime.layout[.threadCFrame] != nil
    guard end == .complete, hasAnchors else {
      state = .ended(end)
      return
    }
    stage = .cframes
    address = previousCFrame
    ahead.beginChain()
  }

  /// 3.10 and 3.11: one structure on the C stack for each activation of the interpreter's loop.
  ///
  /// The chain ends at the one within the thread state, whose `previous` may be anything.
  private mutating func readCFrame(_ copies: MemoryCopies) -> PythonWant? {
    let isRoot = address.isWithin(runtime.threadSize, of: thread)
    guard !address.isNull, !isRoot, cframes.count <= frames.count,
      let field = runtime.layout[.cframePrevious]
    else {
      state = .ended(.complete)
      return nil
    }
    guard let offset = copies.offset(of: address, count: cframeSpan) else {
      return want(address, count: cframeSpan, aheadOf: copies)
    }
    note(address, count: cframeSpan)
    let frame = runtime.layout[.cframeFrame].map {
      RemoteAddress(copies.load(at: offset + $0, as: UInt64.self))
    }
    cframes.append((address, frame))
    address = RemoteAddress(copies.load(at: offset + field, as: UInt64.self))
    return nil
  }

  // MARK: - Memory

  /// Notes a record; those of calls are mostly side by side.
  private mutating func note(_ start: RemoteAddress, count: Int) {
    guard let last = touched.last, let both = last.joined(with: start, count: count) else {
      touched.append(MemoryRange(start: start, count: count))
      return
    }
    touched[touched.count - 1] = both
  }

  private mutating func want(
    _ start: RemoteAddress, count: Int, aheadOf copies: MemoryCopies? = nil
  ) -> PythonWant {
    ahead.want(
      MemoryRange(start: start, count: count), found: frames.count + cframes.count,
      isObject: shape.owner == nil, aheadOf: copies)
  }
}

extension MemoryRange {
  /// Both pieces as one, if they are close together in one page.
  fileprivate func joined(with start: RemoteAddress, count: Int) -> MemoryRange? {
    let (first, end) = (
      min(self.start.rawValue, start.rawValue),
      max(self.start.rawValue &+ UInt64(self.count), start.rawValue &+ UInt64(count))
    )
    let (whole, overflow) = end.subtractingReportingOverflow(first)
    guard !overflow, first >> 12 == (end &- 1) >> 12,
      whole <= UInt64(self.count + count + PythonCopyPlan.gap)
    else { return nil }
    return MemoryRange(start: RemoteAddress(first), count: Int(whole))
  }
}
