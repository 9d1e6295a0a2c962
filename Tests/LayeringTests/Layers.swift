import Foundation
import TestSupport

/// One target of `Sources`, and what its files may import.
struct LayeredTarget: Equatable {
  let layer: Int
  let name: String
  let imports: Set<String>
}

/// Who may import whom, from the table of layers in `docs/architecture.md`.
enum Layers {
  /// The targets of layer 0: C, and imported by one Swift target each.
  static let cModules: Set<String> = [
    "CDeflate", "CLinux", "CLibunwind", "CElfutils", "CLzma", "CNcurses", "CZlib", "CZstd",
  ]

  /// The rows of the documented table; empty where the file or the table is missing.
  static let table: [LayeredTarget] = {
    let path = Repository.path("docs/architecture.md")
    return targets(in: (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
  }()

  /// The rows of a Markdown table of layer, target, what it holds, and what it imports.
  static func targets(in text: String) -> [LayeredTarget] {
    text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
      guard line.hasPrefix("|"), cells.count == 4, let layer = Int(cells[0]),
        let name = codeWords(in: cells[1]).first
      else { return nil }
      return LayeredTarget(layer: layer, name: name, imports: Set(codeWords(in: cells[3])))
    }
  }

  /// The words between backticks.
  static func codeWords(in text: String) -> [String] {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
  }
}
