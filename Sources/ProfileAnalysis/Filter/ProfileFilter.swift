package import ProfileModel

/// Leaves of a profile what the user asked for, as a profile: every view and export works on it.
package struct ProfileFilter {
  /// What a thread did, as one word for the user.
  package enum State: String, CaseIterable, Sendable {
    case running, waiting, blocked, uninterruptible, stopped, unknown

    /// Whether `activity` is meant; an uninterruptible sleep is a blocked one, too.
    func matches(_ activity: Activity) -> Bool {
      switch activity {
      case .running: self == .running
      case .waitingForCPU: self == .waiting
      case .blocked: self == .blocked
      case .uninterruptible: self == .blocked || self == .uninterruptible
      case .stopped: self == .stopped
      case .unknown: self == .unknown
      }
    }
  }

  /// Nil for all threads.
  package var thread: ThreadFilter?
  /// Empty for all.
  package var states: Set<State> = []
  /// Nanoseconds from the start of the capture; nil for its beginning or its end.
  package var from: Int64?
  package var to: Int64?
  /// Stacks with a function that matches stay, and of these those without one to ignore.
  package var focus: FunctionPattern?
  package var ignore: FunctionPattern?
  /// Stacks that go through a module of that name or path stay; nil for all.
  ///
  /// What has a source file and no module, such as Python, has the file for its module.
  package var module: Glob?

  package init() {}

  /// Whether the filter leaves everything as it is.
  package var isEmpty: Bool { thread == nil && !choosesRuns }

  private var choosesStacks: Bool { focus != nil || ignore != nil || module != nil }
  private var choosesTime: Bool { from != nil || to != nil }
  private var choosesRuns: Bool { !states.isEmpty || choosesTime || choosesStacks }

  /// What is left of `profile`: its stacks stay, threads and runs go.
  ///
  /// Runs are cut in proportion at the ends of the time window. A thread's CPU time and its share
  /// of states are then those of the runs that are left, and a thread without any goes.
  /// Costs one match of each distinct function, and one step for each stack and run.
  package func apply(to profile: Profile) -> Profile {
    guard !isEmpty else { return profile }
    var filtered = profile
    let isShown = choosesStacks ? StackChoice(self, profile).isChosen : nil
    var kept = profile.threads.map { thread?.matches($0) ?? true }
    var totals = Array(repeating: Weight(), count: profile.threads.count)
    var hasRuns = Array(repeating: !choosesRuns, count: profile.threads.count)
    var all = Weight()
    filtered.runs = []
    for run in profile.runs {
      guard kept.indices.contains(run.thread) else { continue }
      all += run.weight
      guard kept[run.thread],
        states.isEmpty || states.contains(where: { $0.matches(run.activity) }),
        isShown.map({ run.stack.rawValue < $0.count && $0[Int(run.stack.rawValue)] }) ?? true,
        let part = run.part(from: from ?? .min, to: to ?? .max)
      else { continue }
      totals[run.thread] += part.weight
      hasRuns[run.thread] = true
      filtered.runs.append(part)
    }
    for thread in kept.indices where !hasRuns[thread] { kept[thread] = false }
    if choosesRuns { restrict(&filtered, to: totals) }
    let left = totals.reduce(into: Weight()) { $0 += $1 }
    filtered.keepThreads(kept)
    filtered.keepBlockings(from: from ?? .min, to: to ?? .max)
    if choosesRuns { filtered.capture.notes.append(note(left: left, of: all)) }
    return filtered
  }

  /// Makes the threads' own counts those of the runs that are left.
  private func restrict(_ profile: inout Profile, to totals: [Weight]) {
    let choosesOnlyTime = states.isEmpty && !choosesStacks
    for (thread, total) in totals.enumerated() {
      profile.threads[thread].cpu = total.cpu
      profile.threads[thread].delay = total.delay
      let info = profile.threads[thread]
      let first = max(info.firstSeen, from ?? .min)
      profile.threads[thread].firstSeen = first
      profile.threads[thread].lastSeen =
        choosesOnlyTime
        ? max(first, min(info.lastSeen, to ?? .max)) : first &+ max(0, total.wall)
    }
    guard choosesTime else { return }
    let end = min(to ?? .max, max(profile.capture.duration, 0))
    profile.capture.duration = max(0, end - max(0, from ?? 0))
  }

  private func note(left: Weight, of all: Weight) -> String {
    var parts: [String] = []
    if let thread { parts.append("thread \(thread.glob)") }
    if !states.isEmpty {
      let words = State.allCases.filter { states.contains($0) }.map(\.rawValue)
      parts.append("state \(words.joined(separator: ", "))")
    }
    if let from { parts.append("from \(Self.seconds(from))") }
    if let to { parts.append("to \(Self.seconds(to))") }
    if let focus { parts.append("focus \(focus.text)") }
    if let ignore { parts.append("ignore \(ignore.text)") }
    if let module { parts.append("module \(module.text)") }
    let share = all.wall > 0 ? Double(left.wall) / Double(all.wall) : 0
    let tenths = Int64((min(max(share, 0), 1) * 1000).rounded())
    return "filtered (\(parts.joined(separator: "; "))): \(tenths / 10).\(tenths % 10) % of the "
      + "threads' wall time; ticks, stops and cost are those of the whole capture."
  }

  private static func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = String(abs(nanoseconds / 1_000_000) % 1000)
    let padding = String(repeating: "0", count: 3 - milliseconds.count)
    return "\(nanoseconds / 1_000_000_000).\(padding)\(milliseconds) s"
  }
}

