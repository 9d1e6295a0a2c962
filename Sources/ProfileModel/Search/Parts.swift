extension RandomAccessCollection where Index == Int {
  /// The elements in order, in parts of so many each; the last one may have fewer.
  package func inParts(of size: Int) -> some Sequence<SubSequence> {
    stride(from: startIndex, to: endIndex, by: size).lazy.map { start in
      self[start..<Swift.min(start + size, endIndex)]
    }
  }
}
