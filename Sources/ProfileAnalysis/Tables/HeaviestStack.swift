package import ProfileModel

/// The stack in which a thread spent most of its wall time.
///
/// Stacks that go through the same functions count as one; the lines shown are those of the
/// heaviest among them.
package struct HeaviestStack: Sendable {
  /// The heaviest of the stacks through these functions.
  package let stack: StackID
  package let end: StackEnd
  /// What the thread did there most of the time.
  package let activity: Activity
  /// All that the thread did in stacks through these functions.
  package let weight: Weight
  /// The part of the thread's wall time, 0 to 1; of its samples where it has no wall time.
  package let share: Double

  /// The heaviest stack of a thread, given by its index; nil for a thread without runs.
  package init?(_ index: ProfileIndex, thread: Int) {
    struct Place: Hashable {
      let path: Int
      let end: StackEnd
    }
    let paths = index.stacks.functionPaths
    var places = Tally<Place>()
    for run in index.runs(of: thread) {
      places.add(run.weight, to: Place(path: paths.path(of: run.stack), end: run.end))
    }
    guard let (place, weight) = places.heaviest else { return nil }
    var lines = Tally<Int>()
    var activities = Tally<Activity>()
    var stacks: [Int: StackID] = [:]
    for run in index.runs(of: thread)
    where paths.path(of: run.stack) == place.path && run.end == place.end {
      let line = index.stacks.linePaths.path(of: run.stack)
      lines.add(run.weight, to: line)
      activities.add(run.weight, to: run.activity)
      if stacks[line] == nil { stacks[line] = run.stack }
    }
    stack = lines.heaviest.flatMap { stacks[$0.key] } ?? .empty
    end = place.end
    activity = activities.mostly(by: TimeShares(index, thread: thread)) ?? .unknown
    self.weight = weight
    let total = places.total
    share =
      total.wall > 0
      ? Double(weight.wall) / Double(total.wall)
      : Double(weight.samples) / Double(max(total.samples, 1))
  }
}
