internal import LinuxProcess
internal import ProfileModel

/// The task that a thread runs, and the tasks that wait for it, directly and by way of others.
///
/// Is followed as far as the copies of one instant reach, and goes on from there when more was copied.
struct PythonTaskChain {
  /// One task, with what it awaits.
  struct Link {
    let task: RemoteAddress
    /// A string, or a number that asyncio gave it; null when it cannot be read.
    var name: RemoteAddress
    var isNameRead = false
    /// Of a task that waits: its coroutines, from its own inwards.
    var frames: [PythonRawFrame] = []
    /// What is awaited next, and was not read yet; null at the end.
    var next: RemoteAddress
    /// Whether coroutines could not be read, or run.
    var isTorn = false
    /// Whether more than one task waits for it.
    var hasOthers = false
    /// The code of the function that wakes this task at the last one's end; null for none.
    let via: RemoteAddress

    var isWhole: Bool { isNameRead && next.isNull && !isTorn }
  }

  /// A task that waits for another.
  struct Awaiter {
    let task: RemoteAddress
    var via = RemoteAddress.null
  }

  enum Stage {
    case start
    /// Tasks of which one may be the thread's.
    case running([RemoteAddress])
    case awaiters
    case task(Awaiter)
    case ended
  }

  /// What a step needs to know.
  struct Context {
    let runtime: PythonRuntime
    let thread: PythonThread
    let places: PythonTaskPlaces
    let copies: MemoryCopies
    let frames: [PythonRawFrame]

    var shape: PythonObjectShape { runtime.objects }
  }

  /// The running task first.
  private(set) var links: [Link] = []
  /// Which of the thread's frames is the outermost of the running task.
  private(set) var position = 0
  var wants = PythonRequests()
  private var stage = Stage.start
  private var seen: Set<RemoteAddress> = []

  /// Longer chains lack their outer end.
  static let depthLimit = 64
  /// Coroutines of one task.
  private static let coroutineLimit = 256
  /// More reads are not made for one sample; the next one goes on where they ended.
  static let readLimit = 24
  /// The coroutine of a task is near the outer end of the stack.
  private static let searchLimit = 1 << 13

  var isEmpty: Bool { links.isEmpty }

  var needed: [MemoryRange] { wants.needed }

  /// The code objects of all frames.
  var codes: [RemoteAddress] {
    links.flatMap { ($0.via.isNull ? [] : [$0.via]) + $0.frames.map(\.code) }
  }

  mutating func reset() {
    links.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
    wants.reset()
    position = 0
    stage = .start
  }

  /// Goes as far as the copies reach, and says what it needs to go on; nothing at the end.
  mutating func advance(
    from frames: [PythonRawFrame], of thread: PythonThread, _ runtime: PythonRuntime,
    _ places: PythonTaskPlaces, in copies: MemoryCopies
  ) -> [MemoryRange] {
    guard !frames.isEmpty else { return [] }
    let context = Context(
      runtime: runtime, thread: thread, places: places, copies: copies, frames: frames)
    wants.isPending = false
    while step(context) {}
    for index in links.indices {
      readName(of: index, context)
      follow(index, context)
    }
    return wants.missing
  }

  // MARK: - From task to task

  /// One step of the chain; false at its end, and where it has to wait for memory.
  private mutating func step(_ context: Context) -> Bool {
    switch stage {
    case .start:
      let candidates = running(context)
      guard !wants.isPending else { return false }
      stage = candidates.isEmpty ? .ended : .running(candidates)
    case .running(let candidates):
      findRunning(candidates, context)
    case .awaiters:
      guard let task = links.last?.task else { return false }
      let awaiters = awaiters(of: task, context)
      guard !wants.isPending else { return false }
      links[links.count - 1].hasOthers = awaiters.count > 1
      stage = awaiters.first.map { .task($0) } ?? .ended
    case .task(let awaiter):
      let link = link(awaiter, context)
      guard !wants.isPending else { return false }
      guard let link else {
        stage = .ended
        return false
      }
      links.append(link)
      stage = .awaiters
    case .ended: return false
    }
    return !wants.isPending
  }

  /// The one of the tasks whose coroutine is among the thread's frames.
  private mutating func findRunning(_ candidates: [RemoteAddress], _ context: Context) {
    guard let field = context.runtime.generators?.frame else { return stage = .ended }
    for task in candidates {
      guard isTask(task, context),
        let coroutine = wants.pointer(task + context.places.layout.coroutine, in: context.copies),
        let name = wants.pointer(task + context.places.layout.name, in: context.copies)
      else { continue }
      let frame = coroutine + field
      let place = context.frames.suffix(Self.searchLimit).lastIndex {
        $0.address == frame && $0.owner == PythonFrameShape.generatorOwner
      }
      guard let place else { continue }
      position = place
      links = [Link(task: task, name: name, next: .null, via: .null)]
      stage = .awaiters
      // What was asked for the sake of others is not waited for.
      wants.isPending = false
      return
    }
    if !wants.isPending { stage = .ended }
  }

