package import ProfileAnalysis
package import ProfileModel

/// A freeze in words, and as JSON: what a thread did in a profile of just that time.
package struct AbsenceReport {
  package let profile: Profile
  /// Nil for a thread without samples.
  package let cause: AbsenceCause?
  private let thread: Int?
  private let words: VerdictWords

  /// A report on the thread with this number.
  package init(_ profile: Profile, tid: Int32) {
    self.profile = profile
    let diagnosis = Diagnosis(profile)
    thread = profile.threads.lastIndex { $0.tid == tid && $0.process == nil }
    cause = thread.flatMap { AbsenceCause(diagnosis, thread: $0) }
    words = VerdictWords(diagnosis)
  }

  /// The thread in a sentence.
  package var subject: String { thread.map { words.waits.thread($0) } ?? "a thread" }

  /// What it did, as it follows the thread: `sleeping in save_settings (app.py:4), a handler of Python's
  /// event loop`.
  package var doing: String {
    guard let cause else { return "not sampled" }
    return activityWords(cause, isShort: false) + placeWords(cause)
      + (cause.isUnclear ? ", in one long handler or many short ones" : "")
  }

  /// The same for many freezes: without what differs from one to the next.
  package var summary: String {
    guard let cause else { return "not sampled" }
    let activity = activityWords(cause, isShort: true)
    guard let handler = words.named(cause.handler) else { return activity + shortPlace(cause) }
    // Where a computation was found most differs from one freeze to the next.
    let isPlace = handler.line.function == cause.place?.line.function
    guard cause.kind == .waiting, !isPlace else { return activity + " in " + plainName(handler) }
    return activity + shortPlace(cause) + ", in the handler " + plainName(handler)
  }

  private func shortPlace(_ cause: AbsenceCause) -> String {
    words.named(cause.place).map { " in " + plainName($0) } ?? ""
  }

  private func activityWords(_ cause: AbsenceCause, isShort: Bool) -> String {
    switch cause.kind {
    case .computing: return "computing"
    case .waitingForCPU: return "runnable, waiting for a CPU,"
    case .stopped: return "stopped by a signal or a debugger"
    case .unknown: return "in an unknown state"
    case .waiting:
      guard let wait = cause.wait else { return "waiting" }
      let told = isShort ? wait.general : wait
      return words.waits.phrase(told, in: profile.capture.pid, withOwner: !isShort)
    }
  }

  private func placeWords(_ cause: AbsenceCause) -> String {
    let place = words.named(cause.place)
    let comma = cause.kind == .waiting && cause.wait?.kind != .sleep ? "," : ""
    let at = place.map { "\(comma) in " + words.name($0) } ?? ""
    guard let loop = cause.loop?.name, let handler = words.named(cause.handler) else { return at }
    let isPlace = handler.line.function == place?.line.function
    return isPlace
      ? at + ", a handler of " + loop : at + ", in the handler \(words.name(handler)) of " + loop
  }

  /// A function and its file, without the line, which differs.
  private func plainName(_ frame: SourceFrame) -> String {
    words.name(
      SourceFrame(
        interpreted: SourceLine(
          function: frame.line.function, file: frame.line.file, language: frame.line.language)))
  }

  /// The members of a JSON object about it.
  func writeMembers(to json: inout JSONWriter) {
    json.member("words", "\(subject) was \(doing)")
    json.member("cause", cause?.kind.rawValue)
    json.member("cause_share", cause?.share)
    json.member("wait", cause?.wait?.kind.rawValue)
    json.member("function", cause?.place?.line.function)
    json.member("file", cause?.place?.line.file)
    json.member("line", cause?.place.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    json.member("handler_of", cause?.loop?.name)
    json.member("handler_function", cause?.handler?.line.function)
    json.member("handler_file", cause?.handler?.line.file)
    json.member("handler_line", cause?.handler.flatMap { $0.line.line > 0 ? $0.line.line : nil })
    json.member("unclear", cause?.isUnclear ?? false)
  }
}

extension Wait {
  /// The wait without what differs from one of many by the same cause to the next: numbers of processes and
  /// descriptors, addresses, owners.
  fileprivate var general: Wait {
    var wait = self
    wait.owners = []
    if let object, object.variable == nil {
      let isOfRuntime = [.python, .java, .monitor].contains { object.flavor?.has($0) ?? false }
      if !isOfRuntime { wait.object = nil }
    }
    wait.descriptors = descriptors.map { descriptor in
      WaitDescriptor(
        number: -1, kind: descriptor.kind, name: descriptor.name,
        peerAddress: descriptor.peerAddress)
    }
    return wait
  }
}
