internal import ProfileAnalysis
internal import ProfileModel

/// Says what threads did while they were frozen.
struct FreezeWords {
  /// Causes in one sentence.
  private static let causeLimit = 3

  let diagnosis: Diagnosis
  private let waits: WaitWords

  private var profile: Profile { diagnosis.index.profile }

  init(_ diagnosis: Diagnosis) {
    self.diagnosis = diagnosis
    waits = WaitWords(diagnosis.index.profile)
  }

  // MARK: - The verdict

  /// How often a thread froze, for how long, and by what: `Froze 5 times in 12.0 s, …`.
  func sentence(of thread: Int) -> String {
    let freezes = diagnosis.freezes.threads.first { $0.thread == thread }?.freezes ?? []
    let isMain = profile.isMainThread(thread)
    let subject = isMain ? "Froze" : waits.thread(thread).capitalizedFirst + " froze"
    let times = freezes.count == 1 ? "once" : "\(freezes.count) times"
    return "\(subject) \(times) in \(span), \(range(of: freezes)): \(causes(of: freezes))."
  }

  /// What a thread did in stretches that may have been freezes, where it slept in most of them; empty for none.
  ///
  /// One that computes is busy, which other words say.
  func unclearSentence(of thread: Int) -> String {
    let known = diagnosis.freezes.threads.first { $0.thread == thread }?.unclear ?? []
    let slept = known.filter { $0.cause.wait != nil }
    guard !slept.isEmpty else { return "" }
    let times = slept.count == 1 ? "once" : "\(slept.count) times"
    let subject = profile.isMainThread(thread) ? "It" : waits.thread(thread).capitalizedFirst
    return " \(subject) may have frozen \(times), \(range(of: slept)): \(causes(of: slept))."
  }

  private var span: String {
    let duration = profile.capture.duration
    return duration < 600_000_000_000
      ? Figures.seconds(duration, decimals: 1) + " s" : Figures.duration(duration)
  }

  /// `0.25 to 0.41 s each`, `for at least 0.41 s`.
  private func range(of freezes: [Freeze]) -> String {
    let lengths = freezes.map(\.length)
    let (shortest, longest) = (lengths.min() ?? 0, lengths.max() ?? 0)
    let atLeast = freezes.contains(where: \.isAtLeast) ? "at least " : ""
    guard freezes.count > 1 else { return "for " + atLeast + Self.length(longest) }
    return atLeast + Self.range(shortest, longest) + " each"
  }

  /// `0.25 to 0.41 s`; one length where both are the same.
  private static func range(_ shortest: Int64, _ longest: Int64) -> String {
    let (first, last) = (length(shortest), length(longest))
    guard first != last else { return last }
    return longest < 600_000_000_000
      ? "\(Figures.seconds(shortest, decimals: 2)) to \(last)" : "\(first) to \(last)"
  }

  private func causes(of freezes: [Freeze]) -> String {
    let rows = FreezeTable.rows(of: freezes)
    var told: Set<EventLoop> = []
    var parts: [String] = []
    for row in rows.prefix(Self.causeLimit) {
      let count = freezes.count > 1 ? "\(row.count) × " : ""
      let isNew = row.longest.loop.map { told.insert($0).inserted } ?? false
      // Of one freeze the sentence has said it.
      parts.append(count + phrase(row, namesLoop: isNew, saysAtLeast: freezes.count > 1))
    }
    let rest = rows.dropFirst(Self.causeLimit).reduce(0) { $0 + $1.count }
    if rest > 0 { parts.append("\(rest) by other causes") }
    return parts.joined(separator: "; ")
  }

  // MARK: - One freeze

  /// What the freezes of a row have in common: `save_settings (app.py:4) slept 0.25 to 0.41 s in a handler of
  /// Python's event loop`.
  func phrase(_ row: FreezeTable.Row, namesLoop: Bool, saysAtLeast: Bool = true) -> String {
    let atLeast = saysAtLeast && row.isAtLeast ? "at least " : ""
    let part = Self.part(row.meanOfCause, of: row.mean, atLeast).map {
      $0 + (row.count > 1 ? " on average" : "")
    }
    let words = part ?? atLeast + Self.range(row.shortest, row.longest.length)
    return phrase(row.longest, lasting: words, namesLoop: namesLoop)
  }

