extension RandomAccessCollection where Index == Int {
  /// The first index whose element is in the second half; all of the first half come before it.
  @inlinable
  package func partitioningIndex(_ isInSecondHalf: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if isInSecondHalf(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
