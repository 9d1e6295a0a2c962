internal import CLinux
internal import Glibc

/// Reads whole files of `/proc`, whose size is not known before.
package enum ProcFile {
  /// The text of the file at `path`; bytes that are not UTF-8 become replacement characters.
  package static func read(_ path: String) throws(SystemError) -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
  }

  /// The bytes of the file at `path`, at least `limit` of them when it has more.
  package static func bytes(
    of path: String, limit: Int = .max
  ) throws(SystemError) -> [UInt8] {
    try bytes(of: sprof_open(path, O_RDONLY), path, limit: limit)
  }

  /// The same of an open file, which is closed; `file` may be the negative error number of its open.
  static func bytes(
    of file: CInt, _ path: String, limit: Int = .max
  ) throws(SystemError) -> [UInt8] {
    guard file >= 0 else { throw SystemError(path, code: -file) }
    defer { close(file) }
    var content: [UInt8] = []
    // A read of such a file gives a page or little more, however much is asked for.
    let code: CInt = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 13) { chunk in
      while true {
        let count = Glibc.read(file, chunk.baseAddress, chunk.count)
        guard count != 0 else { return 0 }
        guard count > 0 else {
          let code = errno
          if code == EINTR { continue }
          return code
        }
        content.append(contentsOf: UnsafeBufferPointer(rebasing: chunk[..<count]))
        if content.count >= limit { return 0 }
      }
    }
    guard code == 0 else { throw SystemError(path, code: code) }
    return content
  }

  /// The target of the symbolic link at `path`.
  package static func link(_ path: String) throws(SystemError) -> String {
    try link(path, in: AT_FDCWD)
  }

  /// The same, where `path` counts from an open folder.
  static func link(_ path: String, in folder: CInt) throws(SystemError) -> String {
    let link: (text: String, code: CInt) = withUnsafeTemporaryAllocation(
      of: UInt8.self, capacity: 4096
    ) { buffer in
      guard let start = buffer.baseAddress else { return ("", EINVAL) }
      let count = start.withMemoryRebound(to: CChar.self, capacity: buffer.count) { start in
        readlinkat(folder, path, start, buffer.count)
      }
      guard count >= 0 else { return ("", errno) }
      let bytes = UnsafeBufferPointer(rebasing: buffer[..<count])
      return (String(decoding: bytes, as: UTF8.self), 0)
    }
    guard link.code == 0 else { throw SystemError(path, code: link.code) }
    return link.text
  }
}
