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
  let thread: ProcessIdentity?

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

  /// Whether the program is one of 32 bits, by its file: its system calls have other numbers, its stacks
  /// and structures other layouts.
  package var isOf32BitProgram: Bool {
    let file = sprof_open("/proc/\(tid)/exe", O_RDONLY)
    guard file >= 0 else { return false }
    defer { close(file) }
    // EI_CLASS, the byte behind the ELF file's magic number, is ELFCLASS32.
    return withStart(of: file, capacity: 5) { $0.elementsEqual(Array("\u{7f}ELF\u{1}".utf8)) }
      ?? false
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
}