extension Run {
  /// The part of the run within a window, its weights in proportion; nil when it lies outside.
  ///
  /// Neighbouring windows share the run without a remainder.
  func part(from: Int64, to: Int64) -> Run? {
    guard weight.wall > 0 else { return (from..<max(from, to)).contains(start) ? self : nil }
    let (sum, overflow) = start.addingReportingOverflow(weight.wall)
    let end = overflow ? Int64.max : sum
    if from <= start && to >= end { return self }
    let first = max(from, start)
    let last = min(to, end)
    guard first < last else { return nil }
    let head = UInt64(bitPattern: first &- start)
    let tail = UInt64(bitPattern: last &- start)
    let wall = UInt64(weight.wall)
    func cut(_ amount: Int64) -> Int64 {
      amount.share(min(tail, wall), of: wall) &- amount.share(min(head, wall), of: wall)
    }
    return Run(
      thread: thread, stack: stack, end: self.end, activity: activity, start: first,
      weight: Weight(
        samples: cut(weight.samples), ticks: cut(weight.ticks), cpu: cut(weight.cpu),
        wall: cut(weight.wall), delay: cut(weight.delay)))
  }
}

extension Int64 {
  /// The amount times part by whole, where part is at most whole; rounded towards zero.
  fileprivate func share(_ part: UInt64, of whole: UInt64) -> Int64 {
    // The high word is below `whole`, so the quotient fits: part <= whole and magnitude < 2^64.
    let product = magnitude.multipliedFullWidth(by: part)
    guard product.high < whole else { return self }
    let quotient = whole.dividingFullWidth(product).quotient
    let value = Int64(clamping: quotient)
    return self < 0 ? 0 &- value : value
  }
}

extension Profile {
  /// Takes away the threads that are not kept, and their runs.
  mutating func keepThreads(_ kept: [Bool]) {
    var position = 0
    let places = kept.map { isKept in
      defer { if isKept { position += 1 } }
      return isKept ? position : -1
    }
    threads = zip(threads, kept).filter(\.1).map(\.0)
    var moved = RunList()
    for run in runs where places.indices.contains(run.thread) && places[run.thread] >= 0 {
      moved.append(run.moved(to: places[run.thread]))
    }
    runs = moved
  }
}

extension Profile {
  /// Keeps the waits of the threads that are left, and of other processes, within a window of time.
  fileprivate mutating func keepBlockings(from: Int64, to: Int64) {
    let tids = Set(threads.map(\.tid))
    let own = Set(threads.map { $0.pid(in: capture.pid) }).union([capture.pid])
    blockings = blockings.filter { blocking in
      (!own.contains(blocking.waiter.pid) || tids.contains(blocking.waiter.tid))
        && blocking.firstSeen < to && blocking.lastSeen >= from
    }
  }
}