  private mutating func link(_ awaiter: Awaiter, _ context: Context) -> Link? {
    let task = awaiter.task
    guard links.count < Self.depthLimit, !links.contains(where: { $0.task == task }),
      isTask(task, context),
      let coroutine = wants.pointer(task + context.places.layout.coroutine, in: context.copies),
      let name = wants.pointer(task + context.places.layout.name, in: context.copies)
    else { return nil }
    return Link(task: task, name: name, next: coroutine, via: awaiter.via)
  }

  /// Whether an object is a task of asyncio's own C type, or of one derived from it.
  mutating func isTask(_ object: RemoteAddress, _ context: Context) -> Bool {
    isOne(object, of: context.places.taskTypes, size: context.places.layout.recordSize, context)
  }

  /// Whether an object of `size` bytes is one of some types, or of types derived from them.
  mutating func isOne(
    _ object: RemoteAddress, of types: Set<RemoteAddress>, size: Int, _ context: Context
  ) -> Bool {
    guard object.rawValue & 7 == 0, wants.has(object, count: size, in: context.copies),
      let type = context.copies.pointer(at: object + context.shape.type)
    else { return false }
    var current = type
    for _ in 0..<8 {
      if types.contains(current) { return true }
      guard !current.isNull,
        let base = wants.pointer(current + context.shape.typeBase, in: context.copies)
      else { return false }
      current = base
    }
    return false
  }

  // MARK: - What a task awaits

  private mutating func readName(of index: Int, _ context: Context) {
    guard !links[index].isNameRead else { return }
    let name = links[index].name
    wants.isPending = false
    let isThere = wants.has(name, count: 16, room: 112, in: context.copies)
    if isThere, isString(name, context) {
      if wants.has(name, count: context.runtime.strings.headerSize, in: context.copies),
        let header = context.runtime.strings.header(context.copies, at: name)
      {
        _ = wants.has(name, count: header.dataOffset + header.byteCount, in: context.copies)
      }
    }
    links[index].isNameRead = !wants.isPending
  }

  private func isString(_ object: RemoteAddress, _ context: Context) -> Bool {
    context.copies.pointer(at: object + context.shape.type) == context.places.types.string
  }

  /// Follows the coroutines of a task that waits.
  private mutating func follow(_ index: Int, _ context: Context) {
    while !links[index].next.isNull {
      wants.isPending = false
      let (frame, next) = coroutine(links[index].next, context)
      guard !wants.isPending else { return }
      let isNew = seen.insert(links[index].next).inserted
      guard let next, isNew, links[index].frames.count < Self.coroutineLimit else {
        links[index].isTorn = true
        links[index].next = .null
        return
      }
      if let frame { links[index].frames.append(frame) }
      links[index].next = next
    }
  }

  /// The frame of a coroutine and what that awaits; nil for what cannot be read, and what runs.
  private mutating func coroutine(
    _ object: RemoteAddress, _ context: Context
  ) -> (frame: PythonRawFrame?, next: RemoteAddress?) {
    let (runtime, copies) = (context.runtime, context.copies)
    guard let size = runtime.coroutineSize, wants.has(object, count: 24, room: size, in: copies),
      let type = copies.pointer(at: object + context.shape.type)
    else { return (nil, nil) }
    guard context.places.coroutineTypes.contains(type) else {
      // What is no coroutine, such as a future, is the last that is awaited.
      let isWrapper = isWrapper(type, context)
      return (nil, isWrapper ? copies.pointer(at: object + context.shape.wrapperInner) : .null)
    }
    guard wants.has(object, count: size, room: 160, in: copies),
      let found = runtime.coroutine(at: object, in: copies), found.state != .executing
    else { return (nil, nil) }
    guard found.state != .cleared else { return (nil, .null) }
    guard let place = found.awaited else { return (found.frame, .null) }
    let isSlotThere = wants.has(place.slot, count: PythonObjectShape.wordSize, in: copies)
    let isCodeThere = place.instruction.map { wants.has($0, count: 2, in: copies) } ?? true
    guard isSlotThere, isCodeThere else { return (nil, nil) }
    return (found.frame, runtime.object(at: place, in: copies) ?? .null)
  }

  private mutating func isWrapper(_ type: RemoteAddress, _ context: Context) -> Bool {
    guard let name = wants.pointer(type + context.shape.typeName, in: context.copies),
      wants.has(name, count: 24, in: context.copies),
      let bytes = context.copies.bytes(at: name, count: 24), let end = bytes.firstIndex(of: 0)
    else { return false }
    return PythonGeneratorShape.wrapperNames.contains(
      String(decoding: bytes[..<end], as: UTF8.self))
  }
}
