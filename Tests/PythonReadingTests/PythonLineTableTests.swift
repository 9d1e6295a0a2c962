internal import PythonReading
internal import RuntimeReading
internal import Testing

@Suite struct `Line tables` {
  @Test func `of 3.8 count line increments as signed`() {
    // 0: line 10; 4: 12; 8: 11 (an increment of -1); 12: 141 (127 and then 3 more).
    let bytes: [UInt8] = [4, 2, 4, 0xff, 4, 127, 0, 3]
    let table = RuntimeLineTable(bytes, firstLine: 10, format: .increments)
    #expect((0...7).map { table.line(at: $0) } == [10, 10, 12, 12, 11, 11, 141, 141])
  }

  @Test func `of 3.10 add the length of a range without a line`() {
    // 0-5: line 5; 6-9: none; 10-11: line 7.
    let bytes: [UInt8] = [6, 0, 4, 0x80, 2, 2]
    let table = RuntimeLineTable(bytes, firstLine: 5, format: .ranges)
    #expect((0...6).map { table.line(at: $0) } == [5, 5, 5, nil, nil, 7, nil])
  }

  @Test func `of 3.11 read every form of an entry`() {
    let bytes: [UInt8] = [
      // Short form, 2 units, same line.
      0x80 | 0 << 3 | 1, 0x12,
      // One line further, 1 unit, two columns.
      0x80 | 11 << 3 | 0, 4, 9,
      // No columns, 3 units, 70 lines further: 140 as two groups of six bits.
      0x80 | 13 << 3 | 2, 0x40 | 12, 2,
      // No location, 1 unit.
      0x80 | 15 << 3 | 0,
      // Long form, 1 unit, 3 lines back: 7; end line, column and end column.
      0x80 | 14 << 3 | 0, 7, 1, 2, 3,
    ]
    let table = RuntimeLineTable(bytes, firstLine: 100, format: .locations)
    #expect(
      (0...8).map { table.line(at: $0) } == [
        100, 100, 101, 171, 171, 171, nil, 168, nil,
      ])
  }

  @Test func `that are cut off or nonsense give lines or none, and never trap`() {
    var random = SeededGenerator(seed: 7)
    for format in [PythonLineFormat.increments, .ranges, .locations] {
      for _ in 0..<3000 {
        let count = Int.random(in: 0...60, using: &random)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let first = Bool.random(using: &random) ? Int32.max : Int32.min
        let table = RuntimeLineTable(bytes, firstLine: first, format: format)
        for unit in [Int32.min, -1, 0, 1, 7, 1000, .max] { _ = table.line(at: unit) }
      }
    }
  }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