  /// The same of one freeze.
  func phrase(_ freeze: Freeze, namesLoop: Bool, isUnclear: Bool? = nil) -> String {
    var freeze = freeze
    freeze.isUnclear = isUnclear ?? freeze.isUnclear
    let words = Self.part(freeze.cause.time, of: freeze.length) ?? Self.length(freeze.length)
    return phrase(freeze, lasting: words, namesLoop: namesLoop)
  }

  /// What a thread did while it was frozen, and who held it up: `waited for mutex orders_lock`.
  func activity(in freeze: Freeze) -> String {
    deed(freeze, lasting: nil) + ownerWords(freeze.cause)
  }

  /// Both lengths of a cause that did not take all of the freeze; nil for one that did.
  private static func part(
    _ time: Int64, of length: Int64, _ atLeast: String = ""
  ) -> String? {
    guard time < length / 10 * 9, length < 600_000_000_000 else { return nil }
    return "\(Figures.seconds(time, decimals: 2)) of \(atLeast)\(Self.length(length))"
  }

  private func phrase(_ freeze: Freeze, lasting words: String, namesLoop: Bool) -> String {
    let names = names(of: freeze)
    let comma = names.place.isEmpty ? "" : ","
    let loop = loopWords(freeze, namesLoop: namesLoop).map { comma + " " + $0 } ?? ""
    return names.subject + " " + deed(freeze, lasting: words) + names.place + loop
      + ownerWords(freeze.cause)
  }

  private func loopWords(_ freeze: Freeze, namesLoop: Bool) -> String? {
    let name = namesLoop ? freeze.loop.map { " of " + $0.name } ?? "" : ""
    guard freeze.isUnclear else { return name.isEmpty ? nil : "in a handler" + name }
    return "in one long handler\(name) or many short ones"
  }

  /// Who did it, and where where that is elsewhere.
  private func names(of freeze: Freeze) -> (subject: String, place: String) {
    let words = VerdictWords(diagnosis)
    let place = words.named(freeze.cause.place)
    guard let handler = words.named(freeze.handler) else {
      let subject = freeze.loop == nil ? "it" : "a handler"
      return (subject, place.map { ", in " + words.name($0) } ?? "")
    }
    let isSame = place.map { $0.line.function == handler.line.function } ?? true
    let other = isSame ? nil : place.map { ", in " + words.name($0) }
    return (words.name(handler), other ?? "")
  }

  /// What a thread did: `slept 0.40 s`, `waited 0.40 s for mutex orders_lock`.
  private func deed(_ freeze: Freeze, lasting length: String?) -> String {
    let pid = waits.pid(of: freeze.thread)
    return Self.deed(freeze.cause.kind, freeze.cause.wait, length, pid, waits)
  }

  private static func deed(
    _ kind: FreezeCause.Kind, _ wait: Wait?, _ length: String?, _ pid: Int32, _ waits: WaitWords
  ) -> String {
    let time = length.map { " " + $0 } ?? ""
    switch kind {
    case .computed: return "computed" + time
    case .slept: return "slept" + time
    case .cpu: return "waited\(time) for a CPU"
    case .stopped: return "was stopped" + (length.map { " for " + $0 } ?? "")
    case .unknown: return "did not respond" + (length.map { " for " + $0 } ?? "")
    case .lock, .disk, .socket, .child, .wait:
      guard let wait else { return "waited" + time }
      let subject = waits.subject(wait, in: pid)
      return "waited" + time + (subject.isEmpty ? "" : " " + subject)
    }
  }

  /// Who held the lock, and what that thread did meanwhile.
  private func ownerWords(_ cause: FreezeCause) -> String {
    guard let wait = cause.wait, !wait.owners.isEmpty else { return "" }
    guard let owner = cause.owner else { return "" }
    let words = VerdictWords(diagnosis)
    let place = words.named(owner.place).map { " in " + words.name($0) } ?? ""
    let deed = Self.deed(owner.kind, owner.wait, nil, waits.pid(of: owner.thread), waits)
    return ", held by \(waits.thread(owner.thread)), which \(deed)\(place)"
  }

  /// A freeze's length in seconds: `0.40 s`, `12 min 5 s`.
  static func length(_ nanoseconds: Int64) -> String {
    nanoseconds < 600_000_000_000
      ? Figures.seconds(nanoseconds, decimals: 2) + " s" : Figures.duration(nanoseconds)
  }
}
