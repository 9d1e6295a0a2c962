internal import CLinux
internal import Glibc

/// A private mapping of a file, which reads as zeros where the file has lost bytes since.
///
/// A plain mapping would end this process with SIGBUS there. Nothing that is written to it reaches the
/// file.
package final class GuardedMapping: @unchecked Sendable {
  // Sendable: the guard is atomic; what is done to the bytes is the owner's affair.
  package let start: UnsafeMutableRawPointer
  /// The size in bytes.
  package let count: Int
  private let guardian: OpaquePointer

  /// Maps the first `count` bytes of the file, more than 0.
  init(descriptor: CInt, count: Int, isWritable: Bool) throws(SystemError) {
    let access = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
    guard let address = mmap(nil, count, access, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0),
      address != MAP_FAILED
    else { throw SystemError("mmap", code: errno) }
    guard let guardian = sprof_guard_mapping(address, UInt64(count)) else {
      munmap(address, count)
      throw SystemError("mmap", code: ENOMEM)
    }
    start = address
    self.count = count
    self.guardian = guardian
  }

  deinit {
    sprof_release_guard(guardian)
    munmap(start, count)
  }

  /// Whether bytes were read that the file no longer had.
  var hasLostPages: Bool { sprof_has_lost_pages(guardian) != 0 }
}
