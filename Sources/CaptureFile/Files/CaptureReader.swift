internal import Glibc
package import ProfileModel

/// Reads captures of sprof, pprof profiles of other tools, and folded stacks.
package enum CaptureReader {
  /// The most bytes of a file, and of its contents when it is compressed.
  static let sizeLimit = 1 << 30

  /// The profile in the file at `path`.
  ///
  /// A capture that was cut off gives a profile of what is there, with `Ending.unfinished`.
  ///
  /// - Throws: `system` when the file cannot be read, else what is wrong with its contents.
  package static func read(path: String) throws(CaptureFileError) -> Profile {
    try read(contents(of: path), name: path.split(separator: "/").last.map(String.init) ?? path)
  }

  /// The profile in the bytes of a file; `name` stands for the program where the file names none.
  package static func read(_ file: [UInt8], name: String) throws(CaptureFileError) -> Profile {
    guard !file.isEmpty else { throw .empty }
    guard GzipContents.isGzip(file) else { return try readPlain(file, name: name) }
    let contents = try GzipContents(file, limit: sizeLimit)
    return try readPlain(contents.bytes, name: name)
  }

  /// The facts about the capture at `path` as a whole.
  ///
  /// Those of sprof's own captures are at the beginning of the file, so that only this is read; of
  /// other files, and of merged captures, all is.
  package static func info(path: String) throws(CaptureFileError) -> CaptureInfo {
    let file = try contents(of: path)
    let beginning =
      GzipContents.isGzip(file) ? GzipContents.beginning(of: file, count: 1 << 20) : file
    if let tables = PprofMessages.header(beginning),
      let header = try? CaptureHeader(tables, name: ""), header.isOwn
    {
      return header.capture
    }
    return try read(path: path).capture
  }

  private static func readPlain(
    _ bytes: [UInt8], name: String
  ) throws(CaptureFileError) -> Profile {
    guard !bytes.isEmpty else { throw .empty }
    let messages: PprofMessages
    do {
      messages = try PprofMessages(bytes)
    } catch {
      if let profile = FoldedStacks.profile(bytes, name: name) { return profile }
      // A file that does not begin like a profile is not a damaged one.
      throw looksLikeProfile(bytes) ? error : .foreign
    }
    guard messages.isProfile else {
      if let profile = FoldedStacks.profile(bytes, name: name) { return profile }
      throw .foreign
    }
    return try ProfileDecoder.profile(messages, name: name)
  }

  /// Whether the bytes begin with a `Profile.sample_type` of two small numbers, as in the files of
  /// all known tools.
  private static func looksLikeProfile(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 4 else { return false }
    return bytes[0] == 1 << 3 | 2 && bytes[1] <= 8 && bytes[2] == 1 << 3
  }

  private static func contents(of path: String) throws(CaptureFileError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CaptureOutput.failure(path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw CaptureOutput.failure(path) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw .notRegular(path: path) }
    guard status.st_size <= sizeLimit else { throw .tooLarge(limit: sizeLimit) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw CaptureOutput.failure(path) }
      guard count > 0 else { return bytes }
      // The size of a pipe is not known before.
      guard bytes.count + count <= sizeLimit else { throw .tooLarge(limit: sizeLimit) }
      bytes += chunk[..<count]
    }
  }
}
