/// What the user should know about how a capture was made: a case where anything adds such notes up, takes
/// them back or leaves them out.
package enum CaptureNote: Hashable, Sendable {
  /// The functions of a file are shown as addresses.
  case noNames(path: String, ModuleProblem)
  /// A module, by its name, lacks lines or inlined functions.
  case noLines(module: String, LinesProblem)
  /// Much CPU time was spent in a module that has neither debug data nor a debug file.
  case noDebugData(module: String, buildID: String?)
  /// Another process holds the program.
  case traced(by: String, pid: Int32)
  /// System calls that a stop has interrupted.
  case restartedCalls(Int)
  /// Samples that were taken while libraries came and went.
  case uncertainSamples(Int)
  /// Threads that could not be stopped.
  case unsampledThreads(Int)
  /// Late ticks that were left out; nil where that is said of many processes.
  case skippedTicks(Int64?, by: TickBudget)
  /// A note of several processes or captures.
  indirect case repeated(CaptureNote, count: Int, in: NoteSource)
  /// A whole sentence, or several.
  case plain(String)
}

/// What ticks are left out for; the most that may be used is in words: `1 %`.
package enum TickBudget: Hashable, Sendable {
  /// Of the program's time.
  case pauses(most: String)
  /// Of a core, for sprof itself.
  case cpu(most: String)
}

/// What several of may say the same.
package enum NoteSource: String, Hashable, Sendable, CaseIterable {
  case processes, captures
}

extension CaptureNote: ExpressibleByStringInterpolation {
  package init(stringLiteral words: String) { self = .plain(words) }
}
