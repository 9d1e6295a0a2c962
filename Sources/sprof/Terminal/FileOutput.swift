import Glibc

/// Text for an open file, written a large piece at a time.
struct FileOutput: TextOutputStream {
  private static let pieceSize = 1 << 16

  /// Nil where the text is kept.
  private let descriptor: CInt?
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

  /// What `body` writes.
  static func bytes(_ body: (inout FileOutput) throws -> Void) rethrows -> [UInt8] {
    var output = FileOutput(descriptor: nil)
    try body(&output)
    return output.bytes
  }

  private init(descriptor: CInt?) { self.descriptor = descriptor }

  mutating func write(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    if bytes.count >= Self.pieceSize { flush() }
  }

  mutating func write(_ piece: [UInt8]) {
    bytes += piece
    if bytes.count >= Self.pieceSize { flush() }
  }

  private mutating func flush() {
    guard let descriptor else { return }
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
