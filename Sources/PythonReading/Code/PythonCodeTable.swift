internal import LinuxProcess
internal import ProfileModel

/// The code objects that were read, by address, and what tells whether one is still the same.
///
/// Addresses are used again in programs that compile at run time, so no entry is believed without
/// a sample: at the number of code objects that were freed (3.14 and later), else at its record,
/// copied at the same instant as the frame. Where no address was seen to be used again, one that was
/// the same time and again is taken to be so, and looked at a moment later for all samples since.
/// Belongs to one program: another that the process becomes may have all the same numbers and addresses.
final class PythonCodeTable {
  private let runtime: PythonRuntime
  private var entries: [PythonCodeEntry] = []
  /// By the same places: the functions, and in how many looks at a thread each was the same.
  private var functions: [RuntimeFunction] = []
  /// The functions' numbers: to compare them touches no function.
  private var numbers: [UInt32] = []
  private var samples: [UInt8] = []
  /// When each was first met.
  private var meetings: [Int64] = []
  /// Which batch of assumptions each was last in.
  private var batches: [UInt32] = []
  private var batch: UInt32 = 1
  /// What was taken for granted since the last call of `refuted`, each once.
  private var assumed: [Taken] = []
  /// Where each code object's is.
  private var places = WordTable()
  /// Types that are known to be, or not to be, that of code objects.
  private var types: [UInt64: Bool] = [:]
  /// What a copy takes of an object whose size is not known yet.
  private static let firstRead = 256
  /// More than the names before 3.12 need to differ.
  private static let nameSpan = 96
  /// The same of files, whose paths may differ at their ends alone.
  private static let fileSpan = 320
  /// The same of line tables.
  private static let tableSpan = 512
  /// Of a line table more than this is not read; its last lines are unknown then.
  private static let lineTableLimit = 1 << 18
  /// Programs that compile for ever must not fill our memory.
  private static let entryLimit = 1 << 17
  /// What their functions take of it, and how much they may.
  private var byteCount = 0
  private static let byteLimit = 64 << 20
  /// How much the lines of one stack's functions that were not known may take, and what is left of it.
  private static let newLinesLimit = 4 << 20
  private var newLinesLeft = newLinesLimit
  /// So often a code object was the same before it is taken for granted.
  private static let settledSamples = 4
  /// And so long: where looks follow each other closely, four of them say little.
  private static let settlingTime: Int64 = 100_000_000
  /// So long no address may have been used again before.
  private static let quietTime: Int64 = 10_000_000_000
  /// When a known address last held another code object; 0 if never.
  private var changeTime: Int64 = 0
  private var isQuiet = true
  private let clock: () -> Int64
  private var sampleTime: Int64 = 0
  /// Kept only for their memory.
  private var checks = PythonCodeChecks()

  /// A code object of the table, as a sample has taken it to be.
  struct Taken {
    let code: UInt64
    fileprivate let place: Int
    /// That of its function (`RuntimeFunction.number`).
    let number: UInt32
  }

  init(_ runtime: PythonRuntime, clock: @escaping () -> Int64) {
    self.runtime = runtime
    self.clock = clock
  }

  var count: Int { entries.count }

  private func place(of code: UInt64) -> Int? { places.number(of: code).map { Int($0) } }

  private func keep(_ entry: PythonCodeEntry, _ function: RuntimeFunction, for code: UInt64) {
    byteCount += function.byteCount
    if let place = place(of: code) {
      byteCount -= functions[place].byteCount
      entries[place] = entry
      functions[place] = function
      numbers[place] = function.number
      samples[place] = 0
      meetings[place] = sampleTime
      batches[place] = 0
      noteChange()
      if byteCount > Self.byteLimit { forgetAll() }
      return
    }
    if entries.count >= Self.entryLimit || byteCount > Self.byteLimit {
      forgetAll()
      byteCount = function.byteCount
    }
    places.set(UInt32(entries.count), for: code)
    entries.append(entry)
    functions.append(function)
    numbers.append(function.number)
    samples.append(0)
    meetings.append(sampleTime)
    batches.append(0)
  }

  private func forgetAll() {
    byteCount = 0
    entries.removeAll()
    functions.removeAll()
    numbers.removeAll()
    samples.removeAll()
    meetings.removeAll()
    batches.removeAll()
    places.removeAll()
  }

  func isKnownType(_ type: UInt64) -> Bool? { types[type] }

  func noteType(_ type: UInt64, isCode: Bool) {
    guard types.count < 4096 else { return }
    types[type] = isCode
  }

  // MARK: - What to copy

  /// The record of a code object, and what else tells whether it is the same as before.
  ///
  /// Nothing for one that is looked at later (`settled`).
  func verificationRanges(of code: UInt64) -> [MemoryRange] {
    guard settled(at: code) == nil else { return [] }
    return allRanges(of: code)
  }

