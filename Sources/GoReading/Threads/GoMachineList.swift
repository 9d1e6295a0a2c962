internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// The threads of a Go program, as its runtime lists them (`runtime.allm`, runtime/proc.go): the newest first.
struct GoMachineList {
  /// More threads are not followed.
  private static let limit = 10_000

  /// A spare `m` has no thread; where there are more, the whole list is read again.
  private static let spareLimit = 64

  /// By the number that a thread knows itself by: the `m` that stands for it.
  private(set) var machines: [Int32: UInt64] = [:]
  private(set) var first: UInt64 = 0
  /// Those that had no thread yet.
  private var spare: Set<UInt64> = []

  /// Reads the list again if it has a new thread: a read for each thread; else one for each `m` that had
  /// no thread yet, such as the spare one of a program with C.
  ///
  /// Returns the threads that are new.
  mutating func refresh(
    at place: RemoteAddress, _ offsets: GoOffsets, from memory: some TargetMemory
  ) -> Set<Int32> {
    guard let head = GoMemory.words(at: place, count: 1, in: memory)?[0] else { return [] }
    guard head != first || spare.count > Self.spareLimit else {
      return spare.isEmpty ? [] : readSpare(offsets, memory)
    }
    first = head
    spare.removeAll()
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
      // A thread that has just begun does not know its number yet.
      if thread == 0 { spare.insert(machine) }
      if let thread = Int32(exactly: thread), thread > 0 { found[thread] = machine }
      machine = reader.value(at: offsets.nextMachine, as: UInt64.self) ?? 0
    }
    let new = Set(found.keys.filter { machines[$0] != found[$0] })
    machines = found
    return new
  }

  private mutating func readSpare(
    _ offsets: GoOffsets, _ memory: some TargetMemory
  ) -> Set<Int32> {
    var new: Set<Int32> = []
    for machine in spare {
      let place = RemoteAddress(machine &+ UInt64(offsets.thread))
      guard let word = GoMemory.words(at: place, count: 1, in: memory)?[0], word != 0 else {
        continue
      }
      spare.remove(machine)
      // The memory of one that was let go may hold anything by now.
      guard let thread = Int32(exactly: word), thread > 0, machines[thread] == nil else { continue }
      machines[thread] = machine
      new.insert(thread)
    }
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
