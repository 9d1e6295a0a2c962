import Testing

@testable import JavaReading

@Suite struct `Compressed numbers` {
  @Test func `of versions before 20 end below 192`() {
    var stream = Unsigned5([0, 191, 192, 0, 255, 192, 1], version: 17)
    #expect(stream.next() == 0)
    #expect(stream.next() == 191)
    #expect(stream.next() == 192)
    // 255 + (192 << 6) + (1 << 12), each digit six bits higher.
    #expect(stream.next() == 255 + 192 << 6 + 1 << 12)
    #expect(stream.next() == nil)
  }
}
