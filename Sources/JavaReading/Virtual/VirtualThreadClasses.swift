internal import ProfileModel

/// Where the fields are that virtual threads are read from (since JDK 21), by their own names.
struct VirtualThreadClasses {
  /// What the number in `VirtualThread.state` says.
  enum State {
    /// It has not begun, or has ended.
    case absent
    case runnable
    /// A thread runs it, and may wait for it where it cannot be taken off.
    case mounted
    case waiting(isTimed: Bool)
    /// It is just put on a thread, or taken off.
    case changing
  }

  let virtualThread: RemoteAddress
  let number: Int
  let name: Int
  let blocker: Int
  let scopes: Int?
  let state: Int
  let carrier: Int
  let continuation: Int
  /// Leads to what a thread is in that waits for a monitor (since JDK 24).
  let monitorWaiter: Int?
  /// What is copied of each.
  let size: Int
  /// In a continuation: the innermost piece of its stack.
  let tail: Int
  let chunk: ChunkLayout
  /// By the number: the name of the state, and what it says.
  let states: [Int32: (name: String, state: State)]

  static let threadName = "java/lang/VirtualThread"
  static let containersName = "jdk/internal/vm/ThreadContainers"
  static let rootName = "jdk/internal/vm/ThreadContainers$RootContainer$TrackingRootContainer"
  static let names: Set<String> = [
    threadName, containersName, rootName, ChunkLayout.className, "jdk/internal/vm/Continuation",
  ]
  /// Set while a debugger keeps the thread from being run.
  static let suspended: Int32 = 1 << 8

  /// Nil where a class is not loaded, or lacks a field.
  init?(_ classes: BootClasses, _ objects: JavaObjects, _ memory: JavaMemory) {
    guard let virtualThread = classes.address(of: Self.threadName),
      let continuations = classes.address(of: "jdk/internal/vm/Continuation"),
      let fields = objects.fields(of: virtualThread, memory),
      let thread = objects.fields(of: objects.threadClass, memory),
      let chunk = ChunkLayout(classes, objects, memory),
      let number = thread.offset("tid"), let name = thread.offset("name"),
      let blocker = thread.offset("parkBlocker"), let state = fields.offset("state"),
      let carrier = fields.offset("carrierThread"), let continuation = fields.offset("cont"),
      let tail = objects.fields(of: continuations, memory)?.offset("tail")
    else { return nil }
    self.virtualThread = virtualThread
    (self.number, self.name, self.blocker, self.state) = (number, name, blocker, state)
    (self.carrier, self.continuation, self.tail, self.chunk) = (carrier, continuation, tail, chunk)
    scopes = thread.offset("headStackableScopes")
    monitorWaiter = fields.offset("objectWaiter")
    let offsets = [number, name, blocker, scopes, state, carrier, continuation, monitorWaiter]
    size = (offsets.compactMap { $0 }.max() ?? 0) + 8
    states = Self.states(of: virtualThread, fields, objects, memory)
    // Before the class is initialised all are 0.
    guard states.count > 4 else { return nil }
  }

  /// The class has a constant for each state, whose numbers differ between versions.
  private static func states(
    of holder: RemoteAddress, _ fields: JavaFields, _ objects: JavaObjects, _ memory: JavaMemory
  ) -> [Int32: (name: String, state: State)] {
    var result: [Int32: (name: String, state: State)] = [:]
    for (name, state) in words where fields.statics[name] != nil {
      guard let place = objects.place(ofStatic: name, in: holder, memory),
        let value = memory.value(at: place, as: Int32.self)
      else { continue }
      result[value] = (name, state)
    }
    return result
  }

  private static let words: [String: State] = [
    "NEW": .absent, "TERMINATED": .absent,
    "STARTED": .runnable, "RUNNABLE": .runnable, "UNPARKED": .runnable, "YIELDED": .runnable,
    "UNBLOCKED": .runnable,
    "RUNNING": .mounted, "PINNED": .mounted, "TIMED_PINNED": .mounted,
    "PARKED": .waiting(isTimed: false), "TIMED_PARKED": .waiting(isTimed: true),
    "BLOCKED": .waiting(isTimed: false), "WAIT": .waiting(isTimed: false),
    "TIMED_WAIT": .waiting(isTimed: true),
    "PARKING": .changing, "TIMED_PARKING": .changing, "YIELDING": .changing,
    "BLOCKING": .changing, "WAITING": .changing, "TIMED_WAITING": .changing,
  ]
}

/// A piece of a stack on the heap: an object with the words of the stack behind its fields
/// (src/hotspot/share/oops/stackChunkOop.hpp).
struct ChunkLayout {
  let holder: RemoteAddress
  let parent: Int
  /// In words: how many there are, the first that is in use, and the first behind those that are.
  let size: Int
  let stackPointer: Int
  let bottom: Int
  /// How many monitors the thread has entered; behind the fields are their objects (since JDK 24).
  let lockCount: Int?
  let flags: Int?
  /// Of the object without the words.
  let header: Int

  static let className = "jdk/internal/vm/StackChunk"

  init?(_ classes: BootClasses, _ objects: JavaObjects, _ memory: JavaMemory) {
    guard let holder = classes.address(of: Self.className),
      let fields = objects.fields(of: holder, memory),
      let parent = fields.offset("parent"), let size = fields.offset("size"),
      let pointer = fields.offset("sp"), let bottom = fields.offset("bottom"),
      let place = objects.layout.virtualThreads?.objectSize,
      let objectSize = memory.int(at: holder + place)
    else { return nil }
    let header = objectSize & ~7
    lockCount = fields.offset("lockStackSize")
    flags = fields.offset("flags")
    let end = max(parent, size, pointer, bottom, lockCount ?? 0, flags ?? 0) + 4
    guard (end...(1 << 10)).contains(header) else { return nil }
    self.holder = holder
    (self.parent, self.size, stackPointer, self.bottom) = (parent, size, pointer, bottom)
    self.header = header
  }
}
