internal import CLinux
internal import Glibc

/// Which file it is, whatever its path.
package struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}

/// The bytes of a file, mapped privately for reading, or a copy of memory.
///
/// Another program may change the file while it is read: what it has cut off reads as zeros, and
/// `hasChanged` says so. A copy would cost as much as all the rest for large debug data (200 MB: 0.1 s).
package final class MappedFile: @unchecked Sendable {
  // Sendable: the bytes are never written after init, and the mapping lives as long as the object.
  /// What of a file tells whether its content was written to.
  private struct Version: Equatable {
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    init(_ status: stat) {
      size = Int(status.st_size)
      // Not the time of the last change of the inode: removing the file changes that.
      seconds = Int(status.st_mtim.tv_sec)
      nanoseconds = Int(status.st_mtim.tv_nsec)
    }
  }

  private let base: UnsafeRawPointer
  /// The size in bytes.
  package let count: Int
  /// Nil for a copy of memory.
  private let mapping: GuardedMapping?
  /// The open file, -1 for a copy of memory; lives as long as the object.
  private let descriptor: CInt
  private let version: Version?

  /// Maps the whole file behind `descriptor`, which then belongs to the object.
  package init(descriptor: CInt) throws(SystemError) {
    do throws(SystemError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat", code: errno) }
      guard status.st_size > 0, status.st_mode & S_IFMT == S_IFREG else {
        throw SystemError("mmap", code: EINVAL)
      }
      let version = Version(status)
      let mapping = try GuardedMapping(
        descriptor: descriptor, count: version.size, isWritable: false)
      base = UnsafeRawPointer(mapping.start)
      count = version.size
      self.mapping = mapping
      self.descriptor = descriptor
      self.version = version
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Keeps a copy of `bytes`, such as the vdso read from memory.
  package init(copying bytes: [UInt8]) {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    bytes.withUnsafeBytes {
      copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count)
    }
    base = UnsafeRawPointer(copy)
    count = bytes.count
    mapping = nil
    descriptor = -1
    version = nil
  }

  deinit {
    if descriptor >= 0 { close(descriptor) } else { base.deallocate() }
  }

  /// Gives its pages back to the kernel; the next look at each brings it back from the page cache.
  ///
  /// For what was read once as a whole, such as a symbol table.
  package func giveBackPages() {
    guard mapping != nil else { return }
    madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
  }

  /// Which file it is; nil for a copy of memory.
  package var identity: FileIdentity? {
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// The path as sprof sees it now; nil for a copy of memory.
  package var path: String? {
    guard descriptor >= 0 else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let base = buffer.baseAddress else { return nil }
      let count = readlink("/proc/self/fd/\(descriptor)", base, buffer.count)
      guard count > 0 else { return nil }
      return String(
        decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]),
        as: UTF8.self)
    }
  }

  /// Whether the file was written to or cut short since it was opened, so that nothing that was read of
  /// it since then can be relied on; one system call.
  package var hasChanged: Bool {
    guard let version else { return false }
    if mapping?.hasLostPages == true { return true }
    var status = stat()
    return fstat(descriptor, &status) != 0 || Version(status) != version
  }

  /// Another mapping of the file, which may be written to; nil for a copy of memory.
  package func writableMapping() throws(SystemError) -> GuardedMapping? {
    guard descriptor >= 0 else { return nil }
    return try GuardedMapping(descriptor: descriptor, count: count, isWritable: true)
  }

  /// The bytes; they stay as long as the object.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = RawSpan(_unsafeStart: base, byteCount: count)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes as a pointer, for C libraries; valid as long as the object.
  package var pointer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
