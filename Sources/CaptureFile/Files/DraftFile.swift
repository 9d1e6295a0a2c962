internal import Glibc

/// A file under a temporary name beside its own until it is put in place: it appears whole or not at
/// all, and nothing that has its name is written to or followed.
package struct DraftFile: ~Copyable {
  private let path: String
  private var isInPlace = false
  var output: CaptureOutput

  /// Creates the draft, `PATH.RANDOM.tmp`, which only its owner may read.
  package init(path: String) throws(CaptureFileError) {
    self.path = path
    // Cannot be foreseen, so that nobody has put anything there.
    let number = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    output = try CaptureOutput(path: "\(path).\(number).tmp", as: path)
  }

  deinit { if !isInPlace { unlink(output.path) } }

  /// What may be written to, until the file is put in place.
  package var descriptor: Int32 { output.descriptor }

  /// Gives the file its name.
  ///
  /// - Parameters:
  ///   - replacing: whether what has that name, or a link of that name, is replaced.
  ///   - isShared: gives the file the permissions of the one that it replaces, or those of any new
  ///     file, in place of its owner's alone.
  ///   - isDurable: waits until the contents are on the disk, so that a crash leaves no empty file.
  /// - Throws: `exists` when something has that name and is not to be replaced, or `system`.
  package mutating func putInPlace(
    replacing: Bool, isShared: Bool = false, isDurable: Bool = true
  ) throws(CaptureFileError) {
    if isShared { fchmod(descriptor, Self.sharedMode(at: path)) }
    if isDurable { try output.synchronize() }
    if replacing {
      guard rename(output.path, path) == 0 else { throw CaptureOutput.failure(path) }
    } else {
      try takeFreeName()
    }
    isInPlace = true
  }

  /// Takes the name if nothing has it; unlike `rename`, a link replaces nothing that came meanwhile.
  private func takeFreeName() throws(CaptureFileError) {
    if link(output.path, path) == 0 {
      unlink(output.path)
      return
    }
    switch errno {
    case EEXIST: throw .exists(path: path)
    // File systems without hard links (link(2)).
    case EPERM, EOPNOTSUPP, ENOSYS, EMLINK:
      var status = stat()
      guard lstat(path, &status) != 0 else { throw .exists(path: path) }
      guard rename(output.path, path) == 0 else { throw CaptureOutput.failure(path) }
    default: throw CaptureOutput.failure(path)
    }
  }

  private static func sharedMode(at path: String) -> mode_t {
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      return status.st_mode & 0o777
    }
    return 0o666 & ~fileMask
  }

  /// The file mode creation mask (umask(2)), which can be read only by setting it.
  private static let fileMask: mode_t = {
    let mask = umask(0o077)
    umask(mask)
    return mask
  }()

  /// Whether the file at `path` is this one, and not another that took its name.
  func isFile(at path: String) -> Bool {
    var (own, other) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && lstat(path, &other) == 0
      && own.st_dev == other.st_dev && own.st_ino == other.st_ino
  }
}
