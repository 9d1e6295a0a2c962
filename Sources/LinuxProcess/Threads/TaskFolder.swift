internal import CLinux
internal import Glibc

/// `/proc/PID/task`, kept open: it stays that of the one process, whatever becomes of the number, and
/// a thread's files open from here in two thirds of the time.
package final class TaskFolder: Sendable {
  /// The process's number.
  package let process: Int32
  private let folder: CInt

  /// Opens the folder of the process that has the number now; throws when there is none.
  package init(process: Int32) throws(SystemError) {
    let path = "/proc/\(process)/task"
    folder = sprof_open(path, O_RDONLY | O_DIRECTORY)
    self.process = process
    guard folder >= 0 else { throw SystemError(path, code: -folder) }
  }

  /// Opens the folder of this very process; throws when it is gone.
  package convenience init(_ process: ProcessIdentity) throws(SystemError) {
    try self.init(process: process.pid)
    try process.check()
  }

  deinit { if folder >= 0 { close(folder) } }

  // MARK: - Threads

  /// The number of threads, in about 1 µs; 0 when the process is gone, nil where the kernel does not say.
  package func count() -> Int? {
    var status = stat()
    guard fstat(folder, &status) == 0 else { return nil }
    // The link count of the folder is the number of threads plus 2 (kernel: proc_task_getattr).
    return status.st_nlink >= 2 ? Int(status.st_nlink) - 2 : nil
  }

  /// The thread ids in ascending order of creation.
  ///
  /// About 1 µs a thread. Empty when the process is gone.
  package func threads() -> [Int32] { NumberedEntries.list(in: folder) }

  /// Whether the kernel lists a thread of that number, ended or not; opens no file.
  package func has(_ thread: Int32) -> Bool { faccessat(folder, String(thread), F_OK, 0) == 0 }

  /// The name of a thread as it is now; nil when it is gone.
  package func name(of thread: Int32) -> String? {
    guard var name = text(of: "comm", of: thread) else { return nil }
    if name.last == "\n" { name.removeLast() }
    return name
  }

  /// What the kernel says of a thread and its process; nil when it is gone.
  package func status(of thread: Int32) -> ProcessStatus? {
    text(of: "status", of: thread).map { ProcessStatus(parsing: $0) }
  }

  /// The identity of a thread, for what cannot be opened from here; nil when it is gone.
  package func identity(of thread: Int32) -> ProcessIdentity? {
    read("stat", of: thread, capacity: 512) { TaskBirth(parsing: $0) }
      .map { ProcessIdentity(pid: thread, startTicks: $0.startTicks) }
  }

  /// What a thread is doing in the kernel, if it is there.
  package func systemCall(of thread: Int32) -> SystemCallState {
    func parse(_ text: UnsafeRawBufferPointer) -> SystemCallState? {
      SystemCallState(parsing: text)
    }
    return read("syscall", of: thread, capacity: 256, parse) ?? .unavailable
  }

  // MARK: - Files

  /// Hands the first `capacity` bytes of `TID/file` to `body`; nil when they cannot be read.
  package func read<Value>(
    _ file: StaticString, of thread: Int32, capacity: Int,
    _ body: (UnsafeRawBufferPointer) -> Value?
  ) -> Value? {
    let file = open(file, of: thread)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withStart(of: file, capacity: capacity, body)
  }

  /// The bytes of `TID/file`, at least `limit` of them when it has more; nil when it cannot be read.
  package func bytes(of file: String, of thread: Int32, limit: Int = .max) -> [UInt8]? {
    let path = "\(thread)/\(file)"
    return try? ProcFile.bytes(of: sprof_openat(folder, path, O_RDONLY), path, limit: limit)
  }

  /// The text of `TID/file`; nil when it cannot be read.
  package func text(of file: String, of thread: Int32) -> String? {
    bytes(of: file, of: thread).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The target of the symbolic link `TID/file`; nil when it cannot be read.
  package func link(_ file: String, of thread: Int32) -> String? {
    try? ProcFile.link("\(thread)/\(file)", in: folder)
  }

  /// A descriptor of `TID/file`, or the negative error number.
  func open(_ file: StaticString, of thread: Int32) -> CInt {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { path in
      var end = Self.writeDecimal(UInt32(bitPattern: max(0, thread)), to: path)
      path[end] = CChar(UInt8(ascii: "/"))
      end += 1
      file.withUTF8Buffer { name in
        for byte in name.prefix(path.count - end - 1) {
          path[end] = CChar(bitPattern: byte)
          end += 1
        }
      }
      path[end] = 0
      guard let start = path.baseAddress else { return -EINVAL }
      let file = sprof_openat(folder, start, O_RDONLY)
      if SystemError.meansTooManyFiles(-file) { OpenFileLimit.noteFailure() }
      return file
    }
  }

  /// Writes the digits; gives how many there are, 10 at the most.
  private static func writeDecimal(
    _ number: UInt32, to text: UnsafeMutableBufferPointer<CChar>
  ) -> Int {
    var count = 1
    var rest = number / 10
    while rest > 0 {
      count += 1
      rest /= 10
    }
    rest = number
    for place in (0..<count).reversed() {
      text[place] = CChar(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    }
    return count
  }
}

/// Hands the first bytes of an open file to `body`, without allocating.
func withStart<Value>(
  of file: CInt, capacity: Int, _ body: (UnsafeRawBufferPointer) -> Value?
) -> Value? {
  guard file >= 0 else { return nil }
  return withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { buffer in
    let count = pread(file, buffer.baseAddress, capacity, 0)
    guard count > 0 else { return nil }
    return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}
