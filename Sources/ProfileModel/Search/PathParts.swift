extension String {
  /// The last part of a path, such as the name of its file; the whole text where it has none.
  package var lastPathPart: String { split(separator: "/").last.map(String.init) ?? self }
}
