internal import ProfileModel

/// Functions by address, of which those that were made later have taken the place of others.
struct GeneratedTable {
  private struct Segment {
    let start: UInt64
    let function: Int
  }

  /// In the order in which they were made.
  private var functions: [GeneratedFunction] = []
  /// The last function that began at an address.
  private var latest: [UInt64: Int] = [:]
  /// Where what begins, -1 for nothing; ascending.
  private var segments: [Segment] = []
  private var isSorted = true

  /// More than any runtime makes; half a gigabyte.
  private static let limit = 1 << 21

  var count: Int { functions.count }

  mutating func append(_ function: GeneratedFunction) {
    guard function.size > 0, functions.count < Self.limit else { return }
    latest[function.start] = functions.count
    functions.append(function)
    isSorted = false
  }

  mutating func removeAll() { self = GeneratedTable() }

  /// The last of the functions that were at an address.
  mutating func function(at address: UInt64) -> GeneratedFunction? {
    if !isSorted { sort() }
    let next = segments.partitioningIndex { $0.start > address }
    guard next > 0, segments[next - 1].function >= 0 else { return nil }
    return functions[segments[next - 1].function]
  }

  /// The last function that began at an address.
  func lastIndex(startingAt address: UInt64) -> Int? { latest[address] }

  subscript(index: Int) -> GeneratedFunction { functions[index] }

  /// One pass over the beginnings and ends; of the functions that are open the last one counts.
  private mutating func sort() {
    isSorted = true
    let starts = functions.indices.sorted { functions[$0].start < functions[$1].start }
    let ends = functions.indices.sorted { functions[$0].end < functions[$1].end }
    var open = NumberHeap()
    segments = []
    segments.reserveCapacity(functions.count * 2)
    var (start, end) = (0, 0)
    while end < ends.count {
      let nextEnd = functions[ends[end]].end
      let nextStart = start < starts.count ? functions[starts[start]].start : .max
      let place = min(nextStart, nextEnd)
      while start < starts.count, functions[starts[start]].start == place {
        open.insert(starts[start])
        start += 1
      }
      while end < ends.count, functions[ends[end]].end == place { end += 1 }
      while let top = open.largest, functions[top].end <= place { open.removeLargest() }
      let function = open.largest ?? -1
      if segments.last?.function != function {
        segments.append(Segment(start: place, function: function))
      }
    }
  }
}

/// Numbers, of which the largest is at hand.
private struct NumberHeap {
  private var numbers: [Int] = []

  var largest: Int? { numbers.first }

  mutating func insert(_ number: Int) {
    numbers.append(number)
    var index = numbers.count - 1
    while index > 0, numbers[(index - 1) / 2] < numbers[index] {
      numbers.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func removeLargest() {
    guard let last = numbers.popLast(), !numbers.isEmpty else { return }
    numbers[0] = last
    var index = 0
    while case let left = index * 2 + 1, left < numbers.count {
      let right = left + 1
      let child = right < numbers.count && numbers[right] > numbers[left] ? right : left
      guard numbers[child] > numbers[index] else { return }
      numbers.swapAt(index, child)
      index = child
    }
  }
}
