internal import CLinux
internal import Glibc

/// Which file it is, whatever its path.
package struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}

/// The bytes of a file, mapped privately for reading, or a copy of memory.
///
/// A file that another program cuts short while it is mapped raises SIGBUS at the lost pages; ELF
/// files of a running program are replaced, not cut, so the kernel's own loader has the same risk.
package final class MappedFile: @unchecked Sendable {
  // Sendable: the bytes are never written after init, and the mapping lives as long as the object.
  private let base: UnsafeRawPointer
  /// The size in bytes.
  package let count: Int
  private let isMapped: Bool
  /// The open file, -1 for a copy of memory; lives as long as the object.
  package let descriptor: CInt

  /// Maps the whole file behind `descriptor`, which then belongs to the object.
  package init(descriptor: CInt) throws(SystemError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw SystemError("fstat", code: code)
    }
    let size = Int(status.st_size)
    guard size > 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw SystemError("mmap", code: EINVAL)
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
      address != MAP_FAILED
    else {
      let code = errno
      close(descriptor)
      throw SystemError("mmap", code: code)
    }
    base = UnsafeRawPointer(address)
    count = size
    isMapped = true
    self.descriptor = descriptor
  }

  /// Keeps a copy of `bytes`, such as the vdso read from memory.
  package init(copying bytes: [UInt8]) {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    bytes.withUnsafeBytes {
      copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count)
    }
    base = UnsafeRawPointer(copy)
    count = bytes.count
    isMapped = false
    descriptor = -1
  }

  /// Which file it is; nil for a copy of memory.
  package var identity: FileIdentity? {
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: base), count)
      close(descriptor)
    } else {
      base.deallocate()
    }
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
