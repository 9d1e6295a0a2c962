internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The captures of many processes, as they end, and why some could not be made.
///
/// May be used from any thread.
final class FamilyMembers: Sendable {
  private struct State: Sendable {
    var profile: FamilyProfile
    var refused: [String] = []
    var failures: [String: Int] = [:]
  }

  /// The process that the others descend from.
  let process: ProcessIdentity
  let modules: SharedModules
  private let state: Mutex<State>

  init(of process: ProcessIdentity, modules: SharedModules) {
    self.process = process
    self.modules = modules
    state = Mutex(State(profile: FamilyProfile(modules: modules)))
  }

  /// Adds the capture of one process; `start` is when that of all began.
  ///
  /// `isPeer` says that the program only waited for it.
  func add(_ capture: FinishedCapture, start: MonotonicClock.Instant, isPeer: Bool = false) {
    let captured = capture.profile
    // It has ended before a sample of it could be taken.
    guard !captured.unnamed.runs.isEmpty || captured.unnamed.capture.pid == process.pid else {
      return
    }
    let member = FamilyProfile.Member(
      profile: captured.unnamedWithWaits(), files: captured.openFiles(), pauses: capture.pauses,
      shift: max(0, capture.startTime - start), isPeer: isPeer)
    state.withLock { $0.profile.add(member) }
  }

  /// Notes that a process could not be captured.
  func note(_ failure: Capture.Failure, _ process: ProcessIdentity) {
    switch failure {
    // It has ended before it could be sampled.
    case .access(.noSuchProcess), .access(.hasEnded), .access(.isItself), .access(.isKernelThread):
      break
    case .access(.other(let error)), .system(let error): note(error)
    case .access(.is32Bit): note("32-bit programs are not supported")
    case .access:
      let name = ProcessSearch.processName(process.pid) ?? "?"
      state.withLock { $0.refused.append("\(name)[\(process.pid)]") }
    }
  }

  func note(_ error: SystemError) { note(error.reason) }

  private func note(_ reason: String) {
    state.withLock { $0.failures[reason, default: 0] += 1 }
  }

  /// The profile of all, with addresses in place of names; `own` is the capture of the process that the
  /// others descend from, `title` says how many were captured, `leftOut` how many were not, and in which
  /// words.
  func finish(
    with own: FinishedCapture, leftOut: (count: Int, note: String) = (0, ""),
    title: (_ count: Int) -> String
  ) -> Profile {
    add(own, start: own.startTime)
    return state.withLock { state in
      var profile = FamilyProfile(modules: modules)
      swap(&profile, &state.profile)
      var notes = [.plain(title(profile.processCount))] + Self.problems(of: state)
      if leftOut.count > 0 { notes.append(.plain(leftOut.note)) }
      let failed = state.failures.values.reduce(state.refused.count, +)
      return profile.finish(
        capture: own.profile.unnamed.capture, unsampled: failed + leftOut.count, notes: notes)
    }
  }

  private static func problems(of state: State) -> [CaptureNote] {
    var notes: [CaptureNote] = []
    if !state.refused.isEmpty {
      let names = state.refused.prefix(10).joined(separator: ", ")
      let rest = state.refused.count > 10 ? " …" : ""
      notes.append(
        "Not allowed to trace \(counted(state.refused.count)): \(names)\(rest).")
    }
    for (reason, count) in state.failures.sorted(by: { $0.key < $1.key }) {
      notes.append("\(counted(count)) could not be sampled: \(reason).")
    }
    return notes
  }

  /// A number of processes in words.
  static func counted(_ processes: Int) -> String {
    processes == 1 ? "1 process" : "\(processes) processes"
  }
}
