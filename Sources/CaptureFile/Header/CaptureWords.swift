internal import ProfileModel

/// The fixed texts of a capture file, by which a reader recognises its parts.
enum CaptureWords {
  static let sampleTypes = [
    ("samples", "count"), ("ticks", "count"), ("cpu", "nanoseconds"), ("wall", "nanoseconds"),
    ("delay", "nanoseconds"),
  ]
  static let thread = "thread"
  static let tid = "tid"
  /// The count of threads with this number so far, where one was reused; missing for the first.
  static let tidUse = "tid_use"
  /// The number and the name of the process, where there are several.
  static let pid = "pid"
  static let process = "process"
  static let start = "start"
  static let state = "state"
  static let wait = "wait"
  /// With `interpreterLock` of a thread that sleeps at the lock of its interpreter.
  static let lock = "lock"
  static let interpreterLock = "interpreter"
  static let end = "end"
  /// Where the thread slept between samples (`UnseenSleeps`); missing for nowhere.
  static let slept = "slept_unseen"
  /// System names that mark locations: one for frames left out of a deep stack, and an interpreted
  /// function.
  static let elided = "[sprof:elided]"
  static let interpreted = "[sprof:interpreted]"

  /// The system name that marks a function of a language runtime: Python's have that of old.
  static func mark(of language: SourceLanguage?) -> String {
    language.map { "[sprof:\($0.rawValue)]" } ?? interpreted
  }

  /// All of these, with the language that each stands for.
  static let languageMarks: [(mark: String, language: SourceLanguage?)] =
    [(interpreted, nil)] + SourceLanguage.allCases.map { (mark(of: $0), $0) }
}
