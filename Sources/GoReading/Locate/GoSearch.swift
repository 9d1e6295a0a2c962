internal import ByteReading
internal import ELFReading
package import LinuxProcess
internal import ProfileModel

/// The search for Go's runtime in a process.
package struct GoSearch {
  /// What it found.
  package enum Outcome {
    case none
    /// The program has no goroutine yet.
    case notReady
    case found(GoProgram)
    /// Of a version that is not read.
    case unknown(GoBuild)
    /// No list of goroutines was found.
    case unreadable(GoBuild)
  }

  private let memory: ProcessMemory
  private let maps: MemoryMaps

  package init(memory: ProcessMemory, maps: MemoryMaps) {
    self.memory = memory
    self.maps = maps
  }

  /// Stops nothing; opens the program's own file, and reads less than 100 KiB of memory.
  package func run() -> Outcome {
    guard let mapping = program, let file = try? memory.open(mapping) else { return .none }
    guard let image = GoImage(file, mapping: mapping) else {
      return GoImage.build(of: file).map { .unknown($0) } ?? .none
    }
    let variables = image.variables()
    var outcome = Outcome.unreadable(image.build)
    for place in variables.goroutines {
      let trial = GoTrial(image, goroutines: place)
      switch trial.run(in: memory) {
      case .empty: outcome = .notReady
      case .refused: continue
      case .passed(let offsets):
        let locks = variables.locks.first { GoLockTable.isTable(at: $0, offsets, in: memory) }
        let machines = variables.machines.first {
          GoMachineList.isList(at: $0, offsets, in: memory)
        }
        return .found(
          GoProgram(image, offsets, goroutines: place, locks: locks, machines: machines))
      }
    }
    return outcome
  }

  /// The first part of the program's own code.
  private var program: MemoryMapping? {
    // The kernel maps it first: below the heap, and below the libraries.
    maps.mappings.first { $0.isFile && $0.isExecutable && !$0.path.isEmpty }
  }
}

/// A program in Go whose goroutines can be read.
package struct GoProgram: Sendable {
  let image: GoImage
  let offsets: GoOffsets
  /// Where the list of all goroutines is (`runtime.allgs`, a slice).
  let goroutines: RemoteAddress
  /// Where the queues for locks are (`runtime.semtable`); nil where that is not known.
  let locks: RemoteAddress?

  /// Where the list of all threads is (`runtime.allm`); nil where that is not known.
  let machines: RemoteAddress?

  package var build: GoBuild { image.build }
  /// Of the columns that fit the program.
  package var layoutMinor: Int { offsets.minor }

  init(
    _ image: GoImage, _ offsets: GoOffsets, goroutines: RemoteAddress, locks: RemoteAddress?,
    machines: RemoteAddress?
  ) {
    self.image = image
    self.offsets = offsets
    self.goroutines = goroutines
    self.locks = locks
    self.machines = machines
  }
}

/// Tries whether the list of goroutines is at a place, and which offsets its goroutines have.
struct GoTrial {
  enum Outcome {
    case passed(GoOffsets)
    /// A list without any.
    case empty
    case refused
  }

  private let image: GoImage
  private let place: RemoteAddress
  /// How many goroutines have to be as expected.
  private static let sampleCount = 16
  private static let listLimit: UInt64 = 1 << 26

  init(_ image: GoImage, goroutines place: RemoteAddress) {
    self.image = image
    self.place = place
  }

  func run(in memory: some TargetMemory) -> Outcome {
    guard let list = GoMemory.words(at: place, count: 3, in: memory), list[1] <= list[2],
      list[2] < Self.listLimit
    else { return .refused }
    guard list[1] > 0 else { return list[0] == 0 ? .empty : .refused }
    let count = min(Int(list[1]), Self.sampleCount)
    guard let addresses = GoMemory.words(at: RemoteAddress(list[0]), count: count, in: memory)
    else {
      return .refused
    }
    let fitting = GoOffsets.candidates(minor: image.build.minor).first { offsets in
      addresses.allSatisfy { isGoroutine(at: RemoteAddress($0), offsets, in: memory) }
    }
    return fitting.map(Outcome.passed) ?? .refused
  }

  /// Whether a structure has a state that there is, a number, a stack, and begins at a function's first
  /// instruction.
  private func isGoroutine(
    at address: RemoteAddress, _ offsets: GoOffsets, in memory: some TargetMemory
  ) -> Bool {
    guard let bytes = GoMemory.bytes(at: address, count: offsets.size, in: memory) else {
      return false
    }
    // The array outlives the span.
    let record = unsafe GoRecord(bytes.span.bytes, at: 0, offsets)
    guard record.status <= 11, record.number < 1 << 48 else { return false }
    // One that has ended keeps nothing that could be checked.
    if record.status == GoRecord.dead || record.status == 11 { return true }
    guard record.number > 0, record.stack.lowerBound < record.stack.upperBound else {
      return false
    }
    let start = image.fileAddress(RemoteAddress(record.startPC))
    let file = image.file
    return image.functions.function(containing: start, in: file.bytes)?.start == start
  }
}
