internal import Foundation

/// A folder that goes away with the value.
package final class TemporaryFolder {
  package let path: String

  /// Makes a new folder that everybody may write to.
  package init() throws {
    // Short, because the path of a socket may have only 107 bytes.
    path = "/tmp/sprof-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The names of the files in it, in order.
  package var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
