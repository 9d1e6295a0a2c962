internal import ProfileModel

extension CaptureNote {
  /// The note that a capture has these words for: what they are taken for has just these words.
  init(text: String) {
    // A capture of many processes may be one of many that were merged.
    self = Self.note(text, of: [.captures, .processes]) ?? .plain(text)
  }

  private static func note(_ text: String, of sources: ArraySlice<NoteSource>) -> Self? {
    guard let source = sources.first else {
      let note = module(text) ?? counted(text) ?? skipped(text) ?? traced(text)
      return note.flatMap { $0.words == text ? $0 : nil }
    }
    let rest = sources.dropFirst()
    guard text.hasSuffix(" \(source))"), let start = text.lastIndex(of: "("),
      let count = Int(text[text.index(after: start)...].prefix { $0.isASCII && $0.isNumber })
    else { return note(text, of: rest) }
    let one = String(text[..<start].dropLast())
    let whole = Self.repeated(note(one, of: rest) ?? .plain(one), count: count, in: source)
    return whole.words == text ? whole : nil
  }

  private static func module(_ text: String) -> Self? {
    for problem in [ModuleProblem.replaced, .deleted, .changed] {
      if let values = text.values("Functions of ", " are shown as addresses: \(problem.words).") {
        return .noNames(path: values[0], problem)
      }
    }
    for beginning in LinesProblem.beginnings {
      guard let values = text.values("", ": \(beginning)", "."),
        let problem = LinesProblem(text: beginning + values[1])
      else { continue }
      return .noLines(module: values[0], problem)
    }
    guard
      let values = text.values(
        "", " has no lines: it has no debug data, and no debug file",
        " was found. With its debug package, sprof symbols adds them to a capture.")
    else { return nil }
    return .noDebugData(module: values[0], buildID: values[1].values(" for build-id ", "")?[0])
  }

  private static func counted(_ text: String) -> Self? {
    guard let count = Int(text.prefix { $0.isASCII && $0.isNumber }) else { return nil }
    return [.restartedCalls(count), .uncertainSamples(count), .unsampledThreads(count)]
      .first { $0.words == text }
  }

  private static func skipped(_ text: String) -> Self? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let count = Int64(digits)
    func values(_ beginning: String, _ end: String) -> String? {
      text.values((count == nil ? "Ticks" : "\(digits) of the late ticks") + beginning, end)?[0]
    }
    if let most = values(
      " were skipped to spare the program: stops may take at most ", " of its time (--max-pause).")
    {
      return .skippedTicks(count, by: .pauses(most: most))
    }
    return values(
      " were skipped to spare the machine: sprof may use at most ",
      " of a core to sample (--max-cpu)."
    ).map { .skippedTicks(count, by: .cpu(most: $0)) }
  }

  private static func traced(_ text: String) -> Self? {
    guard
      let values = text.values(
        "The program is traced by ",
        "), so its running threads could not be stopped; only sleeping threads have stacks."),
      let start = values[0].lastIndex(of: "("), let pid = Int32(values[0][start...].dropFirst(5))
    else { return nil }
    return .traced(by: String(values[0][..<start].dropLast()), pid: pid)
  }
}
