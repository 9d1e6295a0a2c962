internal import ProfileAnalysis
internal import ProfileModel

/// The last stack of each thread of a picture: put into words when it is looked at.
struct LiveStacks: Sendable {
  /// The most frames that are shown.
  private static let limit = 2000

  private let index: ProfileIndex
  /// Index of the thread that is shown unasked: the verdict's, or the main one.
  private let first: Int?

  init(_ diagnosis: Diagnosis) {
    index = diagnosis.index
    first =
      diagnosis.verdict.thread ?? index.profile.threads.firstIndex { $0.isMain && !$0.hasEnded }
  }

  /// A thread's stack as a title and a line for each frame, innermost first; of the thread that matters most
  /// where none was chosen.
  func stack(of tid: Int32?) -> (title: String, lines: [String]) {
    let threads = index.profile.threads
    let chosen = tid.map { tid in threads.lastIndex { $0.tid == tid && !$0.hasEnded } } ?? first
    guard let chosen else {
      return (tid.map { "Thread \($0) is not there any more" } ?? "", [])
    }
    let name = PlainText.printable(threads[chosen].name)
    let isImported = index.profile.capture.kind == .imported
    // Stacks of another tool are in no order.
    let title = isImported ? "Heaviest stack of \(name)" : "Thread \(threads[chosen].tid) \(name)"
    let heaviest = isImported ? HeaviestStack(index, thread: chosen) : nil
    guard let run = index.lastRun(of: chosen) else { return (title, []) }
    var lines = index.frames(of: heaviest?.stack ?? run.stack).prefix(Self.limit).enumerated().map {
      number, frame in
      let place = index.profile.place(
        file: frame.line.file, line: frame.line.line, module: frame.module)
      return PlainText.printable("#\(number)  \(ShortName.bare(frame.line.function))  ")
        + place.text
    }
    if case .truncated(let reason) = heaviest?.end ?? run.end { lines.append("… " + reason.words) }
    return (title, lines)
  }
}
