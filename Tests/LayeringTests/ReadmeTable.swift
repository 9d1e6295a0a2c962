/// The architecture table of the README: layer, target, what it holds, what it imports.
enum ReadmeTable {
  static func targets(in text: String) -> [LayeredTarget] {
    text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
      guard line.hasPrefix("|"), cells.count == 4, let layer = Int(cells[0]) else { return nil }
      guard let name = codeWords(in: cells[1]).first else { return nil }
      return LayeredTarget(layer: layer, name: name, imports: Set(codeWords(in: cells[3])))
    }
  }

  /// The words that stand between backticks.
  private static func codeWords(in text: String) -> [String] {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
  }
}
