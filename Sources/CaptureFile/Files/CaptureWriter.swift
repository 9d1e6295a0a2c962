internal import Glibc
package import ProfileModel

/// Writes a capture part by part: runs as they come, and at the end the rest.
///
/// The file has a temporary name until it is complete; a writer that is not finished leaves no
/// file.
package struct CaptureWriter: ~Copyable {
  private let limits: ReadingLimits
  private var draft: DraftFile
  private let replacing: Bool
  private var gzip = GzipEncoder()
  private var encoder: ProfileEncoder
  /// Compressed bytes for the next write.
  private var ready: [UInt8] = []
  private var size = 0
  private var runCount = 0
  private var threadCount = 0

  /// Checks that the capture can be written, and creates the temporary file.
  ///
  /// - Throws: `exists`, `unfinishedExists`, `notRegular`, or `system` with the system's words.
  ///
  /// A file beyond `limits` is one that `CaptureReader` does not read with them; nothing is left of it.
  package init(
    path: String, replacing: Bool, limits: ReadingLimits = .standard
  ) throws(CaptureFileError) {
    try Self.check(path, replacing: replacing)
    try self.init(unchecked: path, replacing: replacing, limits: limits)
  }

  /// The same, where only the end finds that there is a file of that name.
  init(
    unchecked path: String, replacing: Bool, limits: ReadingLimits = .standard
  ) throws(CaptureFileError) {
    self.limits = limits
    encoder = ProfileEncoder()
    self.replacing = replacing
    draft = try DraftFile(path: path)
  }

  /// Throws when there is a file of that name, or of the one under which a capture grows, that may
  /// not be replaced.
  static func check(_ path: String, replacing: Bool) throws(CaptureFileError) {
    if let kind = fileType(path) {
      guard kind == S_IFREG else { throw .notRegular(path: path) }
      guard replacing else { throw .exists(path: path) }
    }
    let partial = CaptureRecorder.partialPath(of: path)
    guard let kind = fileType(partial) else { return }
    guard kind == S_IFREG else { throw .notRegular(path: partial) }
    guard replacing else { throw .unfinishedExists(path: partial) }
  }

  /// The type of the file at `path` (`S_IFREG` and so on), or of that to which a link leads; nil when
  /// nothing has that name.
  private static func fileType(_ path: String) -> mode_t? {
    var status = stat()
    if stat(path, &status) == 0 { return status.st_mode & S_IFMT }
    // A link that leads nowhere is replaced like a file.
    return lstat(path, &status) == 0 ? S_IFREG : nil
  }

  /// Writes runs; the frames of their stacks may be described later.
  ///
  /// `threads` are all threads so far, those of earlier calls first.
  package mutating func add(
    _ runs: RunList, stacks: StackTable, threads: [ThreadInfo]
  ) throws(CaptureFileError) {
    for index in threads.indices.dropFirst(threadCount) {
      encoder.add(threads[index], index: index)
    }
    threadCount = max(threadCount, threads.count)
    runCount += runs.count
    guard runCount <= limits.count else { throw .tooLarge(.samples(limit: limits.count)) }
    guard stacks.stackCount <= limits.count else { throw .tooLarge(.stacks(limit: limits.count)) }
    for run in runs where Int(run.stack.rawValue) < stacks.stackCount {
      encoder.add(run, frames: stacks.frames(of: run.stack))
      if encoder.sampleCount == 4096 { try write(encoder.take()) }
    }
    try write(encoder.take())
  }

  /// Writes the rest of `profile`, and renames the file to its path.
  ///
  /// The profile has all frames and threads, and the runs that were not added before.
  package consuming func finish(_ profile: Profile) throws(CaptureFileError) {
    encoder.describe(profile.capture)
    encoder.addFacts(of: profile)
    try write(encoder.take())
    for (index, frame) in profile.stacks.frames.enumerated() {
      let symbol = index < profile.symbols.count ? profile.symbols[index] : nil
      encoder.add(FrameID(UInt32(index)), frame, named: symbol)
      if index % 4096 == 4095 { try write(encoder.take()) }
    }
    try write(encoder.take())
    try add(profile.runs, stacks: profile.stacks, threads: profile.threads)
    gzip.finish { ready += $0 }
    try draft.output.append(ready)
    try draft.putInPlace(replacing: replacing)
  }

  private mutating func write(_ bytes: [UInt8]) throws(CaptureFileError) {
    size += bytes.count
    guard size <= limits.contents else { throw .tooLarge(.contents(limit: limits.contents)) }
    gzip.add(bytes) { ready += $0 }
    guard ready.count >= 1 << 20 else { return }
    try draft.output.append(ready)
    ready.removeAll(keepingCapacity: true)
  }
}