  private func allRanges(of code: UInt64) -> [MemoryRange] {
    var ranges = [recordRange(of: code)]
    if runtime.codes.version == nil, let place = place(of: code) {
      entries[place].forEachMark { ranges.append($0.range) }
    }
    return ranges
  }

  /// Whether all of `verificationRanges` is there; allocates nothing.
  private func isCopied(_ place: Int, at code: UInt64, in copies: MemoryCopies) -> Bool {
    let first = code &+ UInt64(runtime.codes.first)
    return copies.offset(of: first, count: runtime.codes.span) != nil
      && (runtime.codes.version != nil || entries[place].isCopied(copies))
  }

  private func recordRange(of code: UInt64) -> MemoryRange {
    MemoryRange(
      start: RemoteAddress(code &+ UInt64(runtime.codes.first)), count: runtime.codes.span)
  }

  /// What is still to be copied before `function(at:)` can tell; nothing when all is there.
  func missing(
    for code: UInt64, generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> [MemoryRange] {
    if let place = place(of: code) {
      if let generation, entries[place].generation == generation { return [] }
      guard isCopied(place, at: code, in: copies) else {
        return allRanges(of: code).filter {
          copies.offset(of: $0.start.rawValue, count: $0.count) == nil
        }
      }
      if isSame(place, at: code, generation, in: copies) { return [] }
    }
    guard let identity = runtime.codes.identity(copies, at: code) else {
      return [recordRange(of: code)]
    }
    // What is no code object has no names to be copied.
    guard types[identity.type] != false else { return [] }
    return missingString(identity.name, in: copies) + missingString(identity.filename, in: copies)
      + missingTable(identity.lineTable, in: copies)
  }

  private func missingString(_ address: UInt64, in copies: MemoryCopies) -> [MemoryRange] {
    guard copies.offset(of: address, count: PythonStringShape.headerSize) != nil else {
      return [sample(address)]
    }
    guard let header = runtime.strings.header(copies, at: address) else { return [] }
    return missingRange(address, count: header.dataOffset + header.byteCount, in: copies)
  }

  private func missingTable(_ address: UInt64, in copies: MemoryCopies) -> [MemoryRange] {
    guard let size = tableSize(address, in: copies) else {
      return copies.offset(of: address, count: 24) == nil ? [sample(address)] : []
    }
    return missingRange(address, count: Self.tableOffset + size, in: copies)
  }

  private func missingRange(
    _ address: UInt64, count: Int, in copies: MemoryCopies
  ) -> [MemoryRange] {
    guard copies.offset(of: address, count: count) == nil else { return [] }
    return [MemoryRange(start: RemoteAddress(address), count: count)]
  }

  /// The first bytes of an object, not beyond its page unless its header is.
  private func sample(_ address: UInt64) -> MemoryRange {
    let rest = Int(4096 - address % 4096)
    return MemoryRange(
      start: RemoteAddress(address),
      count: rest < PythonStringShape.headerSize
        ? PythonStringShape.headerSize : min(rest, Self.firstRead))
  }

  /// Where the content of a `bytes` object begins.
  private static let tableOffset = 32

  private func tableSize(_ address: UInt64, in copies: MemoryCopies) -> Int? {
    guard let size = copies.value(at: address &+ 16, as: Int64.self), size >= 0 else { return nil }
    return Int(min(size, Int64(Self.lineTableLimit)))
  }

  // MARK: - Functions

  /// A code object that was met before and is still the same.
  func known(at code: UInt64, generation: PythonCodeGeneration?, in copies: MemoryCopies) -> Taken?
  {
    guard let place = place(of: code) else { return nil }
    if generation == nil || entries[place].generation != generation {
      guard isSame(place, at: code, generation, in: copies) else { return nil }
      entries[place].generation = generation
    }
    return Taken(code: code, place: place, number: numbers[place])
  }

  /// The function of a code object, until another one is met at its address.
  func function(of taken: Taken) -> RuntimeFunction? {
    isKept(taken) ? functions[taken.place] : nil
  }

  /// The function of a code object; nil when the copies do not hold it, or it is none.
  func function(
    at code: UInt64, generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> RuntimeFunction? {
    if let known = known(at: code, generation: generation, in: copies) {
      return function(of: known)
    }
    guard let identity = runtime.codes.identity(copies, at: code), types[identity.type] != false,
      let name = string(identity.name, in: copies),
      let file = string(identity.filename, in: copies)
    else { return nil }
    let table = lines(of: identity, in: copies)
    let tableSize = tableSize(identity.lineTable, in: copies) ?? 0
    let function = RuntimeFunction(
      name: name, file: file, firstLine: identity.firstLine, address: RemoteAddress(code),
      lines: table ?? .unknown)
    // Without its lines it serves this once; the next sample may get them.
    guard table != nil else { return function }
    keep(
      PythonCodeEntry(
        identity: identity, name: mark(of: identity.name, atMost: Self.nameSpan, in: copies),
        file: mark(of: identity.filename, atMost: Self.fileSpan, in: copies),
        table: PythonObjectMark(
          at: identity.lineTable, count: min(Self.tableSpan, Self.tableOffset + tableSize),
          in: copies),
        interpreter: generation?.interpreter, generation: generation), function, for: code)
    return function
  }

  private func mark(
    of address: UInt64, atMost limit: Int, in copies: MemoryCopies
  ) -> PythonObjectMark {
    let header = runtime.strings.header(copies, at: address)
    let count = header.map { min(limit, $0.dataOffset + $0.byteCount) } ?? 0
    return PythonObjectMark(at: address, count: count, in: copies)
  }

  private func isSame(
    _ place: Int, at code: UInt64, _ generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> Bool {
    // A later interpreter gives the numbers of an earlier one once more.
    if let generation, entries[place].interpreter != generation.interpreter { return false }
    return runtime.codes.identity(copies, at: code) == entries[place].identity
      && (runtime.codes.version != nil || entries[place].isSame(in: copies))
  }

  private func string(_ address: UInt64, in copies: MemoryCopies) -> String? {
    runtime.strings.header(copies, at: address)
      .flatMap { runtime.strings.text(copies, at: address, $0) }
  }

  /// Begins to read the functions of a stack.
  func beginReading() { newLinesLeft = Self.newLinesLimit }

  private func lines(
    of identity: PythonCodeShape.Identity, in copies: MemoryCopies
  ) -> PythonLineTable? {
    guard newLinesLeft > 0, let size = tableSize(identity.lineTable, in: copies),
      let bytes = copies.bytes(at: identity.lineTable &+ UInt64(Self.tableOffset), count: size)
    else { return nil }
    let table = PythonLineTable(
      bytes, firstLine: identity.firstLine, format: runtime.codes.lineFormat)
    newLinesLeft -= size + table.byteCount
    return table
  }
}

// MARK: - What is taken for granted

extension PythonCodeTable {
  /// Begins a sample of a thread.
  func beginSample() {
    sampleTime = clock()
    if !isQuiet, sampleTime - changeTime > Self.quietTime { isQuiet = true }
  }

  /// Notes that a sample has found the code object the same as before.
  func countSample(at code: UInt64) {
    if let place = place(of: code), samples[place] < .max { samples[place] += 1 }
  }

  private func noteChange() {
    changeTime = clock()
    isQuiet = false
  }

  /// A code object that was the same in many samples of a program that uses no address again; whoever
  /// takes it says so (`assume`).
  ///
  /// To be wrong nonetheless, the first address that is used again would have to be so between the last
  /// look and this one, and a second time, for the same function, until `refuted` is asked.
  func settled(at code: UInt64) -> Taken? {
    guard isQuiet, runtime.generationFields == nil, let place = place(of: code),
      samples[place] >= Self.settledSamples, sampleTime - meetings[place] >= Self.settlingTime
    else { return nil }
    return Taken(code: code, place: place, number: numbers[place])
  }

  /// Notes that a stack takes the code object to be what it was.
  func assume(_ taken: Taken) {
    guard batches[taken.place] != batch else { return }
    batches[taken.place] = batch
    assumed.append(taken)
  }

  /// Whether anything is taken for granted that was not looked at since.
  var hasAssumptions: Bool { !assumed.isEmpty }

  /// The functions, by their numbers, that were taken for granted since the last call and that are not
  /// there any more.
  ///
  /// One read, and one more for each piece that is not there. Where nothing is there any more, the
  /// program has ended, and they are believed.
  func refuted(in memory: some TargetMemory) -> Set<UInt32> {
    guard !assumed.isEmpty else { return [] }
    defer {
      assumed.removeAll(keepingCapacity: true)
      batch = batch == .max ? 1 : batch + 1
    }
    // A look in a stop may have found another in its place.
    var result = Set(assumed.lazy.filter { !self.isKept($0) }.map(\.number))
    checks.removeAll()
    addChecks()
    guard let changed = checks.changed(runtime.codes, in: memory) else { return result }
    noteChange()
    for taken in assumed where isKept(taken) {
      // The file is looked at with one of its functions.
      let isChanged =
        !changed.areAllRead || changed.codes.contains(taken.code)
        || changed.contents.contains(entries[taken.place].file.address)
      if isChanged { result.insert(taken.number) }
    }
    return result
  }

  private func isKept(_ taken: Taken) -> Bool {
    taken.place < numbers.count && numbers[taken.place] == taken.number
  }

  private func addChecks() {
    var lastFile: UInt64 = 0
    for taken in assumed where isKept(taken) {
      let entry = entries[taken.place]
      checks.add(recordRange(of: taken.code), of: taken.code, .record(entry.identity))
      guard runtime.codes.version == nil else { continue }
      entry.forEachMark {
        guard $0.address != lastFile else { return }
        checks.add($0.range, of: taken.code, .content($0))
      }
      lastFile = entry.file.address
    }
  }
}
