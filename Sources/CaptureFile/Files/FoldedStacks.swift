internal import ProfileModel

/// Stacks as text, one a line: `outermost;…;innermost COUNT`.
enum FoldedStacks {
  /// The time that a count stands for, in nanoseconds.
  private static let period: Int64 = 10_000_000

  /// The profile in the text; nil when that has another form.
  static func profile(_ bytes: [UInt8], name: String) -> Profile? {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      return nil
    }
    var lines: [(frames: [Substring], count: Int64)] = []
    for line in text.split(whereSeparator: \.isNewline) where line.first != "#" {
      guard let parsed = parse(line) else { return nil }
      lines.append(parsed)
    }
    guard !lines.isEmpty else { return nil }
    return profile(lines, name: name)
  }

  private static func parse(_ line: Substring) -> (frames: [Substring], count: Int64)? {
    guard let space = line.lastIndex(of: " ") else { return nil }
    let number = line[line.index(after: space)...]
    guard let count = Int64(number) ?? Double(number).flatMap({ Int64(exactly: $0.rounded()) }),
      count >= 0, count < 1 << 53
    else { return nil }
    return (line[..<space].split(separator: ";", omittingEmptySubsequences: true), count)
  }

  private static func profile(
    _ lines: [(frames: [Substring], count: Int64)], name: String
  ) -> Profile {
    var capture = CaptureInfo(kind: .imported, pid: 0, processName: name, rate: 100)
    capture.notes = ["Folded stacks have counts, not times: each count is taken as 10 ms."]
    var profile = Profile(capture: capture)
    // With a thread at the beginning of each stack, as sprof and perf write it, the threads are
    // known.
    let threads = lines.map { thread(of: $0.frames) }
    let hasThreads = threads.allSatisfy { $0 != nil }
    var indexes: [Substring: Int] = [:]
    var builder = FoldedFrames()
    for (line, thread) in zip(lines, threads) {
      let key = hasThreads ? line.frames[0] : ""
      let index = indexes[key] ?? profile.threads.count
      if indexes.updateValue(index, forKey: key) == nil {
        let tid = hasThreads ? thread?.tid ?? 0 : 1
        let title = hasThreads ? thread?.name ?? "" : "all threads"
        profile.threads.append(
          ThreadInfo(tid: tid, name: title, isMain: profile.threads.isEmpty && !hasThreads))
      }
      let stack = builder.stack(line.frames.dropFirst(hasThreads ? 1 : 0))
      let wall = line.count.multipliedReportingOverflow(by: period)
      let weight = Weight(
        samples: line.count, ticks: line.count, wall: wall.overflow ? .max : wall.partialValue)
      let start = profile.threads[index].lastSeen
      profile.threads[index].lastSeen = start &+ weight.wall
      profile.runs.append(
        Run(
          thread: index, stack: stack, end: stack == .empty ? .truncated(.noStack) : .complete,
          activity: .unknown, start: start, weight: weight))
      profile.capture.cost.ticksTaken &+= line.count
    }
    profile.capture.cost.ticksPlanned = profile.capture.cost.ticksTaken
    profile.capture.duration = max(0, profile.threads.map(\.lastSeen).max() ?? 0)
    profile.stacks = builder.stacks
    profile.symbols = builder.symbols
    return profile
  }

  /// The thread that a first frame such as `worker (4242)` means.
  private static func thread(of frames: [Substring]) -> (name: String, tid: Int32)? {
    guard let first = frames.first, first.last == ")", let open = first.lastIndex(of: "("),
      let tid = Int32(first[first.index(after: open)...].dropLast()), tid > 0
    else { return nil }
    return (String(first[..<open].reversed().drop { $0 == " " }.reversed()), tid)
  }
}

/// The functions of folded stacks as frames, with their numbers for addresses.
private struct FoldedFrames {
  private(set) var stacks = StackTable()
  private(set) var symbols: [ResolvedFrame] = []
  private var numbers: [Substring: FrameID] = [:]

  mutating func stack(_ outermostFirst: ArraySlice<Substring>) -> StackID {
    outermostFirst.reduce(.empty) { caller, name in
      stacks.stack(of: frame(name), calledBy: caller)
    }
  }

  private mutating func frame(_ name: Substring) -> FrameID {
    if let known = numbers[name] { return known }
    let address = FileAddress(UInt64(symbols.count))
    let id = stacks.id(of: .code(CodeAddress(module: .anonymous, address: address)))
    symbols.append(
      ResolvedFrame(lines: [SourceLine(function: String(name))], module: .anonymous))
    numbers[name] = id
    return id
  }
}
