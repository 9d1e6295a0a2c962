internal import Glibc
internal import LinuxProcess

/// The files of a machine, below a folder: tests look at machines that are not theirs.
package struct SystemFiles: Sendable {
  private let root: String
  /// The most of one file that is read, and of one folder that is counted.
  private static let limit = 1 << 20

  /// The files below `root`; the machine's own for an empty one.
  package init(root: String = "") { self.root = root }

  /// The text of a file; nil where it cannot be read.
  func text(_ path: String) -> String? {
    guard let bytes = try? ProcFile.bytes(of: root + path, limit: Self.limit) else { return nil }
    return String(decoding: bytes.prefix(Self.limit), as: UTF8.self)
  }

  func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }

  func isReadableFolder(_ path: String) -> Bool {
    exists(path + "/.") && access(root + path, R_OK | X_OK) == 0
  }

  /// The names in a folder, in no order; nil where it cannot be read.
  func names(in path: String) -> [String]? {
    guard let folder = opendir(root + path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while names.count < Self.limit, let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
