package import ProfileModel

/// The stacks of some threads that differ in a function, a line, their end or what the thread did
/// there.
package struct DistinctStacks: Sendable {
  /// A stack, and all runs that are like it.
  package struct Entry: Sendable {
    package let stack: StackID
    package let end: StackEnd
    package let activity: Activity
    package let weight: Weight
  }

  /// Heaviest first, by wall time or the unit asked for.
  package let entries: [Entry]
  /// The sum of the threads' runs.
  package let total: Weight

  /// The stacks of the threads, given by indexes into `profile.threads`, taken together.
  package init(_ index: ProfileIndex, threads: [Int], sortedBy unit: WeightUnit = .wall) {
    struct Place: Hashable {
      let path: Int
      let end: StackEnd
      let activity: Activity
    }
    var places = Tally<Place>()
    var stacks: [Place: StackID] = [:]
    for run in threads.lazy.flatMap({ index.runs(of: $0) }) {
      let path = index.stacks.linePaths.path(of: run.stack)
      let place = Place(path: path, end: run.end, activity: run.activity)
      places.add(run.weight, to: place)
      if stacks[place] == nil { stacks[place] = run.stack }
    }
    entries = places.sorted(by: unit).map { place, weight in
      Entry(
        stack: stacks[place] ?? .empty, end: place.end, activity: place.activity, weight: weight)
    }
    total = places.total
  }
}
