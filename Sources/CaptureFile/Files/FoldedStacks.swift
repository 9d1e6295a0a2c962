internal import ProfileModel

/// Stacks as text, one a line: `outermost;…;innermost COUNT`.
///
/// Takes the text piece by piece, and keeps each distinct stack once, with the sum of its counts.
struct FoldedStacks {
  /// The time that a count stands for, in nanoseconds.
  private static let period: Int64 = 10_000_000
  private static let newline = UInt8(ascii: "\n")

  private struct Entry {
    let stack: StackID
    /// The outermost frame; nil for an empty stack.
    let root: FrameID?
    var count: Int64
  }

  private let budget: ReadingBudget
  private var frames: FoldedFrames
  /// The distinct stacks in the order of their first line.
  private var entries: [Entry] = []
  private var places: [StackID: Int] = [:]
  /// The stack of the last line and its place: the next one is often the same.
  private var last: (stack: [UInt8], place: Int) = ([], -1)
  /// A line whose end has not come.
  private var rest: [UInt8] = []

  init(_ budget: ReadingBudget) {
    self.budget = budget
    frames = FoldedFrames(budget)
  }

  /// Whether a file that begins so has folded stacks; nil when that takes more bytes to say.
  static func areIn(_ beginning: [UInt8], isWhole: Bool, lineLimit: Int) -> Bool? {
    guard !beginning.contains(0) else { return false }
    var start = beginning.startIndex
    while let end = beginning[start...].firstIndex(of: newline) ?? (isWhole ? beginning.count : nil)
    {
      if let line = Self.line(beginning[start..<end]) { return parse(line) != nil }
      guard end < beginning.count else { return false }
      start = end + 1
    }
    guard !isWhole else { return false }
    guard beginning.count > lineLimit else { return nil }
    // A long line, or nothing but comments so far.
    let breaks: [UInt8] = [newline, UInt8(ascii: "\r"), UInt8(ascii: "\t")]
    return beginning.allSatisfy { $0 >= 0x20 || breaks.contains($0) }
  }

  /// Adds the next piece of the text.
  ///
  /// - Throws: `foreign` for a line of another form.
  mutating func add(_ text: [UInt8]) throws(CaptureFileError) {
    var start = text.startIndex
    while let end = text[start...].firstIndex(of: Self.newline) {
      if rest.isEmpty {
        try add(line: text[start..<end])
      } else {
        rest += text[start..<end]
        let line = rest
        rest.removeAll(keepingCapacity: true)
        try add(line: line[...])
      }
      start = end + 1
    }
    rest += text[start...]
    let limit = budget.limits.field
    guard rest.count <= limit else { throw .tooLarge(.line(limit: limit)) }
  }

  /// The profile in all of the text.
  ///
  /// - Throws: `foreign` when there is no stack in it, or the last line has another form.
  mutating func finish(name: String) throws(CaptureFileError) -> Profile {
    if !rest.isEmpty { try add(line: rest[...]) }
    guard !entries.isEmpty else { throw .foreign }
    return profile(name: name)
  }

  /// A line without what ends it; nil for an empty one and for a comment.
  private static func line(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    return line.isEmpty || line.first == UInt8(ascii: "#") ? nil : line
  }

  private static func parse(
    _ line: ArraySlice<UInt8>
  ) -> (stack: ArraySlice<UInt8>, count: Int64)? {
    guard let space = line.lastIndex(of: UInt8(ascii: " ")), let count = count(line[(space + 1)...])
    else { return nil }
    return (line[..<space], count)
  }

  private static func count(_ digits: ArraySlice<UInt8>) -> Int64? {
    var count: Int64 = 0
    // Fifteen digits are below the bound.
    guard !digits.isEmpty, digits.count < 16,
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return unusualCount(digits) }
    for digit in digits { count = count * 10 + Int64(digit - UInt8(ascii: "0")) }
    return count
  }

  /// A count such as `1.5` or `+3`.
  private static func unusualCount(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard digits.count < 400 else { return nil }
    let text = String(decoding: digits, as: UTF8.self)
    guard let count = Int64(text) ?? Double(text).flatMap({ Int64(exactly: $0.rounded()) }),
      count >= 0, count < 1 << 53
    else { return nil }
    return count
  }

  private mutating func add(line: ArraySlice<UInt8>) throws(CaptureFileError) {
    guard let line = Self.line(line) else { return }
    guard let (text, count) = Self.parse(line) else { throw .foreign }
    if last.place < 0 || !last.stack.elementsEqual(text) {
      last = (Array(text), try place(of: text))
    }
    let (sum, isTooLarge) = entries[last.place].count.addingReportingOverflow(count)
    entries[last.place].count = isTooLarge ? .max : sum
  }

  private mutating func place(of text: ArraySlice<UInt8>) throws(CaptureFileError) -> Int {
    let (stack, root) = try frames.stack(text)
    if let known = places[stack] { return known }
    try budget.take(MemoryCost.sample)
    places[stack] = entries.count
    entries.append(Entry(stack: stack, root: root, count: 0))
    return entries.count - 1
  }
}

extension FoldedStacks {
  private func profile(name: String) -> Profile {
    var capture = CaptureInfo(kind: .imported, pid: 0, processName: name, rate: 100)
    capture.notes = ["Folded stacks have counts, not times: each count is taken as 10 ms."]
    var profile = Profile(capture: capture)
    // With a thread at the beginning of each stack, as sprof and perf write it, the threads are
    // known.
    let titles = Set(entries.map(\.root)).reduce(into: [FrameID?: FoldedThread]()) {
      $0[$1] = $1.flatMap { FoldedThread(frames.name(of: $0)) }
    }
    let hasThreads = entries.allSatisfy { titles[$0.root] != nil }
    var known = hasThreads ? FoldedFrames(budget) : frames
    var indexes: [FrameID?: Int] = [:]
    var ownFrames: [FrameID: FrameID] = [:]
    for entry in entries {
      let root = hasThreads ? entry.root : nil
      let index = indexes[root] ?? profile.threads.count
      if indexes.updateValue(index, forKey: root) == nil {
        let title = titles[root] ?? FoldedThread(name: "all threads", tid: 1)
        profile.threads.append(
          ThreadInfo(tid: title.tid, name: title.name, isMain: !hasThreads))
      }
      let stack = hasThreads ? known.stack(entry.stack, of: frames, &ownFrames) : entry.stack
      add(entry.count, of: stack, thread: index, to: &profile)
    }
    profile.capture.cost.ticksPlanned = profile.capture.cost.ticksTaken
    profile.capture.duration = max(0, profile.threads.map(\.lastSeen).max() ?? 0)
    profile.stacks = known.stacks
    profile.symbols = known.symbols
    return profile
  }

  private func add(
    _ count: Int64, of stack: StackID, thread: Int, to profile: inout Profile
  ) {
    let wall = count.multipliedReportingOverflow(by: Self.period)
    let weight = Weight(
      samples: count, ticks: count, wall: wall.overflow ? .max : wall.partialValue)
    let start = profile.threads[thread].lastSeen
    profile.threads[thread].lastSeen = start &+ weight.wall
    profile.runs.append(
      Run(
        thread: thread, stack: stack, end: stack == .empty ? .truncated(.noStack) : .complete,
        activity: .unknown, start: start, weight: weight))
    profile.capture.cost.ticksTaken &+= count
  }
}
