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
    /// What the loader had loaded; nil where it keeps no record.
    let libraries: Libraries?
    /// The program that the process runs, where that is another one than at the reading before.
    var program: Program?
  }

  /// What the kernel says of the program that a process runs.
  struct Program: Sendable {
    let name: String?
    let executable: String?
    let commandLine: [String]

    /// Of a process as it is now; `thread` is one of its threads that has not ended.
    init(_ folder: TaskFolder, thread: Int32) {
      name = folder.name(of: folder.process)
      executable = folder.link("exe", of: thread)
      commandLine = folder.commandLine()
    }
  }

  /// Which libraries the maps of a reading show.
  struct Libraries: Sendable {
    /// Nil where the loader was at work all the time.
    let counts: LoaderRecord.Counts?
    let loader: LoaderRecord
    /// The path of the program.
    let program: String?
  }

  /// More than the resolver ever lags behind, but for a program that maps memory without end.
  private static let capacity = 256
  private let readings = Mutex<[Reading]>([])
  private let settled = Atomic<Int>(0)

  /// Counts up to which samples that wait for a reading have it, or will not get it.
  var settlement: Int { settled.load(ordering: .acquiring) }

  /// The tracer's: there will be no other reading for the samples that wait for one.
  func settle() { settled.add(1, ordering: .releasing) }

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
