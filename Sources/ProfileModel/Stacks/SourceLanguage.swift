/// The language of a frame that a language runtime describes, where that is not Python.
///
/// The raw values are words for programs.
package enum SourceLanguage: String, Hashable, Sendable, CaseIterable {
  case java
}
