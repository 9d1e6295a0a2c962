package import ProfileModel

/// One of the five units in which a profile weighs what happened.
package enum WeightUnit: String, CaseIterable, Sendable {
  case samples, ticks, cpu, wall, delay
}

extension Weight {
  /// The amount in one unit.
  package subscript(unit: WeightUnit) -> Int64 {
    switch unit {
    case .samples: samples
    case .ticks: ticks
    case .cpu: cpu
    case .wall: wall
    case .delay: delay
    }
  }

  /// Whether this weighs more in wall time, or as much in wall time and more in samples.
  ///
  /// A dump has no wall time, so there the samples decide.
  func isHeavier(than other: Weight) -> Bool {
    (wall, samples) > (other.wall, other.samples)
  }
}
