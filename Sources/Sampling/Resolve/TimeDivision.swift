internal import ProfileModel

/// Divides a thread's CPU time among the samples that found it on a CPU, or its time without a CPU
/// among those that found it waiting for one.
///
/// The kernel counts how much of either there was between two samples, and not where. A sample that
/// found the thread asleep has none of it: the time goes in halves to the samples before and after it
/// that found the thread so. Over a capture each function then has as much as it used, since samples
/// find it as often as that. A sample that took the whole interval before it would not do: within its
/// period it is the later, the longer that interval is.
struct TimeDivision {
  /// How far time is carried to a sample: what is further away is nobody's.
  static let reach = Nanoseconds.seconds(1)

  /// What one interval adds to the last sample that found the thread so, and to its own.
  struct Parts: Equatable {
    var former: Nanoseconds = 0
    var own: Nanoseconds = 0
  }

  /// When it was last found so; nil where that is out of reach.
  private var lastFound: Nanoseconds?
  /// Used since then, or since `begin`, and not yet given to any sample.
  private var pending: Nanoseconds = 0
  private var begin: Nanoseconds
  /// Used when no sample within reach found it so.
  private(set) var unplaced: Nanoseconds = 0

  init(since begin: Nanoseconds) { self.begin = begin }

  /// Divides what was used since the last sample, at the time of a sample that found the thread so or
  /// did not.
  mutating func divide(_ used: Nanoseconds, at time: Nanoseconds, isFound: Bool) -> Parts {
    var parts = Parts()
    if time - (lastFound ?? begin) > Self.reach {
      if lastFound != nil { parts.former = pending } else { unplaced += pending }
      lastFound = nil
      begin = time
      pending = 0
    }
    pending += used
    guard isFound else { return parts }
    parts.own = pending
    if lastFound != nil {
      parts.former = pending / 2
      parts.own = pending - parts.former
    }
    pending = 0
    lastFound = time
    return parts
  }

  /// What goes to the last sample that found it so, with what was used since.
  mutating func finish(_ used: Nanoseconds) -> Nanoseconds {
    pending += used
    defer { pending = 0 }
    guard lastFound == nil else { return pending }
    unplaced += pending
    return 0
  }
}
