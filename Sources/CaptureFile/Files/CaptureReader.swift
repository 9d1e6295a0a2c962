package import ProfileModel

/// Reads captures of sprof, pprof profiles of other tools, and folded stacks.
package enum CaptureReader {
  /// The profile in the file at `path`.
  ///
  /// A capture that was cut off gives a profile of what is there, with `Ending.unfinished`.
  ///
  /// - Throws: `system` when the file cannot be read, else what is wrong with its contents.
  package static func read(
    path: String, budget: ReadingBudget = ReadingBudget()
  ) throws(CaptureFileError) -> Profile {
    try read(
      ByteSource(path: path), name: path.lastPathPart, budget)
  }

  /// The profile in the bytes of a file; `name` stands for the program where the file names none.
  package static func read(
    _ file: [UInt8], name: String, budget: ReadingBudget = ReadingBudget()
  ) throws(CaptureFileError) -> Profile {
    try read(ByteSource(file), name: name, budget)
  }

  /// The facts about the capture at `path` as a whole, where they are at the beginning of the file,
  /// so that only this is read.
  ///
  /// Nil for files of other tools, for merged captures, and for what cannot be read twice.
  package static func info(path: String) throws(CaptureFileError) -> CaptureInfo? {
    let source = try ByteSource(path: path)
    guard source.isRegular else { return nil }
    var contents = try FileContents(source, ReadingBudget())
    var beginning: [UInt8] = []
    while beginning.count < 1 << 20 {
      guard try contents.next(appendingTo: &beginning) == .more else { break }
    }
    guard let messages = PprofMessages.beginning(beginning),
      let header = try? CaptureHeader(messages, name: "", ReadingBudget()), header.isOwn
    else { return nil }
    return header.capture
  }

  private static func read(
    _ source: consuming ByteSource, name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) -> Profile {
    var contents = try FileContents(source, budget)
    var bytes: [UInt8] = []
    var (step, isFolded, seen) = (FileContents.Step.more, Bool?.none, 0)
    while isFolded == nil {
      step = try contents.next(appendingTo: &bytes)
      // The beginning is looked at again only when it has doubled.
      guard step == .end || bytes.count >= 2 * seen else { continue }
      seen = bytes.count
      isFolded =
        looksLikeProfile(bytes)
        ? false
        : FoldedStacks.areIn(bytes, isWhole: step == .end, lineLimit: budget.limits.field)
    }
    if isFolded == true { return try readFolded(bytes, &contents, name: name, budget) }
    while step != .end { step = try contents.next(appendingTo: &bytes) }
    guard !contents.isFirstTorn else { throw .cutOff }
    bytes.removeSubrange(contents.completeCount...)
    guard !bytes.isEmpty else { throw .empty }
    return try readMessages(bytes, name: name, budget)
  }

  /// Reads text line by line, so that no more than its distinct stacks is kept.
  private static func readFolded(
    _ beginning: [UInt8], _ contents: inout FileContents, name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) -> Profile {
    var stacks = FoldedStacks(budget)
    var text = beginning
    repeat {
      try stacks.add(text)
      text.removeAll(keepingCapacity: true)
    } while try contents.next(appendingTo: &text) != .end
    guard !contents.isFirstTorn, !contents.isTorn else { throw .cutOff }
    return try stacks.finish(name: name)
  }

  private static func readMessages(
    _ bytes: [UInt8], name: String, _ budget: ReadingBudget
  ) throws(CaptureFileError) -> Profile {
    let messages: PprofMessages
    do {
      messages = try PprofMessages(bytes, budget)
    } catch .damaged where !looksLikeProfile(bytes) {
      // A file that does not begin like a profile is not a damaged one.
      throw .foreign
    }
    guard messages.isProfile else { throw .foreign }
    return try ProfileDecoder.profile(messages, name: name, budget)
  }

  /// Whether the bytes begin with a `Profile.sample_type` of two small numbers, as in the files of
  /// all known tools.
  private static func looksLikeProfile(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 4 else { return false }
    return bytes[0] == 1 << 3 | 2 && bytes[1] <= 8 && bytes[2] == 1 << 3
  }
}
