internal import LinuxProcess
internal import ProfileModel

/// When a program's maps are to be read again: once a second, more often while it loads files, and less
/// often the longer a reading takes, for no tick is taken meanwhile; once in five seconds by a capture that
/// is quiet.
struct MapsPace {
  private static let longest = Nanoseconds.seconds(1)
  private static let longestOfQuiet = Nanoseconds.seconds(5)
  /// The pause after a reading that shows other files: a program loads its libraries one by one.
  private static let afterChange = Nanoseconds.milliseconds(10)
  /// A share of 2 % of the time goes to readings, and one of 10 % where a stack is in no known mapping.
  private static let share: Int64 = 50
  private static let urgentShare: Int64 = 10

  /// The CPU time of the last reading, which a busy machine does not stretch.
  private var cost: Nanoseconds = 0
  /// When it was, since the start of the capture; nil before the first.
  private var lastTime: Nanoseconds?
  /// The least pause after it.
  private var pause = longest
  /// The files that were mapped, and their places, as a number.
  private(set) var files = 0

  func isDue(at time: Nanoseconds, isUrgent: Bool, isQuiet: Bool = false) -> Bool {
    guard let lastTime else { return true }
    let since = time - lastTime
    if isUrgent { return since >= cost * Self.urgentShare }
    let pause = isQuiet && pause == Self.longest ? Self.longestOfQuiet : pause
    return since >= max(pause, cost * Self.share)
  }

  /// Notes a reading; that of a new program is soon followed by others.
  mutating func note(
    _ maps: MemoryMaps, at time: Nanoseconds, cost: Nanoseconds, isNewProgram: Bool
  ) {
    let files = Self.files(of: maps)
    if lastTime == nil {
      pause = isNewProgram ? .milliseconds(1) : Self.longest
    } else {
      pause = files == self.files ? min(pause * 2, Self.longest) : min(pause, Self.afterChange)
    }
    (self.files, self.cost, lastTime) = (files, cost, time)
  }

  private static func files(of maps: MemoryMaps) -> Int {
    var hasher = Hasher()
    for mapping in maps.mappings where mapping.isFile && mapping.fileOffset == 0 {
      hasher.combine(mapping.inode)
      hasher.combine(mapping.start)
    }
    return hasher.finalize()
  }
}
