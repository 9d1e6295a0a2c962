internal import ProfileAnalysis
internal import ProfileModel

/// A group of goroutines of the verdict as a brief report shows it.
struct BriefGoroutines {
  private static let frameLimit = 5

  let title: String
  let state: String
  /// Innermost first: the call that they are in, and then the program's own functions.
  let frames: [BriefThread.Frame]

  /// Those that the verdict is about; none where it is about threads.
  static func all(_ diagnosis: Diagnosis) -> [BriefGoroutines] {
    guard let finding = diagnosis.verdict.goroutines else { return [] }
    let list = diagnosis.index.profile.goroutines[finding.list]
    let words = WaitWords(diagnosis.index.profile)
    return finding.groups.prefix(4).map { BriefGoroutines(list, list.groups[$0], words) }
  }

  private init(_ list: Goroutines, _ group: GoroutineGroup, _ words: WaitWords) {
    title = list.title(of: group)
    state = list.phrase(of: group, words)
    let stack = list.shownStack(of: group)
    let own = stack.dropFirst().filter { !$0.isOfWaitingPackage }
    let shown = stack.prefix(1) + (own.isEmpty ? Array(stack.dropFirst()) : own)
    frames = shown.prefix(Self.frameLimit).map { line in
      BriefThread.Frame(
        function: line.function, file: line.file, line: line.line > 0 ? line.line : nil,
        module: nil)
    }
  }
}
