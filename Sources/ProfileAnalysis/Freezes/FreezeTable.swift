internal import ProfileModel

/// All freezes of a profile, and what they have in common.
package struct FreezeTable: Sendable {
  /// Freezes of one thread, in one handler, by one cause.
  package struct Row: Sendable {
    /// The longest of them.
    package fileprivate(set) var longest: Freeze
    /// The length of the shortest, in nanoseconds.
    package fileprivate(set) var shortest: Int64
    package fileprivate(set) var count = 0
    /// In nanoseconds.
    package fileprivate(set) var total: Int64 = 0
    /// Whether any of them lasted longer than is known.
    package fileprivate(set) var isAtLeast = false

    /// Of `total`, what the cause took.
    package fileprivate(set) var totalOfCause: Int64 = 0

    /// How long the cause of one took, on average.
    package var meanOfCause: Int64 { count > 0 ? totalOfCause / Int64(count) : 0 }
    /// The length of one, on average.
    package var mean: Int64 { count > 0 ? total / Int64(count) : 0 }
  }

  package let rule: FreezeRule
  /// Whether the capture has what it takes to find freezes.
  package let isKnown: Bool
  /// The threads of which something is known, those that froze for the longest time first.
  package let threads: [ThreadResponses]

  /// The freezes of `profile`; costs one step for each run, and some for each distinct stack.
  package init(_ index: ProfileIndex, _ rule: FreezeRule = FreezeRule()) {
    self.rule = rule
    let capture = index.profile.capture
    isKnown = capture.knowsUnseenSleeps && capture.kind.hasTimes
    guard isKnown else {
      threads = []
      return
    }
    var finder = FreezeFinder(index, rule)
    threads = index.profile.threads.indices.compactMap { finder.responses(of: $0) }
      .sorted { left, right in
        (right.frozen, left.thread) < (left.frozen, right.thread)
      }
  }

  /// All freezes in the order of time.
  package var freezes: [Freeze] {
    threads.flatMap(\.freezes).sorted { ($0.start, $0.thread) < ($1.start, $1.thread) }
  }

  /// The causes of some freezes, that of the longest total first.
  package static func rows(of freezes: [Freeze]) -> [Row] {
    var rows: [Row] = []
    var known: [Key: Int] = [:]
    for freeze in freezes {
      let key = Key(freeze)
      let place = known[key] ?? rows.count
      if place == rows.count {
        known[key] = place
        rows.append(Row(longest: freeze, shortest: freeze.length))
      }
      rows[place].count += 1
      rows[place].total = rows[place].total.addingClamped(freeze.length)
      rows[place].totalOfCause = rows[place].totalOfCause.addingClamped(freeze.cause.time)
      rows[place].isAtLeast = rows[place].isAtLeast || freeze.isAtLeast
      if freeze.length > rows[place].longest.length { rows[place].longest = freeze }
      rows[place].shortest = min(rows[place].shortest, freeze.length)
    }
    return rows.enumerated().sorted { left, right in
      (right.element.total, left.offset) < (left.element.total, right.offset)
    }.map(\.element)
  }

  /// What freezes of one cause have in common.
  private struct Key: Hashable {
    let thread: Int
    let loop: EventLoop?
    let function, file: String?
    let kind: FreezeCause.Kind
    let wait: WaitKind?
    let object: String?
    let isUnclear: Bool

    init(_ freeze: Freeze) {
      thread = freeze.thread
      loop = freeze.loop
      let frame = freeze.handler ?? freeze.cause.place
      function = frame?.line.function
      file = frame?.line.file
      kind = freeze.cause.kind
      wait = freeze.cause.wait?.kind
      object = freeze.cause.wait?.object?.variable
      isUnclear = freeze.isUnclear
    }
  }
}

extension ThreadResponses {
  /// For how long it was frozen, in nanoseconds.
  package var frozen: Int64 { freezes.reduce(Int64(0)) { $0.addingClamped($1.length) } }
}
