/// A regular expression for names of functions; it may match any part of a name.
package struct FunctionPattern {
  /// As the user wrote it.
  package let text: String
  private let regex: Regex<AnyRegexOutput>

  /// Throws what the regular expression's parser found wrong; its description is for the user.
  package init(_ text: String) throws {
    self.text = text
    regex = try Regex(text).matchingSemantics(.unicodeScalar)
  }

  /// Whether a part of `name` matches.
  package func matches(_ name: String) -> Bool { ((try? regex.firstMatch(in: name)) ?? nil) != nil }
}
