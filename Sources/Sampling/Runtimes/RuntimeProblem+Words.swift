internal import RuntimeReading

extension RuntimeProblem {
  /// The note of the report.
  var note: String {
    switch self {
    case .unknownBuild(let build, let known):
      (build.hasNativeFrames ? "Goroutines are not shown" : "Native frames only")
        + ": this is \(build.words), and sprof reads \(known)."
    case .unreadable(let fault, let language, let title):
      "Native frames only: cannot read the \(language) interpreter (\(title): \(fault.words))."
    case .goroutinesNotFound(let title):
      "Goroutines are not shown: the list of them was not found in memory (\(title))."
    case .unplacedStacks(let language, let count):
      count == 1
        ? "One \(language) stack is not shown: no thread was found that runs it."
        : "\(count) \(language) stacks are not shown: no threads were found that run them."
    case .unknownTasks(let library, let title, let known):
      "Following the tasks of \(library) (--async) needs \(known); this is \(title)."
    }
  }
}

extension RuntimeBuild {
  fileprivate var words: String {
    switch peculiarity {
    case nil: title
    case .withoutLock: "\(title) without the GIL (free-threaded)"
    case .preRelease: "\(title), a pre-release"
    case .ownLayout: "\(title), a modified build"
    }
  }
}

extension RuntimeFault {
  fileprivate var words: String {
    switch self {
    case .memoryUnreadable: "its memory cannot be read"
    case .noInterpreter: "the first interpreter is not where it should be"
    case .strayThread: "a thread state that belongs to no interpreter"
    case .namelessFrames: "no frame with a name"
    case .tooSlow: "its frames take too long to read"
    }
  }
}
