internal import TerminalUI
internal import Testing

@Suite struct `Progress line` {
  private let line = ProgressLine(
    timeLeft: 12.34, elapsed: 3, ticks: 873, threads: 31, stoppedShare: 0.004)

  @Test func `says time left, ticks, threads and the share of stopped time`() {
    let text = "12.3 s left · 873 ticks · 31 threads · 0.4 % stopped"
    #expect(line.text(width: 80) == text)
    #expect(line.rendered(width: 80) == "\r" + text + "\u{1B}[K")
    #expect(ProgressLine.erasure == "\r\u{1B}[K")
  }

  @Test func `says the time that went by when no end was asked for`() {
    var open = line
    (open.timeLeft, open.ticks, open.threads) = (nil, 1, 1)
    #expect(
      open.text(width: 80) == "3.0 s, press Ctrl-C to stop · 1 tick · 1 thread · 0.4 % stopped")
  }

  @Test func `leaves out what does not fit`() {
    #expect(line.text(width: 40) == "12.3 s left · 873 ticks · 31 threads")
    #expect(line.text(width: 5) == "")
    for width in -1...100 { #expect(line.text(width: width).count <= max(width, 0)) }
  }

  @Test(arguments: [Double.nan, .infinity, -5, 1e300])
  func `takes any number`(number: Double) {
    var odd = line
    (odd.timeLeft, odd.stoppedShare) = (number, number)
    #expect(odd.text(width: 100).contains("s left"))
  }
}
