internal import Glibc

/// A file that is being written, with the system's errors as values.
struct CaptureOutput: ~Copyable {
  let path: String
  let descriptor: Int32
  /// The bytes that were written in full.
  private(set) var size = 0

  /// Creates the file; an existing one is overwritten only with `replacing`.
  init(path: String, replacing: Bool) throws(CaptureFileError) {
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL)
    descriptor = open(path, flags, 0o666)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  deinit { close(descriptor) }

  /// Appends with a single write; what a full disk writes only in part is cut off again.
  mutating func append(_ bytes: some Collection<UInt8>) throws(CaptureFileError) {
    let bytes = Array(bytes)
    var written = 0
    repeat {
      written = write(descriptor, bytes, bytes.count)
    } while written < 0 && errno == EINTR
    let failure = written < 0 ? Self.failure(path) : nil
    guard written == bytes.count else {
      if written > 0 { ftruncate(descriptor, size) }
      throw failure ?? .system(path: path, reason: String(cString: strerror(ENOSPC)))
    }
    size += written
  }

  /// Waits until the contents are on the disk, so that a rename never puts an empty file in place.
  func synchronize() throws(CaptureFileError) {
    // A file system without `fsync` (EINVAL) keeps its contents in other ways.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path) }
  }

  /// The system's last error, about `path`.
  static func failure(_ path: String) -> CaptureFileError {
    .system(path: path, reason: String(cString: strerror(errno)))
  }
}
