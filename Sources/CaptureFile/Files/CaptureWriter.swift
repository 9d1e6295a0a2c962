internal import Glibc
package import ProfileModel

/// Writes a capture part by part: runs as they come, and at the end the rest.
///
/// The file has a temporary name until it is complete; a writer that is not finished leaves no
/// file.
package struct CaptureWriter: ~Copyable {
  private var draft: DraftFile
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
  package init(path: String, replacing: Bool) throws(CaptureFileError) {
    try Self.check(path, replacing: replacing)
    try self.init(unchecked: path)
  }

  /// Writes to `path`, and overwrites a file there.
  init(unchecked path: String) throws(CaptureFileError) {
    encoder = ProfileEncoder()
    draft = try DraftFile(path: path)
  }

  /// Throws when there is a file of that name, or of the one under which a capture grows, that may
  /// not be replaced.
  static func check(_ path: String, replacing: Bool) throws(CaptureFileError) {
    if let kind = fileType(path) {
      guard kind == S_IFREG else { throw .notRegular(path: path) }
      guard replacing else { throw .exists(path: path) }
    }
    let partial = path + CaptureRecorder.partialEnding
    guard let kind = fileType(partial) else { return }
    guard kind == S_IFREG else { throw .notRegular(path: partial) }
    guard replacing else { throw .unfinishedExists(path: partial) }
  }

  /// The type of the file at `path` (`S_IFREG` and so on); nil when there is none.
  private static func fileType(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
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
    guard runCount <= ProfileDecoder.countLimit else {
      throw .tooMany(limit: ProfileDecoder.countLimit)
    }
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
    try draft.putInPlace()
  }

  private mutating func write(_ bytes: [UInt8]) throws(CaptureFileError) {
    size += bytes.count
    guard size <= CaptureReader.sizeLimit else { throw .tooLarge(limit: CaptureReader.sizeLimit) }
    gzip.add(bytes) { ready += $0 }
    guard ready.count >= 1 << 20 else { return }
    try draft.output.append(ready)
    ready.removeAll(keepingCapacity: true)
  }
}
