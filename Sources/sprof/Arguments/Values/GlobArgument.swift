import ArgumentParser
import ProfileAnalysis

/// A pattern of a name as the user writes it.
enum GlobArgument {
  static func parse(_ text: String) throws -> String {
    guard !Glob(text).hasOpenSet else {
      throw ValidationError(
        "a '[' begins a set of characters, which no ']' ends. For the character itself write '\\['."
      )
    }
    return text
  }
}
