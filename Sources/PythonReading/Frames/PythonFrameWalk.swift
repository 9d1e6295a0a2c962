internal import LinuxProcess
internal import ProfileModel

/// The walk along the frames of one thread, which stops where memory was not copied yet, and goes
/// on from there when it was.
struct PythonFrameWalk {
  /// What a walk needs to go on.
  struct Want: Equatable {
    let range: MemoryRange
    /// What probably comes next, on either side; each up to the first page that is not there.
    var below: [MemoryRange] = []
    var above: [MemoryRange] = []
  }

  enum State: Equatable {
    case going
    case ended(RuntimeStack.End)
  }

  /// No Python stack is deeper: frames of 100 bytes would fill a gigabyte.
  static let depthLimit = 1 << 20
  /// As a power of two: half a megabyte on one side.
  private static let mostPagesAhead = 7
  /// Between two looks at the clock; both take about a microsecond.
  private static let stepsOfOneSample = 64
  /// So many are walked in any case, in some ten microseconds.
  private static let leastRecords = 512

  private let runtime: PythonRuntime
  private let shape: PythonFrameShape
  private let thread: UInt64
  private let interpreter: UInt64
  private let pthread: UInt64
  private(set) var frames: [PythonRawFrame] = []
  /// The anchors of groups, innermost first, and how many frames there were below each.
  private(set) var shims: [(address: UInt64, frames: Int)] = []
  private(set) var cframes: [UInt64] = []
  private(set) var state = State.going
  /// Every record that was read, for the plan of the next copy.
  private(set) var touched: [MemoryRange] = []

  private var stage = Stage.thread
  private var address: UInt64 = 0
  /// How many records of frames were read, whatever they turned out to be.
  private var records = 0
  private var previousCFrame: UInt64 = 0
  private var misses = 0
  /// The piece of the copies that held the last frame.
  private var hint = -1
  /// How far the last piece led, and how many pages ahead to take: a power of two.
  private var foundAtMiss = 0
  private var power = 0
  /// Where the last piece began: the way mostly goes on in one direction.
  private var lastMiss: UInt64 = 0
  /// Brent's algorithm: the address that the chain must not come back to, and when it is set anew.
  private var mark: UInt64 = 0
  private var markAt = 2

  private enum Stage { case thread, firstCFrame, frames, cframes }

  init(_ thread: PythonThread, runtime: PythonRuntime) {
    self.thread = thread.state.rawValue
    interpreter = thread.interpreter.rawValue
    pthread = thread.pthread
    self.runtime = runtime
    shape = runtime.frameShape
  }

  /// Begins anew, with the buffers of the last walk.
  mutating func reset() {
    frames.removeAll(keepingCapacity: true)
    if !shims.isEmpty { shims.removeAll(keepingCapacity: true) }
    if !cframes.isEmpty { cframes.removeAll(keepingCapacity: true) }
    touched.removeAll(keepingCapacity: true)
    state = .going
    hint = -1
    stage = .thread
    records = 0
    misses = 0
    foundAtMiss = 0
    power = 0
    lastMiss = 0
    mark = 0
    markAt = 2
  }

