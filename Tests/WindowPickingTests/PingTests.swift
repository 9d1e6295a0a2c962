import ProfileModel
import Testing

@testable import WindowPicking

@Suite struct `The pings of a capture` {
  private let second: Int64 = 1_000_000_000

  @Test func `are sent every half second to a window that answers`() {
    var record = PingRecord([(id: 7, title: "Mail")])
    #expect(record.due(at: 0, number: 1) == [7])
    record.answer(from: 7, number: 1, at: 3_000_000)
    #expect(record.due(at: second / 4, number: 2).isEmpty)
    #expect(record.due(at: second / 2, number: 3) == [7])
    record.answer(from: 7, number: 3, at: second / 2 + 8_000_000)
    #expect(
      record.results(at: second) == [
        PingedWindow(title: "Mail", sent: 2, answered: 2, slowest: 8_000_000)
      ])
  }

  @Test func `stop while a window does not answer, and go on when it does`() {
    var record = PingRecord([(id: 7, title: "Mail"), (id: 8, title: "Find")])
    #expect(record.due(at: 0, number: 1) == [7, 8])
    record.answer(from: 8, number: 1, at: 1)
    #expect(record.due(at: 3 * second, number: 2) == [8])
    record.answer(from: 8, number: 2, at: 3 * second)
    #expect(!record.isPending(at: 3 * second))
    #expect(record.results(at: 3 * second).map(\.unanswered) == [3 * second, nil])
    record.answer(from: 7, number: 1, at: 4 * second)
    #expect(record.due(at: 4 * second, number: 3) == [7, 8])
    #expect(record.isPending(at: 4 * second))
    #expect(record.results(at: 4 * second).first?.slowest == 4 * second)
  }

  @Test func `count no answers to the window manager's own`() {
    var record = PingRecord([(id: 7, title: "Mail")])
    _ = record.due(at: 0, number: 1)
    record.answer(from: 7, number: 99, at: 1)
    record.answer(from: 9, number: 1, at: 1)
    #expect(record.results(at: second).first?.answered == 0)
  }

  @Test func `are told from their answers and from other messages`() {
    let message = PingMessage(protocols: 300, ping: 301)
    var bytes = message.bytes(to: 7, number: 42)
    #expect(bytes.count == 32)
    #expect(message.answer(bytes) == nil)
    bytes[0] |= 0x80
    let answer = message.answer(bytes)
    #expect(answer?.window == 7)
    #expect(answer?.number == 42)
    #expect(PingMessage(protocols: 300, ping: 302).answer(bytes) == nil)
    #expect(message.answer(Array(bytes.prefix(20))) == nil)
  }
}
