package import ProfileModel

/// A capture, or a part of one, on one side of a comparison.
package struct ComparedCapture: Sendable {
  package let profile: Profile
  /// Nanoseconds from the start of the capture; nil for all of it.
  package let window: Range<Int64>?

  package init(_ profile: Profile, window: Range<Int64>? = nil) {
    self.profile = profile
    self.window = window
  }

  /// What is compared, in nanoseconds from the start of the capture.
  ///
  /// A run may end a little after the last tick; that time counts.
  var span: (start: Double, length: Double) {
    let end = profile.runs.reduce(Double(max(profile.capture.duration, 0))) { end, run in
      max(end, Double(run.start) + Double(max(run.weight.wall, 0)))
    }
    guard let window else { return (0, end) }
    let start = min(max(Double(window.lowerBound), 0), end)
    return (start, max(min(Double(window.upperBound), end) - start, 0))
  }
}
