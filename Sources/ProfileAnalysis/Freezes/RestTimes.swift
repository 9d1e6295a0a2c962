internal import ProfileModel

/// Measures how long a thread stays away between two rests.
struct RestTimes {
  private var all: [Int64] = []
  /// Nil before the first rest, and after time of which nothing is known.
  private var away: Int64?

  /// Notes a run at rest.
  mutating func rest(_ run: Run) {
    if let away, away > 0 { all.append(away) }
    away = 0
  }

  /// Notes a run elsewhere.
  mutating func pass(_ run: Run, isKnown: Bool) {
    guard isKnown else {
      away = nil
      return
    }
    away = away.map { $0 &+ max(0, run.weight.wall) }
  }

  /// The times, ascending; one that had begun before the first rest or goes on is not known.
  var lengths: [Int64] { all.sorted() }
}
