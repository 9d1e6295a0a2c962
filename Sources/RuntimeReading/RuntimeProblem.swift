/// Why the frames of a runtime are not shown, or its tasks not followed.
package enum RuntimeProblem: Hashable, Sendable {
  /// A version or a build that is not read; `known` are the versions that are: `3.7 to 3.15`.
  case unknownBuild(RuntimeBuild, known: String)
  /// A known version that does not read as it should; `title` such as `CPython 3.11.7`.
  case unreadable(RuntimeFault, language: String, title: String)
  /// A program in Go of a known version, whose list of goroutines was not found; `title` such as `go1.22.10`.
  case goroutinesNotFound(title: String)
  /// Frames that some thread runs, of which it is not known which one.
  case unplacedStacks(language: String, count: Int)
  /// A version whose tasks are not followed; `known` are those whose are.
  case unknownTasks(library: String, title: String, known: String)
}

/// A build of a runtime that is not read.
package struct RuntimeBuild: Hashable, Sendable {
  /// What sets it apart from the releases of its version.
  package enum Peculiarity: Hashable, Sendable {
    case withoutLock, preRelease, ownLayout
  }

  /// What it is, as a sentence says it: `Python 3.6.15`, `Java on OpenJ9`.
  package let title: String
  /// Nil for a version that is not known at all.
  package let peculiarity: Peculiarity?
  /// Whether frames are those of native code, and shown all the same: what is missing is goroutines.
  package let hasNativeFrames: Bool

  package init(title: String, peculiarity: Peculiarity? = nil, hasNativeFrames: Bool = false) {
    self.title = title
    self.peculiarity = peculiarity
    self.hasNativeFrames = hasNativeFrames
  }

  package init(language: String, version: String, peculiarity: Peculiarity? = nil) {
    self.init(title: "\(language) \(version)", peculiarity: peculiarity)
  }
}

/// What about a runtime's memory is not as its version has it.
package enum RuntimeFault: Hashable, Sendable {
  case memoryUnreadable
  case noInterpreter
  /// A thread's structure names no interpreter that there is.
  case strayThread
  /// No frame of any thread has a name.
  case namelessFrames
  /// There was no time to find out.
  case tooSlow
}
