package import ProfileAnalysis
package import ProfileModel

/// All that the panes of a live view show, made at once from what is known at that moment.
package struct LivePicture: Sendable {
  /// What is asked of a picture.
  package struct Request: Sendable, Equatable {
    /// How far the panes look back, in nanoseconds.
    package var window: Int64 = 10_000_000_000
    /// The name or number of the threads that are shown; nil for all.
    package var thread: String?
    /// What counts as a freeze, in nanoseconds.
    package var freezeThreshold = FreezeRule.defaultThreshold

    package init() {}
  }

  /// A row of the functions.
  package struct Function: Sendable {
    package let name: String
    package let place: String
    /// In the window: itself, and with all that it called.
    package let own, total: Weight
    /// The same since the beginning.
    package let ownOfAll, totalOfAll: Weight
  }

  /// A row of the threads.
  package struct Thread: Sendable {
    package let tid: Int32
    package let name: String
    package let activity: Activity?
    /// Of the window, 0 to 1.
    package let cpu: Double
    /// What it waits for, or where it runs; who holds that, and in which function it waits.
    package let doing: String
    package var heldBy = ""
    package var place = ""
    /// For how long it has been waiting, in nanoseconds; 0 where that is not known.
    package let since: Int64
    package let isIdle: Bool
    /// What it did in the window, oldest first.
    package let strip: [Timeline.Slot]
    /// Who holds what it waits for; nil where that is no thread of the program.
    package let owner: Int32?
  }

  /// What some threads waited for, by the time that they lost.
  package struct Blocker: Sendable {
    /// What the others waited for, who held it, and what that one did meanwhile.
    package let wait, owner, deed: String
    package var isOwnerKnown = true
    package let ownerThread: Int32?
    /// Thread-nanoseconds lost in the window.
    package let lost: Int64
    package let waiters: Int
  }

  /// A node of the call tree.
  package struct Call: Sendable {
    /// The names of its callers and its own.
    package let path: String
    package let name: String
    package let depth: Int
    package let own, total: Weight
    package let hasChildren: Bool
  }

  /// How many threads do what.
  package struct States: Sendable {
    package var running = 0
    package var waiting = 0
    package var blocked = 0
    package var uninterruptible = 0
    package var stopped = 0
    package var unknown = 0
  }

  package var capture: CaptureInfo
  /// Which picture it is, of those that a view is shown; 0 for one that has no number.
  package var number = 0
  /// Nanoseconds since the beginning, and since the sums count.
  package var elapsed: Int64 = 0
  package var summed: Int64 = 0
  /// How much of the past has its times.
  package var kept: Int64 = 0
  /// The length of the window, in nanoseconds.
  package var window: Int64 = 0
  package var verdict = ""
  /// The threads that wait for each other, one a line.
  package var chain: [String] = []
  /// The verdict on all that has its times; nil until it was asked for.
  package var longVerdict: LongVerdict?
  package var states = States()
  package var threadCount = 0
  /// CPU time of the window as a share of a core.
  package var cpu = 0.0
  package var functions: [Function] = []
  package var windowWeight = Weight()
  package var allWeight = Weight()
  package var threads: [Thread] = []
  package var blockers: [Blocker] = []
  package var calls: [Call] = []
  /// The threads that are shown: their name or number; nil for all.
  package var thread: String?
  /// The last stack of each thread.
  var stacks: LiveStacks?

  /// What the last minutes show.
  package struct LongVerdict: Sendable {
    package let text: String
    /// How much time it is about, in nanoseconds.
    package let length: Int64
    package let freezes: Int
    /// The time of all freezes and of the longest, in nanoseconds.
    package let frozen: Int64
    package let longest: Int64
    /// Whether the longest lasted longer than was seen, as one that still goes on.
    package let isLongestAtLeast: Bool
    /// Nanoseconds from the beginning to the moment that it is of.
    package let time: Int64
    /// The threads that it is about: their name or number; nil for all.
    package let thread: String?

    /// Judges all that has its times; costs some steps for each run.
    package init(_ live: LiveProfile, _ request: Request) {
      let profile = live.last(live.kept)
      let index = ProfileIndex(profile)
      let filter = request.thread.map { ThreadFilter(glob: $0) }
      let subjects = filter.map { Set(index.threads(matching: $0)) }
      let diagnosis = Diagnosis(
        index, freezes: FreezeRule(threshold: request.freezeThreshold), subjects: subjects)
      text = VerdictWords(diagnosis).sentence
      thread = request.thread
      length = profile.capture.duration
      time = live.duration
      let found = diagnosis.freezes.freezes.filter { subjects?.contains($0.thread) ?? true }
      freezes = found.count
      frozen = found.reduce(0) { $0.addingClamped($1.length) }
      let most = found.max { $0.length < $1.length }
      longest = most?.length ?? 0
      isLongestAtLeast = most?.isAtLeast ?? false
    }
  }

  /// Whether it is of another tool's stacks, which have counts and no times.
  var isImported: Bool { capture.kind == .imported }

  /// A picture of nothing yet.
  package init(_ capture: CaptureInfo) { self.capture = capture }
}
