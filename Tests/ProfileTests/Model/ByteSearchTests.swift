import ProfileModel
import Testing

@Suite struct `A search for bytes in a text` {
  @Test(arguments: [
    ("", "", true), ("", "a", false), ("a", "", true), ("aab", "ab", true), ("aaab", "aab", true),
    ("std::sync", "::", true), ("a:b:", "::", false), ("naïve", "ï", true), ("abc", "abcd", false),
  ])
  func `finds what lies in it`(text: String, wanted: String, isThere: Bool) {
    #expect(text.contains(bytesOf: wanted) == isThere)
    #expect("x\(text)y".dropFirst().dropLast().contains(bytesOf: wanted) == isThere)
  }
}