  /// Walks as far as the copies reach; nil at the end of the walk, or when `deadline` has passed.
  mutating func advance(in copies: MemoryCopies, until deadline: Int64 = .max) -> Want? {
    var steps = 0
    while isGoing {
      steps += 1
      if steps % Self.stepsOfOneSample == 0, records > Self.leastRecords,
        MonotonicClock.now().rawValue >= deadline
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

  /// Without `==`, which goes through the witness table of `End` here.
  var isGoing: Bool {
    if case .going = state { true } else { false }
  }

  /// Whether the innermost frame may not be linked to its caller, so that those found are others'.
  ///
  /// The loop of 3.11 to 3.13 makes a frame the current one and then tells it who called it, in
  /// whatever order a compiler likes; until then it finds there what an earlier call has left.
  var isCallerUnknown: Bool {
    guard let innermost = frames.first, shims.first?.frames != 0 else { return false }
    return innermost.isBeginning
  }

  /// What the walk waits for.
  var currentAddress: UInt64 {
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
    let start = innermost.address &+ UInt64(shape.first)
    let room = min(Self.roomToGrow, Int(4096 - start % 4096))
    return ranges + [MemoryRange(start: RemoteAddress(start), count: room)]
  }

  /// A few calls' worth of frames.
  private static let roomToGrow = 1024

  /// Ends the walk at memory that cannot be had.
  mutating func giveUp(at address: UInt64) {
    end(.unreadable(RemoteAddress(address)))
  }

  /// Ends a walk for which there was no more time.
  mutating func cut() { end(.cut) }

  private mutating func end(_ end: RuntimeStack.End) {
    // Without their anchors the frames are whole nonetheless; with some, none would fit.
    state = .ended(stage == .cframes ? .complete : end)
    cframes.removeAll(keepingCapacity: true)
  }

  // MARK: - Steps

  private mutating func readThread(_ copies: MemoryCopies) -> Want? {
    let layout = runtime.layout
    let size = runtime.threadSize
    guard let offset = copies.offset(of: thread, count: size) else {
      return Want(range: MemoryRange(start: RemoteAddress(thread), count: size))
    }
    touched.append(MemoryRange(start: RemoteAddress(thread), count: size))
    func word(_ field: PythonField) -> UInt64? {
      layout[field].flatMap { $0 + 8 <= size ? copies.load(at: offset + $0, as: UInt64.self) : nil }
    }
    // A thread state that was freed, and its memory used again, belongs to no interpreter.
    // Up to 3.11 a state is made by the thread that starts another, bears its id until the other
    // runs, and then the other's.
    guard word(.threadInterpreter) == interpreter, (word(.threadPthread) ?? 0) == pthread else {
      state = .ended(.unreadable(RemoteAddress(thread)))
      return nil
    }
    previousCFrame = word(.threadCFrame) ?? 0
    if let frame = word(.threadFrame) {
      begin(at: frame)
    } else {
      stage = .firstCFrame
    }
    return nil
  }

  private mutating func begin(at frame: UInt64) {
    address = frame
    stage = .frames
    misses = 0
  }

  private var cframeSpan: Int {
    max((runtime.layout[.cframeFrame] ?? 0), (runtime.layout[.cframePrevious] ?? 0)) + 8
  }

  /// 3.11 and 3.12 keep the current frame in a structure on the C stack.
  private mutating func readFirstCFrame(_ copies: MemoryCopies) -> Want? {
    guard previousCFrame != 0, let field = runtime.layout[.cframeFrame] else {
      state = .ended(.complete)
      return nil
    }
    guard let offset = copies.offset(of: previousCFrame, count: cframeSpan) else {
      return want(previousCFrame, count: cframeSpan)
    }
    note(previousCFrame, count: cframeSpan)
    begin(at: copies.load(at: offset + field, as: UInt64.self))
    return nil
  }

  private mutating func readFrame(_ copies: MemoryCopies) -> Want? {
    guard address != 0 else {
      finishFrames(.complete)
      return nil
    }
    let start = address &+ UInt64(shape.first)
    guard let offset = copies.offset(of: start, count: shape.span, hint: &hint) else {
      return want(start, count: shape.span, aheadOf: copies)
    }
    note(start, count: shape.span)
    records += 1
    let (frame, previous) = shape.frame(copies, at: address, recordOffset: offset)
    if frame.owner >= shape.lowestShim {
      // The sentinel at the end of a chain of 3.15 is part of the thread state.
      let isSentinel = address &- thread < UInt64(runtime.threadSize)
      if !isSentinel { shims.append((address, frames.count)) }
    } else {
      frames.append(frame)
    }
    step(to: previous)
    return nil
  }

  private mutating func step(to previous: UInt64) {
    guard previous != 0 else { return finishFrames(.complete) }
    guard previous != address, previous != mark else { return finishFrames(.cyclic) }
    guard records < Self.depthLimit else { return finishFrames(.tooDeep) }
    if records >= markAt {
      mark = address
      markAt *= 2
    }
    address = previous
  }

  private mutating func finishFrames(_ end: RuntimeStack.End) {
    let hasAnchors = shape.lowestShim == .max && runtime.layout[.threadCFrame] != nil
    guard end == .complete, hasAnchors else {
      state = .ended(end)
      return
    }
    stage = .cframes
    address = previousCFrame
    misses = 0
  }

  /// 3.10 and 3.11: one structure on the C stack for each activation of the interpreter's loop.
  ///
  /// The chain ends at the one within the thread state, whose `previous` may be anything.
  private mutating func readCFrame(_ copies: MemoryCopies) -> Want? {
    let isRoot = address &- thread < UInt64(runtime.threadSize)
    guard address != 0, !isRoot, cframes.count <= frames.count,
      let field = runtime.layout[.cframePrevious]
    else {
      state = .ended(.complete)
      return nil
    }
    guard let offset = copies.offset(of: address, count: cframeSpan) else {
      return want(address, count: cframeSpan, aheadOf: copies)
    }
    note(address, count: cframeSpan)
    cframes.append(address)
    address = copies.load(at: offset + field, as: UInt64.self)
    return nil
  }

  // MARK: - Wanted memory

  /// Notes a record; those of calls mostly lie side by side.
  private mutating func note(_ start: UInt64, count: Int) {
    let end = start &+ UInt64(count)
    if let last = touched.last {
      let (lastStart, lastEnd) = (last.start.rawValue, last.start.rawValue &+ UInt64(last.count))
      let first = min(start, lastStart)
      let (whole, overflow) = max(end, lastEnd).subtractingReportingOverflow(first)
      if !overflow, first >> 12 == (max(end, lastEnd) &- 1) >> 12,
        whole <= UInt64(last.count + count + PythonCopyPlan.gap)
      {
        touched[touched.count - 1] = MemoryRange(start: RemoteAddress(first), count: Int(whole))
        return
      }
    }
    touched.append(MemoryRange(start: RemoteAddress(start), count: count))
  }

  /// The record at `start` with the rest of its page, and more pages the longer the way gets.
  ///
  /// Callers lie below in a chunk of the data stack, and the chunk of theirs mostly lies above; frame
  /// objects lie on either side. What is there already is not asked for again.
  private mutating func want(
    _ start: UInt64, count: Int, aheadOf copies: MemoryCopies? = nil
  ) -> Want {
    let page: UInt64 = 4096
    let rest = Int(page &- start % page)
    let range = MemoryRange(start: RemoteAddress(start), count: max(rest, count))
    let found = frames.count + cframes.count
    let gained = found - foundAtMiss
    let goesUp = start > lastMiss
    foundAtMiss = found
    lastMiss = start
    misses += 1
    var want = Want(range: range)
    guard let copies, misses > 1 else { return want }
    let first = start & ~(page - 1)
    if start > first {
      want.below.append(
        MemoryRange(start: RemoteAddress(first), count: Int(start - first) + count))
    }
    // More pages only as long as the last ones were full of frames, eight to a page.
    power = gained >= 6 << power ? min(power + 1, Self.mostPagesAhead) : max(power - 1, 0)
    let pages = UInt64(1) << UInt64(power)
    let isObject = shape.owner == nil
    let (down, up) =
      goesUp ? (isObject ? 1 : min(pages, Self.pagesOfChunk), pages) : (pages, isObject ? 1 : 0)
    // Each piece reaches into the next page, for the record that crosses the border.
    let size = Int(page) + count
    func add(_ place: UInt64, to ranges: inout [MemoryRange]) {
      guard copies.offset(of: place, count: size) == nil else { return }
      ranges.append(MemoryRange(start: RemoteAddress(place), count: size))
    }
    for index in 0..<down where first > (index + 1) * page {
      add(first - (index + 1) * page, to: &want.below)
    }
    for index in 0..<up { add(first &+ (index + 1) &* page, to: &want.above) }
    return want
  }

  /// Chunks of the data stack have 16 KiB, unless one frame takes more.
  private static let pagesOfChunk: UInt64 = 4
}
