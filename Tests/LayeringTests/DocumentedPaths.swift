import Foundation
import TestSupport

/// The paths that a document names: what is in backticks and has a slash, outside blocks of code.
enum DocumentedPaths {
  static func all(in text: String) -> [String] {
    var isCode = false
    var prose: [Substring] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("```") {
        isCode.toggle()
      } else if !isCode {
        prose.append(line)
      }
    }
    return Layers.codeWords(in: prose.joined(separator: "\n")).filter { $0.contains("/") }
  }

  /// Those where nothing is: no file, with or without `.swift`, and no folder, counted from the
  /// root, `Sources` or `Tests`.
  static func dead(in text: String) -> [String] {
    all(in: text).filter { path in
      !["", "Sources/", "Tests/"].contains { folder in
        ["", ".swift"].contains { ending in
          FileManager.default.fileExists(atPath: Repository.path(folder + path + ending))
        }
      }
    }
  }
}
