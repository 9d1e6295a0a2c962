import ArgumentParser
import FoundationEssentials

/// The programs that a shell offers at Tab for `sprof run`, and the files for their arguments.
enum CommandCompletion {
  static let kind = CompletionKind.custom { words, index, prefix in
    let isProgram = !prefix.contains("/") && isFirst(index, of: words)
    return (isProgram ? programs(prefix) : []) + files(prefix, onlyFolders: isProgram)
  }

  /// Whether the word at `index` is the program to run: no word before it is one, other than those of options.
  private static func isFirst(_ index: Int, of words: [String]) -> Bool {
    let before = words.prefix(max(index, 0)).drop { $0 != "run" && $0 != "watch" }.dropFirst()
    if let end = before.lastIndex(of: "--") { return end == index - 1 }
    return zip(before, [""] + before).allSatisfy { word, last in
      word.hasPrefix("-") || last.hasPrefix("-") && !last.contains("=")
    }
  }

  private static func programs(_ prefix: String) -> [String] {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let names = folders.flatMap { folder in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: String(folder))) ?? []
      return names.filter { name in
        name.hasPrefix(prefix) && isOffered(name)
          && FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)")
      }
    }
    return Set(names).sorted()
  }

  private static func files(_ prefix: String, onlyFolders: Bool) -> [String] {
    let end = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
    let (folder, start) = (String(prefix[..<end]), prefix[end...])
    let place = folder.isEmpty ? "." : folder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.sorted().compactMap { name in
      guard name.hasPrefix(start), isOffered(name), !name.hasPrefix(".") || start.hasPrefix(".")
      else { return nil }
      var isFolder = false
      _ = FileManager.default.fileExists(atPath: place + "/" + name, isDirectory: &isFolder)
      if onlyFolders, !isFolder { return nil }
      return folder + name + (isFolder ? "/" : "")
    }
  }

  /// Shells take candidates line by line, and zsh what follows a colon for a description.
  private static func isOffered(_ name: String) -> Bool {
    !name.contains { $0.isNewline || $0.isWhitespace || $0 == ":" }
  }
}
