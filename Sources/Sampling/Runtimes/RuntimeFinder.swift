internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Looks for one language runtime in the process, time and again until it is there.
struct RuntimeFinder {
  private static let earlyInterval = Nanoseconds.milliseconds(20)
  private static let interval = Nanoseconds.seconds(1)
  /// While a program starts, its runtime may come at any moment.
  private static let earlyTime = Nanoseconds.seconds(3)
  /// How often one search tries again, and the pause before.
  private static let tries = 20
  private static let pause = Nanoseconds.microseconds(300)
  /// No new try is made after so long, nor a new search for a while after one that took as long.
  private static let longTime = Nanoseconds.milliseconds(300)
  /// Searches in vain until the runtime is given up as not to be read.
  private static let failureLimit = 20

  let kind: any LanguageRuntime.Type
  private let process: Int32
  private var nextSearch: Nanoseconds = 0
  private var earlyEnd = earlyTime
  private var failures = 0
  /// The files that were mapped when a search was last in vain.
  private var searchedFiles: Int?
  /// The last reading of the maps that is of an earlier program.
  private var earlierReading = 0
  /// The thread through which memory was read then.
  private var searchedThread: Int32 = 0
  /// What the last search found to keep the frames from being shown.
  private(set) var problem: RuntimeProblem?

  init(_ kind: any LanguageRuntime.Type, process: Int32) {
    self.kind = kind
    self.process = process
  }

  /// Whether the program has begun just now.
  func isEarly(at time: Nanoseconds) -> Bool { time < earlyEnd }

  /// Begins anew: the process has become another program, or may have.
  mutating func restart(at time: Nanoseconds, _ mappings: StackMappings) {
    searchedFiles = nil
    earlierReading = mappings.serial
    failures = 0
    earlyEnd = time + Self.earlyTime
    nextSearch = time + Self.earlyInterval
  }

  /// Searches when it is time; gives the runtime with the mark of the program that it is of.
  ///
  /// Nothing may be stopped. Reads no maps, which takes milliseconds where there are many.
  mutating func search(
    at time: Nanoseconds, in memory: ProcessMemory, _ mappings: StackMappings
  ) -> (runtime: any LanguageRuntime, program: ProgramIdentity?)? {
    if memory.tid != searchedThread {
      // Through a thread that has ended nothing could be found.
      searchedThread = memory.tid
      (nextSearch, searchedFiles, failures) = (0, nil, 0)
    }
    // The same files as at a search that found nothing need no second one.
    let files = mappings.pace.files
    guard time >= nextSearch, mappings.serial > earlierReading, files != searchedFiles else {
      return nil
    }
    nextSearch = time + (isEarly(at: time) ? Self.earlyInterval : Self.interval)
    problem = nil
    let program = ProgramIdentity(memory)
    switch find(in: memory, mappings.latest, at: time) {
    case .none: searchedFiles = files
    case .notReady: break
    case .found(let runtime): return (runtime, program)
    case .unknown(let problem):
      searchedFiles = files
      self.problem = problem
    case .unreadable(let problem):
      failures += 1
      if failures >= Self.failureLimit { searchedFiles = files }
      self.problem = problem
    }
    return nil
  }

  /// A running program's structures change under the reader's hands: not every try can succeed.
  private mutating func find(
    in memory: ProcessMemory, _ maps: MemoryMaps, at time: Nanoseconds
  ) -> RuntimeSearch {
    let start = MonotonicClock.now()
    var result = kind.find(in: memory, maps: maps, process: process)
    for _ in 0..<Self.tries {
      guard case .unreadable = result, MonotonicClock.now() - start < Self.longTime else { break }
      MonotonicClock.sleep(for: Self.pause)
      result = kind.find(in: memory, maps: maps, process: process)
    }
    let length = MonotonicClock.now() - start
    // Half of the time at most.
    if length >= Self.longTime { nextSearch = time + length * 2 }
    return result
  }
}
