import ArgumentParser
import ProfileAnalysis
import ProfileModel

extension ProfileFilter.State: ExpressibleByArgument {}

/// The options that keep only a part of a profile.
struct FilterArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Keep only the time in which threads were in this state; repeatable.",
      valueName: "state"))
  var state: [ProfileFilter.State] = []

  @Option(
    help: ArgumentHelp("Keep only stacks with a matching function.", valueName: "regex"),
    transform: PatternArgument.parse)
  var focus: FunctionPattern?

  @Option(
    help: ArgumentHelp("Drop stacks with a matching function.", valueName: "regex"),
    transform: PatternArgument.parse)
  var ignore: FunctionPattern?

  @Option(
    help: ArgumentHelp(
      "Keep only stacks that pass through this module, by name or path.", valueName: "glob"),
    transform: GlobArgument.parse)
  var module: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Ignore everything before this time, counted from the start of the capture.",
      valueName: "time"),
    transform: TimeArgument.moment)
  var from: TimeArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Ignore everything after this time, counted from the start of the capture.",
      valueName: "time"),
    transform: TimeArgument.moment)
  var until: TimeArgument?

  func validate() throws { try check(end: until) }

  /// Whether these options keep everything.
  var isEmpty: Bool {
    state.isEmpty && focus == nil && ignore == nil && module == nil && from == nil && until == nil
  }

  /// The part of a profile that these options keep, of the given threads and up to the given end.
  ///
  /// Throws where nothing is left.
  func apply(
    to profile: Profile, thread: String? = nil, end: TimeArgument? = nil
  ) throws -> Profile {
    var filter = ProfileFilter()
    filter.thread = thread.map { ThreadFilter(glob: $0) }
    let choices = choices(end: end)
    for choice in choices { choice.add(&filter) }
    let filtered = filter.apply(to: profile)
    guard filtered.threads.isEmpty && !profile.threads.isEmpty else { return filtered }
    // One that leaves nothing by itself is the one to change.
    let guilty = choices.first { choice in
      var alone = ProfileFilter()
      choice.add(&alone)
      return alone.apply(to: profile).threads.isEmpty
    }
    throw Diagnostic.nothingLeft(by: guilty.map { [$0.text] } ?? choices.map(\.text))
  }

  private struct Choice {
    let text: String
    let add: (inout ProfileFilter) -> Void
  }

  /// The options that were given, as the user wrote them.
  private func choices(end: TimeArgument?) -> [Choice] {
    var choices: [Choice] = []
    func add(_ text: String?, _ add: @escaping (inout ProfileFilter) -> Void) {
      if let text { choices.append(Choice(text: text, add: add)) }
    }
    let states = state.map { "--state \($0.rawValue)" }.joined(separator: " ")
    add(states.isEmpty ? nil : states) { $0.states = Set(state) }
    add(focus.map { "--focus '\($0.text)'" }) { $0.focus = focus }
    add(ignore.map { "--ignore '\($0.text)'" }) { $0.ignore = ignore }
    add(module.map { "--module '\($0)'" }) { $0.module = module.map { Glob($0) } }
    add(from.map { "--from \($0.words)" }) { $0.from = from?.length.rawValue }
    add((end ?? until).map { "--until \($0.words)" }) { $0.to = (end ?? until)?.length.rawValue }
    return choices
  }
}

extension FilterArguments {
  /// Refuses to write or to explain the verdict where these options leave none.
  func check(_ report: ReportArguments, end: TimeArgument? = nil) throws {
    guard report.explain || report.brief, !isEmpty || end != nil else { return }
    let option = report.explain ? "--explain explains" : "--brief writes"
    throw ValidationError(
      "\(option) the verdict, which a part of a capture does not have; it cannot be combined with "
        + "--state, --focus, --ignore, --module, --from or --until.")
  }

  /// Refuses a time span that begins when the capture in a file has ended.
  func check(_ capture: CaptureInfo) throws {
    guard let from, from.length > 0, from.length.rawValue >= capture.duration else { return }
    // In tenths of a second, rounded down: so long it is at least.
    let tenths = capture.duration / 100_000_000
    throw Diagnostic.isMisused(
      "The capture is only \(tenths / 10).\(tenths % 10) s long; --from must be earlier.")
  }

  /// Refuses a time span that ends before it begins.
  func check(end: TimeArgument?) throws {
    guard let from, let end, from.length >= end.length else { return }
    throw ValidationError("--from must be earlier than the end of the time span.")
  }
}

/// A regular expression as the user writes it.
enum PatternArgument {
  static func parse(_ text: String) throws -> FunctionPattern {
    do {
      return try FunctionPattern(text)
    } catch {
      throw ValidationError("it is not a regular expression: \(error).")
    }
  }
}
