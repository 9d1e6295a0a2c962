import CaptureFile
import Glibc

/// Text for an open file, written a large piece at a time.
struct FileOutput: TextOutputStream {
  private static let pieceSize = 1 << 16

  private let descriptor: CInt
  private var bytes: [UInt8] = []
  /// The errno of the first write that failed; nothing is written after it.
  private var failure: CInt?

  /// Writes what `body` writes; throws when not all of it arrived.
  static func write(
    to descriptor: CInt, _ body: (inout FileOutput) throws -> Void
  ) throws {
    var output = FileOutput(descriptor: descriptor)
    try body(&output)
    output.flush()
    if let code = output.failure { throw Diagnostic.cannotWrite(String(cString: strerror(code))) }
  }

  private init(descriptor: CInt) { self.descriptor = descriptor }

  mutating func write(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count >= Self.pieceSize { flush() }
  }

  mutating func write(_ piece: [UInt8]) {
    bytes += piece
    if bytes.count >= Self.pieceSize { flush() }
  }

  private mutating func flush() {
    var rest = bytes[...]
    while failure == nil && !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      let code = errno
      if count < 0, code == EINTR { continue }
      if count > 0 { rest = rest.dropFirst(count) } else { failure = code }
    }
    bytes.removeAll(keepingCapacity: true)
  }
}

/// Files that sprof writes: they appear whole or not at all.
enum OutputFile {
  /// Writes what `body` writes to the file at `path`; replaces one that exists only with `force`.
  ///
  /// The file has another name until it is complete. What is not a regular file, such as a pipe, is
  /// written to directly.
  static func write(
    _ path: String, force: Bool, _ body: (inout FileOutput) throws -> Void
  ) throws {
    var status = stat()
    let isThere = stat(path, &status) == 0
    if isThere && status.st_mode & S_IFMT != S_IFREG {
      return try writeDirectly(path, body)
    }
    if isThere && !force { throw Diagnostic.fileExists(path) }
    do {
      let draft = try DraftFile(path: path)
      try FileOutput.write(to: draft.descriptor, body)
      try draft.putInPlace()
    } catch CaptureFileError.system(let path, let reason) {
      throw Diagnostic.cannotWrite("\(path): \(reason)")
    }
  }

  /// Throws when a file at `path` could not be written, as far as that is known before.
  static func check(_ path: String) throws {
    var status = stat()
    let isThere = stat(path, &status) == 0
    if isThere && status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic.cannotWrite("\(path): \(String(cString: strerror(EISDIR)))")
    }
    let isPlain = !isThere || status.st_mode & S_IFMT == S_IFREG
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    guard access(isPlain ? folder : path, W_OK) == 0 else { throw failure(path) }
  }

  private static func writeDirectly(
    _ path: String, _ body: (inout FileOutput) throws -> Void
  ) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    try FileOutput.write(to: descriptor, body)
  }

  private static func failure(_ path: String) -> Diagnostic {
    .cannotWrite("\(path): \(String(cString: strerror(errno)))")
  }
}
