internal import Foundation
internal import Testing

/// Texts that were looked at and found good, in files named by the command that writes them.
enum Goldens {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Goldens")

  /// Compares `text` with the golden, or records it when SPROF_RECORD_GOLDENS=1 is set.
  static func expect(
    _ text: String, toEqual name: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["SPROF_RECORD_GOLDENS"] == "1" {
      try text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let golden = try #require(
      try? String(contentsOf: file, encoding: .utf8), "no golden \(name)", sourceLocation: location)
    #expect(text == golden, "differs from \(name)", sourceLocation: location)
  }
}
