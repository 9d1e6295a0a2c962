internal import ProfileModel
internal import Testing

@Suite struct `Binary search` {
  @Test(arguments: 0..<9) func `finds where the second half begins`(count: Int) {
    let numbers = Array(0..<count)
    for limit in 0...count {
      #expect(numbers.partitioningIndex { $0 >= limit } == limit)
      #expect((0..<count).partitioningIndex { $0 >= limit } == limit)
    }
  }

  @Test func `counts from the start of a slice`() {
    let numbers = [1, 3, 3, 5, 7][1...]
    #expect(numbers.partitioningIndex { $0 > 3 } == 3)
    #expect(numbers.partitioningIndex { $0 > 9 } == numbers.endIndex)
    #expect(numbers.partitioningIndex { $0 > 0 } == 1)
  }
}
