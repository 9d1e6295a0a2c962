import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel

/// The view as blocks of text, one every 2 s: for a pipe.
struct TopBlocks {
  private static let period = Nanoseconds.seconds(2)
  private static let pause = Nanoseconds.milliseconds(50)
  private static let rows = 10

  private let capture: TopCapture
  private let view: LiveView
  private let isSingle: Bool

  init(_ capture: TopCapture, _ view: LiveView, isSingle: Bool) {
    self.capture = capture
    self.view = view
    self.isSingle = isSingle
  }

  /// Prints blocks until the program ends, a signal asks for the end, or the reader has gone.
  func run() throws {
    do {
      try writeBlocks()
    } catch Diagnostic.cannotWrite(String(cString: strerror(EPIPE))) {
      // `| head` has all that it wanted.
    }
  }

  private func writeBlocks() throws {
    guard !capture.isReplay else { return try write(end: nil, ownCPU: nil) }
    var usage = OwnCPUMeter()
    var isFirst = true
    var end: String?
    while end == nil, !TopSignals.wantsEnd {
      // The first has what 2 s of sampling show, however long the start takes.
      var deadline = MonotonicClock.now() + Self.period
      while MonotonicClock.now() < deadline, end == nil, !TopSignals.wantsEnd {
        MonotonicClock.sleep(for: Self.pause)
        if isFirst, !capture.store.isBegun { deadline = MonotonicClock.now() + Self.period }
        end = try capture.end()
      }
      guard !TopSignals.wantsEnd || isFirst else { return }
      capture.store.remake()
      if !isFirst { try Terminal.write { $0.write("\n") } }
      isFirst = false
      try write(end: end, ownCPU: usage.share())
      if isSingle { return }
    }
  }

  private func write(end: String?, ownCPU: Double?) throws {
    var status = LiveStatus()
    status.isReplay = capture.isReplay
    status.isASCII = !Terminal.isUTF8
    status.end = end
    status.ownCPU = ownCPU ?? 0
    let picture = capture.store.picture.picture
    try Terminal.write { $0.write(LiveScreen.block(view, picture, status, rows: Self.rows)) }
  }
}
