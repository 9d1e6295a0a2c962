internal import CLinux
internal import Glibc

/// The threads of a process, listed again only when their number changed.
package struct ThreadList: ~Copyable {
  private let directory: CInt
  private let process: Int32

  /// Keeps `/proc/PID/task` open.
  package init(process: Int32) throws(SystemError) {
    let path = "/proc/\(process)/task"
    directory = sprof_open(path, O_RDONLY | O_DIRECTORY)
    guard directory >= 0 else { throw SystemError(path, code: -directory) }
    self.process = process
  }

  deinit { close(directory) }

  /// The number of threads, in about 1 µs; nil when the process is gone.
  package func count() -> Int? {
    var status = stat()
    guard fstat(directory, &status) == 0 else { return nil }
    // The link count of the folder is the number of threads plus 2 (kernel: proc_task_getattr).
    return status.st_nlink >= 2 ? Int(status.st_nlink) - 2 : nil
  }

  /// The thread ids in ascending order of creation.
  ///
  /// About 1 µs a thread. Empty when it is gone.
  package func read() -> [Int32] {
    // A fresh open each time: a directory stream keeps its place, and closing it closes its file.
    let file = sprof_openat(directory, ".", O_RDONLY | O_DIRECTORY)
    guard file >= 0 else { return [] }
    guard let stream = fdopendir(file) else {
      close(file)
      return []
    }
    defer { closedir(stream) }
    var threads: [Int32] = []
    while let entry = readdir(stream) {
      if let tid = entry.number { threads.append(tid) }
    }
    return threads
  }
}

extension UnsafeMutablePointer<dirent> {
  /// The name as a positive number, nil for any other name.
  var number: Int32? {
    withUnsafePointer(to: &pointee.d_name) { name in
      name.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
        var value: Int32 = 0
        var index = 0
        while index < 11, bytes[index] != 0 {
          let digit = bytes[index] &- UInt8(ascii: "0")
          guard digit < 10 else { return nil }
          value = value &* 10 &+ Int32(digit)
          index += 1
        }
        return index > 0 && value > 0 ? value : nil
      }
    }
  }
}
