internal import ProfileAnalysis
internal import ProfileModel

/// The frames of one stack, written below each other.
struct FrameLines {
  /// Of more lines than this the middle is left out, and counted.
  static let limit = 200

  private struct Line {
    let number: String
    let function: String
    let mark: String
    let place: SourcePlace
    let isElided: Bool
  }

  /// How many lines there are.
  var count: Int { lines.count }

  private var lines: [Line] = []
  private let end: StackEnd
  private let hasFrames: Bool
  private let isBrief: Bool

  init(_ index: ProfileIndex, stack: StackID, end: StackEnd) {
    self.init(index.profile, index.frames(of: stack), end: end)
  }

  /// Frames that are no stack of the profile, such as those of a task; of brief ones files are named by
  /// their last two parts.
  init(
    _ profile: Profile, _ frames: [SourceFrame], end: StackEnd = .complete, isBrief: Bool = false
  ) {
    self.end = end
    self.isBrief = isBrief
    hasFrames = !frames.isEmpty
    var position = 0
    while position < frames.count {
      let frame = frames[position]
      let next = frames[position...].firstIndex { !$0.looksLike(frame) } ?? frames.count
      // Three lines that would read the same say no more than one with their numbers.
      let last = next - position > 2 ? next - 1 : position
      lines.append(
        Line(
          number: last > position ? "#\(position)-#\(last)" : "#\(position)",
          function: PlainText.printable(frame.name),
          mark: last > position
            ? " (recursion ×\(last - position + 1))" : frame.line.isInlined ? " (inlined)" : "",
          place: isBrief ? profile.briefPlace(frame) : profile.place(frame),
          isElided: frame.isElided))
      position = last + 1
    }
  }

  /// Writes them; of more than `limit` lines some are left out, the outermost ones of brief frames and else
  /// those in the middle, and `hint` says what has them.
  func write(
    to page: inout TextPage<some TextOutputStream>, indent: Int, limit: Int = Self.limit,
    hint: String = "--json"
  ) {
    let margin = String(repeating: " ", count: indent)
    let hidden = hidden(limit)
    let shown = lines.indices.filter { !hidden.contains($0) }.map { lines[$0] }
    let numberWidth = max(shown.lazy.map(\.number.count).max() ?? 0, 3)
    let room = page.width - indent - numberWidth - 1
    let widestPlace = min(shown.lazy.map { PlainText.columns($0.place.text) }.max() ?? 0, 34)
    let widestName = shown.lazy.map { PlainText.columns($0.function) + $0.mark.utf8.count }.max()
    let nameWidth = min(widestName ?? 0, room - 2 - widestPlace)
    let names = DistinctLabels.labels(lines.map(\.function)) { position, name in
      PlainText.shortenedInMiddle(name, to: nameWidth - PlainText.columns(lines[position].mark))
    }
    for (position, line) in lines.enumerated() {
      if position == hidden.lowerBound, !hidden.isEmpty {
        let frames = Figures.count(Int64(hidden.count), "more frame")
        page.line("\(margin)… \(frames) (\(hint) shows \(hidden.count == 1 ? "it" : "them"))")
      }
      guard !hidden.contains(position) else { continue }
      if line.isElided {
        page.line("\(margin)\(line.function)")
        continue
      }
      let label = PlainText.paddedAtRight(names[position] + line.mark, to: nameWidth)
      let place = line.place.shortened(to: room - 2 - nameWidth)
      let number = PlainText.paddedAtRight(line.number, to: numberWidth)
      page.line(Span("\(margin)\(number) ", .dim), "\(label)  ", Span(place, .dim))
    }
    guard hidden.upperBound < lines.count || hidden.isEmpty else { return }
    switch end {
    case .complete: break
    case .inferred:
      page.line("\(margin)(frame pointer found by scanning the stack: very likely correct)")
    case .truncated(.depthLimit):
      page.line("\(margin)(callers left out: --no-callers or --max-depth)")
    case .truncated(let reason):
      let missing = hasFrames ? "callers unknown" : "no stack"
      page.line("\(margin)(\(missing): \(reason.words))")
    }
  }
}

extension FrameLines {
  /// The lines that are left out; empty when there is room for all.
  private func hidden(_ limit: Int) -> Range<Int> {
    guard lines.count > limit else { return 0..<0 }
    if isBrief { return max(limit - 1, 1)..<lines.count }
    return limit * 3 / 4..<lines.count - limit / 4
  }
}

extension SourceFrame {
  /// The function, or how many are missing.
  fileprivate var name: String {
    guard let elidedCount, elidedCount > 0 else { return line.function }
    return "… \(elidedCount) frame\(elidedCount == 1 ? "" : "s") left out …"
  }

  fileprivate func looksLike(_ other: SourceFrame) -> Bool {
    line == other.line && module == other.module && !isElided
  }
}

extension Profile {
  /// Where a frame is: `file:line`, or the module in parentheses when the file is not known.
  func place(_ frame: SourceFrame) -> SourcePlace {
    place(file: frame.line.file, line: frame.line.line, module: frame.module)
  }

  /// The same with the last two parts of the file's path.
  func briefPlace(_ frame: SourceFrame) -> SourcePlace {
    place(
      file: frame.line.file.map(\.lastTwoParts), line: frame.line.line, module: frame.module)
  }

  /// Where code is; line 0 is left out.
  func place(file: String?, line: Int, module: ModuleID) -> SourcePlace {
    file.map { SourcePlace(file: $0, line: line) } ?? SourcePlace(module: moduleName(module))
  }

  func moduleName(_ module: ModuleID) -> String {
    position(of: module).map { PlainText.printable(modules[$0].name) } ?? "no file"
  }
}
