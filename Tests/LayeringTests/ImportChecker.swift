import Foundation

/// Compares the `import` lines of a folder such as `Sources` with a table.
struct ImportChecker {
  let folder: URL
  let table: [LayeredTarget]
  let cModules: Set<String>

  /// One sentence for each difference from the table.
  func problems() throws -> [String] {
    let manager = FileManager.default
    let targets = try manager.contentsOfDirectory(atPath: folder.path).sorted()
    var problems: [String] = []
    for name in targets where !cModules.contains(name) {
      guard let entry = table.first(where: { $0.name == name }) else {
        problems.append("\(name) is not in the table")
        continue
      }
      problems += try differences(of: entry)
    }
    for entry in table where !targets.contains(entry.name) {
      problems.append("\(entry.name) is in the table, but has no folder")
    }
    return problems
  }

  private func differences(of target: LayeredTarget) throws -> [String] {
    let place = folder.appendingPathComponent(target.name)
    let files = FileManager.default.enumerator(atPath: place.path)?.compactMap { $0 as? String }
    var problems: [String] = []
    var unused = target.imports
    for file in (files ?? []).sorted() where file.hasSuffix(".swift") {
      let text = try String(contentsOf: place.appendingPathComponent(file), encoding: .utf8)
      let modules = Self.imports(in: text)
      unused.subtract(modules)
      for module in modules.subtracting(target.imports).sorted() {
        problems.append("\(target.name)/\(file) imports \(module)")
      }
    }
    return problems + unused.sorted().map { "\(target.name) does not import \($0)" }
  }

  /// The modules that a source text imports.
  static func imports(in text: String) -> Set<String> {
    var modules: Set<String> = []
    for line in text.split(separator: "\n") {
      var words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
      // Attributes, such as `@preconcurrency`, and the access come before the word.
      let access: Set = ["public", "package", "internal", "fileprivate", "private"]
      while let first = words.first, first.hasPrefix("@") || access.contains(first) {
        words.removeFirst()
      }
      guard words.first == "import", words.count > 1 else { continue }
      let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
      let path = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
      modules.insert(String(path.prefix { $0 != "." && $0 != ";" }))
    }
    return modules
  }
}
