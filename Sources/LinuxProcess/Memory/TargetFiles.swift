internal import CLinux
internal import Glibc
internal import ProfileModel

// The files of a process. Their paths are the process's to choose: by now any of them may name a FIFO,
// whose open waits, a device, whose open may do something, or a link to a file that only sprof may read.

extension ProcessMemory {
  /// Opens the very file that is mapped, also when it was deleted, replaced, or is in another mount
  /// namespace.
  ///
  /// `map_files` is the file itself, but needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; what the others
  /// lead to is compared by device and inode, so that a replaced file is never taken for the old.
  package func open(_ mapping: MemoryMapping) throws(SystemError) -> MappedFile {
    let file = try find(mapping)
    try thread?.check()
    return file
  }

  private func find(_ mapping: MemoryMapping) throws(SystemError) -> MappedFile {
    let range =
      String(mapping.start.rawValue, radix: 16) + "-" + String(mapping.end.rawValue, radix: 16)
    let itself = FilePlace(path: "/proc/\(tid)/map_files/\(range)")
    // Another file may be mapped there by now. Overlay file systems give files that were written to another
    // inode in maps than in stat.
    if let file = itself.regularFile, file.inode == mapping.inode || isStillThere(mapping) {
      return try MappedFile(descriptor: file.open())
    }
    var failure: Int32?
    // The program's own file has a link of its own, which works without a path and without rights.
    let places = [
      { FilePlace(path: mapping.path, inRootOf: self.tid) }, { FilePlace(path: mapping.path) },
      { FilePlace(path: "/proc/\(self.tid)/exe") },
    ]
    // A memory file has no path; while the program keeps it open, its descriptor leads to it.
    if mapping.isMemoryFile, let file = openDescriptor(of: mapping) { return file }
    for place in places {
      let place = place()
      if let file = place.regularFile, file.isMapped(by: mapping) {
        return try MappedFile(descriptor: file.open())
      }
      failure = failure ?? place.failure ?? ESTALE
    }
    throw SystemError(mapping.path, code: failure ?? ENOENT)
  }

  private func openDescriptor(of mapping: MemoryMapping) -> MappedFile? {
    let folder = "/proc/\(tid)/fd"
    for number in NumberedEntries.list(folder).prefix(4096) {
      let place = FilePlace(path: "\(folder)/\(number)")
      guard let file = place.regularFile, file.isMapped(by: mapping) else { continue }
      if let opened = place.map() { return opened }
    }
    return nil
  }

  private func isStillThere(_ mapping: MemoryMapping) -> Bool {
    (try? maps())?.mapping(containing: mapping.start) == mapping
  }

  /// Opens the separate debug file that a distribution installs for a build id, in the process's
  /// own file system or in sprof's; nil when there is none.
  ///
  /// Whether it is the right one its own build id says.
  package func debugFile(buildID: String) -> MappedFile? {
    guard buildID.utf8.count > 2, buildID.allSatisfy(\.isHexDigit) else { return nil }
    let path = "/usr/lib/debug/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
    return debugFile(path: path) ?? FilePlace(path: path).map()
  }

  /// Opens a debug file that another names, in the process's own file system; nil when there is none.
  package func debugFile(path: String) -> MappedFile? {
    FilePlace(path: path, inRootOf: tid).map()
  }

  /// Opens a file that the program itself writes for its profilers, at a path of its own file system.
  ///
  /// Nil unless it is a regular file of the process's effective user, and no symbolic link: `/tmp` is
  /// everybody's.
  package func ownedFile(path: String) -> OwnedFile? {
    guard let user = (try? ProcessStatus(of: tid))?.effectiveUserID else { return nil }
    return OwnedFile(FilePlace(path: path, inRootOf: tid, followsLast: false), of: user)
  }

