import ProfileModel
import Testing

@Suite struct `Numbers of words` {
  @Test func `are those that were set last, as in a dictionary`() {
    var table = WordTable()
    var truth: [UInt64: UInt32] = [:]
    var word: UInt64 = 1
    for turn in 0..<20_000 {
      // Words that differ in their low, their high and their middle bits, and repeat.
      word = word &* 6_364_136_223_846_793_005 &+ 1
      let key = [word >> 52, word & 0xfff0_0000_0000_0000, (word >> 40) << 12][turn % 3]
      #expect(table.number(of: key) == truth[key])
      table.set(UInt32(turn), for: key)
      truth[key] = UInt32(turn)
      #expect(table.number(of: key) == UInt32(turn))
    }
    #expect(truth.count > 5_000)
    #expect(truth.allSatisfy { table.number(of: $0.key) == $0.value })
  }

  @Test func `are gone when the table was emptied, and in no copy of it`() {
    var table = WordTable()
    for word: UInt64 in 0..<100 { table.set(7, for: word) }
    let copy = table
    table.removeAll()
    #expect((0..<200).allSatisfy { table.number(of: $0) == nil })
    table.set(8, for: 5)
    #expect(table.number(of: 5) == 8 && table.number(of: 6) == nil)
    #expect((0..<100).allSatisfy { copy.number(of: $0) == 7 })
  }
}
