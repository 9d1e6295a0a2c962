internal import ELFReading
internal import ProfileModel

/// A function's name for the reader, and the linker's where it is another.
struct DisplayName {
  let text: String
  let linkageName: String?

  /// Prefers the debug data's linkage name, then a mangled symbol, then the plain name.
  init?(_ function: DebugFunctionName?, symbol: Symbol?) {
    let symbolName = symbol.map { Self.withoutVersion($0.name) }
    // Not a version: a stub of that function.
    let suffix = symbol?.name.hasSuffix("@plt") == true ? "@plt" : ""
    if let linkageName = function?.linkageName {
      text = demangle(linkageName) ?? linkageName
      self.linkageName = text == linkageName ? nil : linkageName
      return
    }
    if let symbolName, let plain = demangle(symbolName) {
      text = plain + suffix
      linkageName = symbolName + suffix
      return
    }
    guard let name = function?.plainName ?? symbolName.map({ $0 + suffix }) else { return nil }
    text = name
    linkageName = nil
  }

  /// Without `@@GLIBC_2.14` or the like.
  private static func withoutVersion(_ name: String) -> String {
    let at = name.utf8.firstIndex(of: UInt8(ascii: "@"))
    guard let at, at > name.startIndex else { return name }
    return String(name[..<at])
  }
}
