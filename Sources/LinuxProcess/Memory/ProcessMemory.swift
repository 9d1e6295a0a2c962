internal import CLinux
internal import Glibc
package import ProfileModel

/// Reads the memory, the maps and the mapped files of a process, without stopping it.
///
/// Everything is addressed through one live thread: once a program's main thread has exited, its
/// own `/proc` entry has neither maps nor memory, but those of its other threads still do.
package struct ProcessMemory: Sendable {
  /// A live thread of the process.
  package let tid: Int32
  /// Whose maps and files are given out; nil where the number cannot have passed to another.
  private let thread: ProcessIdentity?

  /// Of a process that cannot end meanwhile, such as one whose thread is held, or that sprof has not
  /// collected.
  package init(tid: Int32) {
    self.tid = tid
    thread = nil
  }

  /// Of the process of this very thread: maps and files of another that has got its number later are
  /// refused.
  package init(_ thread: ProcessIdentity) {
    tid = thread.pid
    self.thread = thread
  }

  /// The address space as it is now; about 1 µs a line.
  package func maps() throws(SystemError) -> MemoryMaps {
    let text = try ProcFile.read("/proc/\(tid)/maps")
    try thread?.check()
    do {
      return try MemoryMaps(parsing: text)
    } catch {
      throw SystemError("/proc/\(tid)/maps", code: EINVAL)
    }
  }

  /// Up to `count` bytes from `address`; fewer when the memory ends sooner, nil when none is there.
  package func read(at address: RemoteAddress, count: Int) -> [UInt8]? {
    guard count > 0 else { return nil }
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, read(at: address, into: UnsafeMutableRawBufferPointer(buffer)))
    }
    return bytes.isEmpty ? nil : bytes
  }

  /// Fills `buffer` from `address` on.
  ///
  /// Returns the bytes read, less than 0 when there are none.
  ///
  /// Where a container's seccomp profile forbids `process_vm_readv`, `/proc/PID/mem` is read.
  package func read(at address: RemoteAddress, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = sprof_read_memory(tid, address.rawValue, buffer.baseAddress, UInt64(buffer.count))
    guard count == -Int64(EPERM) || count == -Int64(ENOSYS) else { return Int(count) }
    let file = sprof_open("/proc/\(tid)/mem", O_RDONLY)
    guard file >= 0 else { return Int(file) }
    defer { close(file) }
    return pread(file, buffer.baseAddress, buffer.count, Int(truncatingIfNeeded: address.rawValue))
  }

  /// Opens the very file that is mapped, also when it was deleted, replaced, or is in another mount
  /// namespace.
  ///
  /// `map_files` is the file itself, but needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; the two
  /// paths are checked by device and inode, so that a replaced file is never taken for the old.
  package func open(_ mapping: MemoryMapping) throws(SystemError) -> MappedFile {
    let file = try find(mapping)
    try thread?.check()
    return file
  }

  private func find(_ mapping: MemoryMapping) throws(SystemError) -> MappedFile {
    let range =
      String(mapping.start.rawValue, radix: 16) + "-" + String(mapping.end.rawValue, radix: 16)
    let itself = sprof_open("/proc/\(tid)/map_files/\(range)", O_RDONLY)
    if itself >= 0 { return try MappedFile(descriptor: itself) }
    var failure = SystemError(mapping.path, code: ENOENT)
    for path in ["/proc/\(tid)/root\(mapping.path)", mapping.path] {
      // O_NONBLOCK: the path may by now name a FIFO, whose open would wait for ever.
      let file = sprof_open(path, O_RDONLY | O_NONBLOCK)
      guard file >= 0 else {
        failure = SystemError(path, code: -file)
        continue
      }
      if isSameFile(file, as: mapping) { return try MappedFile(descriptor: file) }
      close(file)
      failure = SystemError(path, code: ESTALE)
    }
    throw failure
  }

  /// Opens the separate debug file that a distribution installs for a build id, in the process's
  /// own file system or in sprof's; nil when there is none.
  ///
  /// Whether it is the right one its own build id says.
  package func debugFile(buildID: String) -> MappedFile? {
    guard buildID.utf8.count > 2, buildID.allSatisfy(\.isHexDigit) else { return nil }
    let path = "/usr/lib/debug/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
    for root in ["/proc/\(tid)/root", ""] {
      let file = sprof_open(root + path, O_RDONLY | O_NONBLOCK)
      if file >= 0 { return try? MappedFile(descriptor: file) }
    }
    return nil
  }

  private func isSameFile(_ file: CInt, as mapping: MemoryMapping) -> Bool {
    var status = stat()
    guard fstat(file, &status) == 0, UInt64(status.st_ino) == mapping.inode else { return false }
    // glibc's gnu_dev_major and gnu_dev_minor. An overlay or btrfs file may show another device in
    // maps than in stat (the kernel prints the superblock's): the inode alone must do there.
    let device = UInt64(status.st_dev)
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00
    return major << 32 | minor == mapping.device || mapping.device >> 32 == 0
  }
}
