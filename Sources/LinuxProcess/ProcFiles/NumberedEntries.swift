internal import CLinux
internal import Glibc

/// The entries of a folder of `/proc` that are named by a number: processes, threads, descriptors.
enum NumberedEntries {
  /// The numbers above 0 in the folder at `path`, in the kernel's order; empty when it cannot be read.
  static func list(_ path: String) -> [Int32] {
    guard let stream = opendir(path) else {
      if SystemError.meansTooManyFiles(errno) { OpenFileLimit.noteFailure() }
      return []
    }
    return drain(stream)
  }

  /// The same of an open folder, whose descriptor stays open.
  static func list(in folder: CInt) -> [Int32] {
    // A fresh open each time: a directory stream keeps its place, and closing it closes its file.
    let file = sprof_openat(folder, ".", O_RDONLY | O_DIRECTORY)
    guard file >= 0 else {
      if SystemError.meansTooManyFiles(-file) { OpenFileLimit.noteFailure() }
      return []
    }
    guard let stream = fdopendir(file) else {
      close(file)
      return []
    }
    return drain(stream)
  }

  private static func drain(_ stream: OpaquePointer) -> [Int32] {
    defer { closedir(stream) }
    var numbers: [Int32] = []
    while let entry = readdir(stream) {
      if let number = entry.number { numbers.append(number) }
    }
    return numbers
  }
}

extension UnsafeMutablePointer<dirent> {
  /// The name as a number above 0, nil for any other name.
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