  /// Whether it sees the same file systems as sprof, by the same paths.
  package var sharesMounts: Bool {
    func namespace(_ process: String) -> FileIdentity? {
      var status = stat()
      guard stat("/proc/\(process)/ns/mnt", &status) == 0 else { return nil }
      return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
    guard let own = namespace("self"), namespace("\(tid)") == own else { return false }
    var (root, other) = (stat(), stat())
    return stat("/", &root) == 0 && stat("/proc/\(tid)/root/", &other) == 0
      && root.st_dev == other.st_dev && root.st_ino == other.st_ino
  }
}

extension MappedFile {
  /// Opens a regular file by its path as sprof sees it; nil for all else, which is not opened.
  package static func regular(at path: String) -> MappedFile? { FilePlace(path: path).map() }
}

/// A file that goes on growing while it is read.
package final class OwnedFile {
  private let descriptor: CInt

  fileprivate init?(_ place: borrowing FilePlace, of user: UInt32) {
    guard let file = place.regularFile, file.user == user, let descriptor = try? file.open() else {
      return nil
    }
    self.descriptor = descriptor
  }

  /// Opens a regular file of `user`, as sprof sees it; nil for all else, such as a symbolic link.
  package convenience init?(path: String, user: UInt32) {
    self.init(FilePlace(unfollowed: path), of: user)
  }

  deinit { close(descriptor) }

  /// Its present size in bytes, and which file it is.
  package var state: (size: Int, identity: FileIdentity)? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return (
      Int(status.st_size),
      FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    )
  }

  /// Up to `count` bytes from `offset` on; fewer at the end.
  package func read(from offset: Int, count: Int) -> [UInt8] {
    guard count > 0, offset >= 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let more = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, offset + filled)
        guard more > 0 else { return }
        filled += more
      }
    }
  }
}

/// What is at a path, found without being opened.
private struct FilePlace: ~Copyable {
  /// Opened with O_PATH, or the negative errno.
  private let descriptor: CInt

  /// Follows symbolic links as sprof sees them.
  init(path: String) { descriptor = sprof_find(path) }

  /// Does not follow the last part where it is a symbolic link.
  init(unfollowed path: String) {
    descriptor = sprof_open(path, sprof_path_only | O_NOFOLLOW)
  }

  /// Follows symbolic links within the root directory of a process.
  init(path: String, inRootOf tid: Int32, followsLast: Bool = true) {
    let root = "/proc/\(tid)/root"
    let place = sprof_find_in_root(root, path, followsLast ? 0 : O_NOFOLLOW)
    // Linux before 5.6, and containers that forbid what they do not know. Finding does no harm, and what
    // is read there was compared with the mapping, or has the right build ID.
    let isUnknown = place == -ENOSYS || place == -EPERM
    descriptor =
      isUnknown ? sprof_open(root + path, sprof_path_only | (followsLast ? 0 : O_NOFOLLOW)) : place
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Why nothing was found.
  var failure: Int32? { descriptor < 0 ? -descriptor : nil }

  /// Nil where nothing was found, or something else.
  var regularFile: RegularFile? {
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    return RegularFile(
      descriptor: descriptor, device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
      user: status.st_uid)
  }

  func map() -> MappedFile? {
    guard let file = regularFile else { return nil }
    do throws(SystemError) { return try MappedFile(descriptor: file.open()) } catch { return nil }
  }
}

/// A regular file; good as long as its place.
private struct RegularFile {
  let descriptor: CInt
  let device: UInt64
  let inode: UInt64
  /// Who owns it.
  let user: UInt32

  /// Opens it for reading.
  func open() throws(SystemError) -> CInt {
    // Without waiting for a program that holds a lease on it (open(2), EWOULDBLOCK).
    let file = sprof_open("/proc/self/fd/\(descriptor)", O_RDONLY | O_NONBLOCK)
    guard file >= 0 else { throw SystemError("open", code: -file) }
    return file
  }

  func isMapped(by mapping: MemoryMapping) -> Bool {
    guard inode == mapping.inode else { return false }
    // glibc's gnu_dev_major and gnu_dev_minor. An overlay or btrfs file may show another device in
    // maps than in stat (the kernel prints the superblock's): the inode alone must do there.
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00
    return major << 32 | minor == mapping.device || mapping.device >> 32 == 0
  }
}
