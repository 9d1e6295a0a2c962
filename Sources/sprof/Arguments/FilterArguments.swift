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
      "Keep only stacks that pass through this module, by name or path.", valueName: "glob"))
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
  func apply(
    to profile: Profile, thread: String? = nil, end: TimeArgument? = nil
  ) throws -> Profile {
    var filter = ProfileFilter()
    filter.thread = thread.map { ThreadFilter(glob: $0) }
    filter.states = Set(state)
    filter.from = from?.length.rawValue
    filter.to = (end ?? until)?.length.rawValue
    filter.focus = focus
    filter.ignore = ignore
    filter.module = module.map { Glob($0) }
    let filtered = filter.apply(to: profile)
    if filtered.threads.isEmpty && !profile.threads.isEmpty { throw Diagnostic.nothingLeft }
    return filtered
  }
}

extension FilterArguments {
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
