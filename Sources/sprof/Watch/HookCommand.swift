import ArgumentParser
import Glibc

/// The command of `--exec`, which is run for each capture.
///
/// Its words are split at spaces. Quotes, single or double, keep spaces within a word; outside single
/// quotes a backslash takes away the meaning of what follows. Nothing else has one: there is no shell.
struct HookCommand: Sendable {
  let words: [String]

  init(_ text: String) throws {
    words = try Self.split(text)
    guard let name = words.first, !name.isEmpty else {
      throw ValidationError("it needs the name of a program.")
    }
  }

  private static func split(_ text: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" || character == "\n" {
        if let finished = word { words.append(finished) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else {
      throw ValidationError("a quote or a backslash at its end is left open.")
    }
    if let word { words.append(word) }
    return words
  }

  /// Runs it to its end, with `input` on its stdin and the capture's path in `SPROF_CAPTURE`.
  ///
  /// Its output goes to sprof's stderr. Returns what went wrong.
  func run(input: String, capture: String) -> String? {
    let program = ChildProgram(words: words, environment: ["SPROF_CAPTURE": capture])
    let end = program.run(output: STDERR_FILENO) { descriptor in
      try? FileOutput.write(to: descriptor) { $0.write(input) }
    }
    switch end {
    case .failure(let error): return "\(words[0]): \(error.words)"
    case .success(let status):
      let signal = status & 0x7f
      if signal != 0 { return "\(words[0]) was killed by signal \(signal)" }
      let exit = (status >> 8) & 0xff
      return exit == 0 ? nil : "\(words[0]) exited with code \(exit)"
    }
  }
}
