internal import LinuxProcess
internal import Synchronization

/// What the tracer has read of where the program's code is, for the resolver: by the time that it
/// comes to a sample, the program may have ended, or become another.
final class AddressSpaces: Sendable {
  struct Reading: Sendable {
    /// Counts the readings from 1; a sample names the one that it belongs to.
    let serial: Int
    let time: MonotonicClock.Instant
    let maps: MemoryMaps
    /// The process's name then; nil when it was gone.
    let name: String?
  }

  /// More than the resolver ever lags behind, but for a program that maps memory without end.
  private static let capacity = 64
  private let readings = Mutex<[Reading]>([])

  /// The tracer's: hands over the maps as they are now.
  func publish(_ reading: Reading) {
    readings.withLock { readings in
      if readings.count == Self.capacity { readings.removeFirst() }
      readings.append(reading)
    }
  }

  /// The resolver's: takes the oldest reading that `isWanted` says yes to, when it comes first.
  func take(if isWanted: (Reading) -> Bool) -> Reading? {
    readings.withLock { readings in
      guard let first = readings.first, isWanted(first) else { return nil }
      return readings.removeFirst()
    }
  }
}
