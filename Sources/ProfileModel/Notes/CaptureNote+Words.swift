// Captures have these words; `CaptureFile` turns them back into cases.
extension CaptureNote {
  /// Whole sentences.
  package var words: String {
    switch self {
    case .noNames(let path, let problem):
      "Functions of \(path) are shown as addresses: \(problem.words)."
    case .noLines(let module, let problem): "\(module): \(problem.words)."
    case .noDebugData(let module, let buildID):
      "\(module) has no lines: it has no debug data, and no debug file"
        + (buildID.map { " for build-id \($0)" } ?? "") + " was found. "
        + "With its debug package, sprof symbols adds them to a capture."
    case .traced(let name, let pid):
      "The program is traced by \(name) (pid \(pid)), so its running threads could not be "
        + "stopped; only sleeping threads have stacks."
    case .restartedCalls(let count):
      (count == 1 ? "1 system call was" : "\(count) system calls were")
        + " interrupted by a stop and restarted transparently."
    case .uncertainSamples(let count):
      (count == 1 ? "1 sample was" : "\(count) samples were")
        + " taken while libraries came and went too fast to know which were loaded: functions in "
        + "libraries are shown as addresses there."
    case .unsampledThreads(1):
      "1 thread never got a CPU on which it could be stopped, so it has no stack."
    case .unsampledThreads(let count):
      "\(count) threads never got a CPU on which they could be stopped, so they have no stack."
    case .skippedTicks(let count, let budget):
      (count.map { "\($0) of the late ticks" } ?? "Ticks") + " were skipped " + budget.words
    case .repeated(let note, let count, let source): "\(note.words) (\(count) \(source))"
    case .plain(let words): words
    }
  }
}

extension TickBudget {
  fileprivate var words: String {
    switch self {
    case .pauses(let most):
      "to spare the program: stops may take at most \(most) of its time (--max-pause)."
    case .cpu(let most):
      "to spare the machine: sprof may use at most \(most) of a core to sample (--max-cpu)."
    }
  }
}
