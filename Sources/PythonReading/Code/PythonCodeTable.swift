internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// The code objects that were read, by address, and what shows whether one is still the same.
///
/// Addresses are used again in programs that compile at run time, so no entry is believed without
/// a check: of the number of code objects that were freed (3.14 and later), else of its record,
/// copied at the same instant as the frame. Where no address was seen to be used again, one that was
/// the same time and again is taken to be so, and checked a moment later for all samples since.
/// Belongs to one program: another that the process becomes may have all the same numbers and addresses.
final class PythonCodeTable {
  private let shape: PythonCodeShape
  /// Whether the interpreter counts the code objects that it frees.
  private let countsFreed: Bool
  private var entries: [PythonCodeEntry] = []
  /// By the same places: the functions, and in how many samples of a thread each was the same.
  private var functions: [RuntimeFunction] = []
  /// The functions' numbers: to compare them touches no function.
  private var numbers: [UInt32] = []
  private var samples: [UInt8] = []
  /// When each was first met.
  private var meetings: [MonotonicClock.Instant] = []
  /// Which batch of assumptions each was last in.
  private var batches: [UInt32] = []
  private var batch: UInt32 = 1
  /// What was taken for granted since the last call of `refuted`, each once.
  private var assumed: [Taken] = []
  /// Where each code object's is.
  private var places = WordTable()
  /// Types that are known to be, or not to be, that of code objects.
  private var types: [RemoteAddress: Bool] = [:]
  private var reading: PythonCodeReading
  /// Programs that compile for ever must not fill our memory.
  private static let entryLimit = 1 << 17
  /// What their functions take of it, and how much they may.
  private var byteCount = 0
  private static let byteLimit = 64 << 20
  /// So often a code object was the same before it is taken for granted.
  private static let settledSamples = 4
  /// And so long: where samples follow each other closely, four of them say little.
  private static let settlingTime = Nanoseconds.milliseconds(100)
  /// So long no address may have been used again before.
  private static let quietTime = Nanoseconds.seconds(10)
  /// When a known address last held another code object; 0 if never.
  private var changeTime = MonotonicClock.Instant.distantPast
  private var isQuiet = true
  private let clock: () -> MonotonicClock.Instant
  private var sampleTime = MonotonicClock.Instant.distantPast
  /// Kept only for their memory.
  private var checks = PythonCodeChecks()

  /// A code object of the table, as a sample has taken it to be.
  struct Taken {
    let code: RemoteAddress
    fileprivate let place: Int
    /// That of its function (`RuntimeFunction.number`).
    let number: UInt32
  }

  init(_ runtime: PythonRuntime, clock: @escaping () -> MonotonicClock.Instant) {
    shape = runtime.codes
    countsFreed = runtime.generationFields != nil
    reading = PythonCodeReading(runtime)
    self.clock = clock
  }

  var count: Int { entries.count }

  private func place(of code: RemoteAddress) -> Int? {
    places.number(of: code.rawValue).map { Int($0) }
  }

  private func keep(_ entry: PythonCodeEntry, _ function: RuntimeFunction, for code: RemoteAddress)
  {
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
    places.set(UInt32(entries.count), for: code.rawValue)
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

  func isKnownType(_ type: RemoteAddress) -> Bool? { types[type] }

  func noteType(_ type: RemoteAddress, isCode: Bool) {
    guard types.count < 4096 else { return }
    types[type] = isCode
  }

  // MARK: - What to copy

  /// The record of a code object, and what else shows whether it is the same as before.
  ///
  /// Nothing for one that is checked later (`settled`).
  func verificationRanges(of code: RemoteAddress) -> [MemoryRange] {
    guard settled(at: code) == nil else { return [] }
    return allRanges(of: code)
  }

  private func allRanges(of code: RemoteAddress) -> [MemoryRange] {
    var ranges = [reading.recordRange(of: code)]
    if shape.version == nil, let place = place(of: code) {
      entries[place].forEachMark { ranges.append($0.range) }
    }
    return ranges
  }

  /// Whether all of `verificationRanges` is there; allocates nothing.
  private func isCopied(_ place: Int, at code: RemoteAddress, in copies: MemoryCopies) -> Bool {
    copies.holds(reading.recordRange(of: code))
      && (shape.version != nil || entries[place].isCopied(copies))
  }

  /// What is still to be copied before `function(at:)` can give it; nothing when all is there.
  func missing(
    for code: RemoteAddress, generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> [MemoryRange] {
    if let place = place(of: code) {
      if let generation, entries[place].generation == generation { return [] }
      guard isCopied(place, at: code, in: copies) else {
        return allRanges(of: code).filter { !copies.holds($0) }
      }
      if isSame(place, at: code, generation, in: copies) { return [] }
    }
    guard let identity = shape.identity(copies, at: code) else {
      return [reading.recordRange(of: code)]
    }
    // What is no code object has no names to be copied.
    guard types[identity.type] != false else { return [] }
    return reading.missing(for: identity, in: copies)
  }

  // MARK: - Functions

  /// Begins to read the functions of a stack.
  func beginReading() { reading.begin() }

  /// A code object that was met before and is still the same.
  func known(
    at code: RemoteAddress, generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> Taken? {
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
    at code: RemoteAddress, generation: PythonCodeGeneration?, in copies: MemoryCopies
  ) -> RuntimeFunction? {
    if let known = known(at: code, generation: generation, in: copies) {
      return function(of: known)
    }
    guard let identity = shape.identity(copies, at: code), types[identity.type] != false,
      let (function, hasLines) = reading.function(identity, in: copies)
    else { return nil }
    // Without its lines it serves this once; the next sample may get them.
    guard hasLines else { return function }
    keep(reading.entry(identity, generation, in: copies), function, for: code)
    return function
  }

  private func isSame(
    _ place: Int, at code: RemoteAddress, _ generation: PythonCodeGeneration?,
    in copies: MemoryCopies
  ) -> Bool {
    // A later interpreter gives the numbers of an earlier one once more.
    if let generation, entries[place].interpreter != generation.interpreter { return false }
    return shape.identity(copies, at: code) == entries[place].identity
      && (shape.version != nil || entries[place].isSame(in: copies))
  }

  // MARK: - What is taken for granted

  /// Begins a sample of a thread.
  func beginSample() {
    sampleTime = clock()
    if !isQuiet, sampleTime - changeTime > Self.quietTime { isQuiet = true }
  }

  /// Notes that a sample has found the code object the same as before.
  func countSample(at code: RemoteAddress) {
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
  /// sample and this one, and a second time, for the same function, until `refuted` is asked.
  func settled(at code: RemoteAddress) -> Taken? {
    guard isQuiet, !countsFreed, let place = place(of: code),
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
    // A sample in a stop may have found another in its place.
    var result = Set(assumed.lazy.filter { !self.isKept($0) }.map(\.number))
    checks.removeAll()
    addChecks()
    guard let changed = checks.changed(shape, in: memory) else { return result }
    noteChange()
    for taken in assumed where isKept(taken) {
      // The file is checked with one of its functions.
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
    var lastFile = RemoteAddress.null
    for taken in assumed where isKept(taken) {
      let entry = entries[taken.place]
      checks.add(reading.recordRange(of: taken.code), of: taken.code, .record(entry.identity))
      guard shape.version == nil else { continue }
      entry.forEachMark {
        guard $0.address != lastFile else { return }
        checks.add($0.range, of: taken.code, .content($0))
      }
      lastFile = entry.file.address
    }
  }
}
