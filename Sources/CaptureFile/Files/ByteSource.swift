internal import Glibc

/// The bytes of a file or a pipe, a chunk at a time, or bytes in memory.
struct ByteSource: ~Copyable {
  private static let chunkSize = 256 << 10

  private let path: String
  /// Below 0 when there is no file.
  private let descriptor: Int32
  private var chunk: [UInt8]
  /// Whether it is a file that can be read a second time.
  let isRegular: Bool

  /// Opens the file at `path`.
  ///
  /// - Throws: `system`, or `notRegular` for a directory.
  init(path: String) throws(CaptureFileError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CaptureOutput.failure(path) }
    var status = stat()
    let failure = fstat(file, &status) == 0 ? nil : CaptureOutput.failure(path)
    let kind = status.st_mode & S_IFMT
    if failure != nil || kind == S_IFDIR {
      close(file)
      throw failure ?? .notRegular(path: path)
    }
    self.path = path
    descriptor = file
    isRegular = kind == S_IFREG
    chunk = Array(repeating: 0, count: Self.chunkSize)
  }

  init(_ bytes: [UInt8]) {
    path = ""
    descriptor = -1
    isRegular = false
    chunk = bytes
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The next bytes; none at the end.
  mutating func next() throws(CaptureFileError) -> ArraySlice<UInt8> {
    guard descriptor >= 0 else {
      defer { chunk = [] }
      return chunk[...]
    }
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw CaptureOutput.failure(path) }
      return chunk[..<count]
    }
  }
}
