internal import ProfileModel

/// Where a main thread rests whose event loop has no names: in the shallowest waits below its entry, which
/// it returns to.
///
/// Chromium and programs made with it are stripped of all names but `ChromeMain`.
struct RestHabit {
  private static let entries: [String: EventLoop] = ["ChromeMain": .chromium]
  /// Fewer show no habit.
  private static let leastReturns = 3
  /// A loop waits with and without a time limit, by functions of its own.
  private static let depthMargin = 1

  let loop: EventLoop
  private let rests: Set<StackID>
  private let stacks: Set<StackID>

  /// Nil for a thread that has no such loop, or was not found to return to it.
  init?(_ index: ProfileIndex, thread: Int) {
    guard index.profile.isMainThread(thread) else { return nil }
    var depths: [StackID: Int?] = [:]
    var loop: EventLoop?
    for run in index.runs(of: thread) where depths[run.stack] == nil {
      let frames = index.frames(of: run.stack)
      let entry = frames.lazy.compactMap { Self.entries[$0.line.function] }.first
      loop = loop ?? entry
      depths[run.stack] = .some(entry.map { _ in frames.count { !$0.line.isNamed } })
    }
    guard let loop else { return nil }
    let waits = index.runs(of: thread).filter { $0.activity.isWait }
    guard let least = waits.compactMap({ depths[$0.stack] ?? nil }).min() else { return nil }
    let isRest = { (run: Run) in
      (depths[run.stack] ?? nil).map { $0 <= least + Self.depthMargin } ?? false
    }
    let resting = waits.filter(isRest)
    let time = { (runs: [Run]) in runs.reduce(0.0) { $0 + Double(max(0, $1.weight.wall)) } }
    guard resting.count >= Self.leastReturns, time(resting) >= time(waits) / 2 else { return nil }
    self.loop = loop
    rests = Set(resting.map(\.stack))
    stacks = Set(depths.filter { $0.value != nil }.keys)
  }

  /// Whether the thread rests in `run`.
  func isRest(_ run: Run) -> Bool { run.activity.isWait && rests.contains(run.stack) }

  /// Whether a stack goes through the loop.
  func contains(_ stack: StackID) -> Bool { stacks.contains(stack) }
}
