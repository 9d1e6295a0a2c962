internal import LinuxProcess
internal import ProfileModel

/// What a walk along frames needs to go on.
struct PythonWant: Equatable {
  let range: MemoryRange
  /// What probably comes next, on either side; each up to the first page that is not there.
  var below: [MemoryRange] = []
  var above: [MemoryRange] = []
}

/// Chooses how much to read where a walk meets memory that was not copied: more pages the longer the way
/// gets.
///
/// Callers are below in a chunk of the data stack, and the chunk of theirs is mostly above; frame objects
/// are on either side.
struct PythonReadAhead {
  /// As a power of two: half a megabyte on one side.
  private static let mostPages = 7
  /// Chunks of the data stack have 16 KiB, unless one frame takes more.
  private static let pagesOfChunk = 4
  private static let page = 4096

  private var misses = 0
  /// How far the last piece led, and how many pages ahead to take: a power of two.
  private var foundAtMiss = 0
  private var power = 0
  /// Where the last piece began: the way mostly goes on in one direction.
  private var lastMiss = RemoteAddress.null

  mutating func reset() {
    beginChain()
    foundAtMiss = 0
    power = 0
    lastMiss = .null
  }

  /// Begins with records of another kind, or at the first of them.
  mutating func beginChain() { misses = 0 }

  /// The record with the rest of its page, and from the second in a row on with more pages.
  ///
  /// That is where `copies` are given; pages that these have are left out. `found` says how far the walk
  /// is.
  mutating func want(
    _ record: MemoryRange, found: Int, isObject: Bool, aheadOf copies: MemoryCopies?
  ) -> PythonWant {
    let start = record.start
    let offset = Int(start.rawValue % UInt64(Self.page))
    let count = max(Self.page - offset, record.count)
    var want = PythonWant(range: MemoryRange(start: start, count: count))
    let goesUp = start > lastMiss
    // More pages only as long as the last ones were full of frames, eight to a page.
    let wasFull = found - foundAtMiss >= 6 << power
    foundAtMiss = found
    lastMiss = start
    misses += 1
    guard let copies, misses > 1 else { return want }
    power = wasFull ? min(power + 1, Self.mostPages) : max(power - 1, 0)
    let first = start - offset
    if offset > 0 {
      want.below.append(MemoryRange(start: first, count: offset + record.count))
    }
    let (down, up) = pages(goesUp: goesUp, isObject: isObject)
    // Each piece reaches into the next page, for the record that crosses the border.
    let size = Self.page + record.count
    func piece(_ start: RemoteAddress) -> MemoryRange? {
      let piece = MemoryRange(start: start, count: size)
      return copies.holds(piece) ? nil : piece
    }
    for index in 0..<down where first.rawValue > UInt64((index + 1) * Self.page) {
      if let piece = piece(first - (index + 1) * Self.page) { want.below.append(piece) }
    }
    for index in 0..<up {
      if let piece = piece(first + (index + 1) * Self.page) { want.above.append(piece) }
    }
    return want
  }

  /// How many pages to read below and above.
  private func pages(goesUp: Bool, isObject: Bool) -> (down: Int, up: Int) {
    let pages = 1 << power
    if goesUp { return (isObject ? 1 : min(pages, Self.pagesOfChunk), pages) }
    return (pages, isObject ? 1 : 0)
  }
}
