import Testing

@testable import JavaReading

@Suite struct `Compressed numbers` {
  private func numbers(_ bytes: [UInt8], version: Int) -> [UInt32] {
    var stream = Unsigned5(bytes, version: version)
    var result: [UInt32] = []
    while let number = stream.next() { result.append(number) }
    return result
  }

  @Test func `end with a byte below 192 before JDK 20`() {
    // Each further byte counts 64 times as much; the fifth ends a number whatever it is.
    #expect(
      numbers([0, 191, 192, 0, 255, 192, 1], version: 17)
        == [0, 191, 192, 255 + 192 * 64 + 4096])
    #expect(numbers([255, 255, 255, 255, 255, 7], version: 17).count == 2)
  }

  @Test func `have no byte that is 0 since JDK 20`() {
    #expect(numbers([1, 191, 192, 1, 0, 5], version: 21) == [0, 190, 191])
  }

  @Test func `that are cut off are none`() {
    #expect(numbers([192], version: 17) == [])
    #expect(numbers([], version: 25) == [])
  }

  @Test func `have a sign in the lowest bit`() {
    var stream = Unsigned5([0, 1, 2, 3], version: 17)
    let signed = (0..<4).map { _ in stream.nextSigned() }
    #expect(signed == [0, -1, 1, -2])
  }
}