extension Run {
  /// The same run of another thread.
  func moved(to thread: Int) -> Run {
    Run(
      thread: thread, stack: stack, end: end, activity: activity, start: start, weight: weight)
  }
}

/// Which stacks of a profile the filter leaves.
private struct StackChoice {
  /// By stack.
  private(set) var isChosen: [Bool] = []

  init(_ filter: ProfileFilter, _ profile: Profile) {
    var matches = FrameMatches(filter, profile)
    let table = profile.stacks
    var isInFocus: [Bool] = []
    var isIgnored: [Bool] = []
    var isInModule: [Bool] = []
    for stack in 0..<table.stackCount {
      let id = StackID(UInt32(stack))
      let caller = Int(table.caller(of: id).rawValue)
      let hasCaller = caller < stack
      let frame = table.innermostFrame(of: id).map { matches.of($0) }
      isInFocus.append(hasCaller && isInFocus[caller] || frame?.focus ?? false)
      isIgnored.append(hasCaller && isIgnored[caller] || frame?.ignore ?? false)
      isInModule.append(hasCaller && isInModule[caller] || frame?.module ?? false)
      isChosen.append(
        (filter.focus == nil || isInFocus[stack]) && !isIgnored[stack]
          && (filter.module == nil || isInModule[stack]))
    }
  }
}

/// What the filter says of each frame; each function name is matched once.
private struct FrameMatches {
  struct Match {
    var focus = false
    var ignore = false
    var module = false
  }

  private let filter: ProfileFilter
  private let profile: Profile
  /// By module.
  private let areModules: [Bool]
  private var focus: [String: Bool] = [:]
  private var ignore: [String: Bool] = [:]
  private var known: [Match?]

  init(_ filter: ProfileFilter, _ profile: Profile) {
    self.filter = filter
    self.profile = profile
    areModules = profile.modules.map { module in
      filter.module.map { $0.matches(module.name) || $0.matches(module.path) } ?? false
    }
    known = Array(repeating: nil, count: profile.stacks.frames.count)
  }

  mutating func of(_ frame: FrameID) -> Match {
    let position = Int(frame.rawValue)
    guard known.indices.contains(position) else { return Match() }
    if let match = known[position] { return match }
    var match = Match()
    var names: [String] = []
    switch profile.stacks[frame] {
    case .code(let code):
      let lines = position < profile.symbols.count ? profile.symbols[position].lines : []
      match.module =
        profile.position(of: code.module).map { areModules[$0] } ?? lines.contains(where: isModule)
      names = lines.isEmpty ? [code.address.description] : lines.map(\.function)
    case .interpreted(let line):
      match.module = isModule(line)
      names = [line.function]
    case .elided: break
    }
    for name in names {
      match.focus = match.focus || Self.match(name, filter.focus, &focus)
      match.ignore = match.ignore || Self.match(name, filter.ignore, &ignore)
    }
    known[position] = match
    return match
  }

  /// Whether a line's file is the module that is wanted.
  private func isModule(_ line: SourceLine) -> Bool {
    guard let glob = filter.module, let file = line.file else { return false }
    return glob.matches(file)
      || glob.matches(file.split(separator: "/").last.map(String.init) ?? file)
  }

  private static func match(
    _ name: String, _ pattern: FunctionPattern?, _ known: inout [String: Bool]
  ) -> Bool {
    guard let pattern else { return false }
    if let match = known[name] { return match }
    let match = pattern.matches(name)
    known[name] = match
    return match
  }
}

/// A regular expression for names of functions; it may match any part of a name.
package struct FunctionPattern {
  /// As the user wrote it.
  package let text: String
  private let regex: Regex<AnyRegexOutput>

  /// Throws what the regular expression's parser found wrong; its description is for the user.
  package init(_ text: String) throws {
    self.text = text
    regex = try Regex(text).matchingSemantics(.unicodeScalar)
  }

  /// Whether a part of `name` matches.
  package func matches(_ name: String) -> Bool { ((try? regex.firstMatch(in: name)) ?? nil) != nil }
}
