internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// The threads of a Go program, as its runtime lists them (`runtime.allm`, runtime/proc.go): the newest first.
struct GoMachineList {
  /// More threads are not followed.
  private static let limit = 10_000

  /// By the number of a thread: the `m` that stands for it.
  private(set) var machines: [Int32: UInt64] = [:]
  private(set) var first: UInt64 = 0

  /// Reads the list again if it has a new thread; a read for each thread.
  ///
  /// Returns the threads that are new.
  mutating func refresh(
    at place: RemoteAddress, _ offsets: GoOffsets, from memory: some TargetMemory
  ) -> Set<Int32> {
    guard let head = GoMemory.words(at: place, count: 1, in: memory)?[0] else { return [] }
    // A thread that has just begun does not know its number yet.
    guard head != first || machines[0] != nil else { return [] }
    first = head
    var found: [Int32: UInt64] = [:]
    var machine = head
    for _ in 0..<Self.limit where machine != 0 {
      guard
        let bytes = GoMemory.bytes(
          at: RemoteAddress(machine), count: offsets.machineSize, in: memory)
      else { break }
      // The array outlives the reader.
      let reader = unsafe ByteReader(bytes.span.bytes)
      let thread = reader.value(at: offsets.thread, as: UInt64.self) ?? 0
      if let thread = Int32(exactly: thread) { found[thread] = machine }
      machine = reader.value(at: offsets.nextMachine, as: UInt64.self) ?? 0
    }
    let new = Set(found.keys.filter { machines[$0] != found[$0] && $0 > 0 })
    machines = found
    return new
  }

  /// Whether a place holds such a list: its first thread has a goroutine for the runtime's own code, which
  /// names the thread.
  static func isList(
    at place: RemoteAddress, _ offsets: GoOffsets, in memory: some TargetMemory
  ) -> Bool {
    guard let head = GoMemory.words(at: place, count: 1, in: memory)?[0], head != 0, head % 8 == 0,
      let own = GoMemory.words(
        at: RemoteAddress(head &+ UInt64(GoOffsets.systemGoroutine)), count: 1, in: memory)?[0],
      let machine = GoMemory.words(
        at: RemoteAddress(own &+ UInt64(GoOffsets.machine)), count: 1, in: memory)?[0],
      let next = GoMemory.words(
        at: RemoteAddress(head &+ UInt64(offsets.nextMachine)), count: 1, in: memory)?[0]
    else { return false }
    return machine == head && next % 8 == 0
  }
}
