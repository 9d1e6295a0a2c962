internal import Glibc

/// A file that is being written, with the system's errors as values.
struct CaptureOutput: ~Copyable {
  let path: String
  /// The path by which errors name it: that of the finished file.
  private let name: String
  let descriptor: Int32
  /// The bytes that were written in full.
  private(set) var size = 0

  /// Creates the file, which only its owner may read; throws `exists` when anything has that name,
  /// also a link that leads nowhere.
  init(path: String, as name: String) throws(CaptureFileError) {
    self.path = path
    self.name = name
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw errno == EEXIST ? .exists(path: path) : Self.failure(name)
    }
  }

  deinit { close(descriptor) }

  /// Appends with a single write; what a full disk writes only in part is cut off again.
  mutating func append(_ bytes: some Collection<UInt8>) throws(CaptureFileError) {
    let bytes = Array(bytes)
    var written = 0
    repeat {
      written = write(descriptor, bytes, bytes.count)
    } while written < 0 && errno == EINTR
    let failure = written < 0 ? Self.failure(name) : nil
    guard written == bytes.count else {
      if written > 0 { ftruncate(descriptor, size) }
      throw failure ?? .system(path: name, reason: String(cString: strerror(ENOSPC)))
    }
    size += written
  }

  /// Waits until the contents are on the disk, so that a rename never puts an empty file in place.
  func synchronize() throws(CaptureFileError) {
    // A file system without `fsync` (EINVAL) keeps its contents in other ways.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(name) }
  }

  /// The system's last error, about `path`.
  static func failure(_ path: String) -> CaptureFileError {
    .system(path: path, reason: String(cString: strerror(errno)))
  }
}
