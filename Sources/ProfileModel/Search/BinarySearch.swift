extension RandomAccessCollection where Index == Int {
  /// The first index whose element belongs to the second half, by binary search; `endIndex` if
  /// none.
  ///
  /// The elements must be sorted so that all of the first half come before those of the second.
  /// Allocates nothing, so that it may be used while a thread is stopped.
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
