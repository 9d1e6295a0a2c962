internal import RuntimeReading

/// The samples of a tick whose frames are copied, and the stacks of some ticks that were read of them.
struct RuntimeBatch: ~Copyable {
  /// From so many on it is time to read them, or to hand them over.
  static let many = 64

  private var copied = CopiedSamples(capacity: 4096)
  /// The stacks, until what they take for granted is checked.
  private var unconfirmed: [(number: UInt64, stack: RuntimeStack?)] = []
  /// The number of the last sample.
  private var lastNumber: UInt64 = 0

  init() {}

  var copiedCount: Int { copied.count }
  var unconfirmedCount: Int { unconfirmed.count }

  /// Takes a sample; gives the number under which its stack will come, ascending from 1.
  mutating func add(_ sample: consuming CopiedRuntimeSample, of tid: Int32) -> UInt64 {
    lastNumber += 1
    copied.append(CopiedSamples.Element(tid: tid, number: lastNumber, sample: sample))
    return lastNumber
  }

  /// Reads the stacks of all samples, and gives each to `body`; the threads may run.
  mutating func finish(_ body: (_ tid: Int32, _ stack: RuntimeStack) -> Void) {
    while let element = copied.removeFirst() {
      let (tid, number) = (element.tid, element.number)
      let stack = element.finish()
      body(tid, stack)
      unconfirmed.append((number, stack))
    }
  }

  /// The stacks that were read since the last call, after `check` has taken out what was not so.
  mutating func take(
    _ check: (inout RuntimeStack) -> Void
  ) -> [(number: UInt64, stack: RuntimeStack?)] {
    for index in unconfirmed.indices {
      guard var stack = unconfirmed[index].stack.take() else { continue }
      check(&stack)
      unconfirmed[index].stack = stack
    }
    defer { unconfirmed.removeAll(keepingCapacity: true) }
    return unconfirmed
  }
}

/// Copied samples in their order; up to its capacity it takes one without an allocation.
private struct CopiedSamples: ~Copyable {
  struct Element: ~Copyable {
    let tid: Int32
    let number: UInt64
    private let sample: CopiedRuntimeSample

    init(tid: Int32, number: UInt64, sample: consuming CopiedRuntimeSample) {
      self.tid = tid
      self.number = number
      self.sample = sample
    }

    consuming func finish() -> RuntimeStack { sample.finish() }
  }

  private var storage: UnsafeMutableBufferPointer<Element>
  /// The elements that were not taken are those from `first` to `end`.
  private var first = 0
  private var end = 0

  init(capacity: Int) { storage = .allocate(capacity: capacity) }

  deinit {
    storage.extracting(first..<end).deinitialize()
    storage.deallocate()
  }

  var count: Int { end - first }

  mutating func append(_ element: consuming Element) {
    if end == storage.count { makeRoom() }
    storage.initializeElement(at: end, to: element)
    end += 1
  }

  private mutating func makeRoom() {
    let larger = UnsafeMutableBufferPointer<Element>.allocate(capacity: 2 * storage.count)
    _ = larger.moveInitialize(fromContentsOf: storage.extracting(first..<end))
    storage.deallocate()
    (storage, first, end) = (larger, 0, count)
  }

  mutating func removeFirst() -> Element? {
    guard first < end else {
      (first, end) = (0, 0)
      return nil
    }
    first += 1
    return storage.moveElement(from: first - 1)
  }
}
