import Glibc
import LinuxProcess
import ProfileExport
import ProfileModel
import Synchronization
import TerminalUI

/// The full-screen view: draws pictures as they come, and takes keys.
///
/// Belongs to the main thread.
struct TopScreen {
  /// How long a key is waited for: the most that a picture is late.
  private static let keyTime = Nanoseconds.milliseconds(100)
  /// The least time between two drawings: keys that come faster, as of one held down, share one.
  private static let drawPause = Nanoseconds.milliseconds(80)
  /// Times without a key in a row, each at once, after which nobody is there to give one.
  private static let deadLimit = 200

  private let capture: TopCapture
  private let screen: CursesScreen
  /// Nil where there is none.
  private let terminalGuard: TerminalGuard?
  private var view: LiveView
  private var status = LiveStatus()
  private var shown: LivePicture
  private var shownNumber = -1
  private var usage = OwnCPUMeter()

  init(_ capture: TopCapture, _ screen: CursesScreen, _ view: LiveView) {
    self.capture = capture
    self.screen = screen
    self.view = view
    terminalGuard = TerminalGuard(leaving: screen.leavingSequence)
    terminalGuard?.note(isDrawing: true)
    TopSignals.noteScreen(isShown: true)
    shown = capture.store.picture.picture
    status.isReplay = capture.isReplay
    status.isASCII = !screen.isUTF8
  }

  /// Shows the view until the user quits, or a signal asks for it.
  mutating func run() throws {
    var needsDrawing = true
    var nextDrawing = MonotonicClock.Instant.distantPast
    var deadTurns = 0
    while !TopSignals.wantsEnd {
      needsDrawing = try takeNews() || needsDrawing
      if TopSignals.isToLeave {
        leaveUntilContinued()
        needsDrawing = true
      }
      if TopSignals.takeContinued() {
        screen.resume()
        needsDrawing = true
      }
      let now = MonotonicClock.now()
      if needsDrawing, now >= nextDrawing {
        draw()
        needsDrawing = false
        nextDrawing = now + Self.drawPause
      }
      let pause = needsDrawing ? min(nextDrawing - now, Self.keyTime) : Self.keyTime
      guard let key = screen.key(within: Int(pause.rawValue / 1_000_000) + 1) else {
        // A terminal that has gone answers at once.
        let isDead = MonotonicClock.now() - now < .milliseconds(1)
        deadTurns = isDead ? deadTurns + 1 : 0
        if deadTurns > Self.deadLimit { return }
        continue
      }
      needsDrawing = true
      if let key = LiveKey(key), let order = view.take(key, shown), !carry(out: order) { return }
    }
  }

  /// Takes the newest picture and message; returns whether there is any.
  private mutating func takeNews() throws -> Bool {
    var hasNews = false
    if let message = capture.takeMessage() {
      view.message = message
      hasNews = true
    }
    let (picture, number) = capture.store.picture
    // One that was asked for is shown in a pause, too.
    let isWanted = !view.isPaused || shown.thread != view.request.thread
    if number != shownNumber, isWanted {
      (shown, shownNumber) = (picture, number)
      hasNews = true
    }
    if let share = usage.share() { status.ownCPU = share }
    let end = capture.isReplay ? nil : try capture.end()
    if end != status.end {
      status.end = end
      hasNews = true
    }
    return hasNews
  }

  private mutating func draw() {
    let (width, height) = screen.size
    let lines = LiveScreen.lines(&view, shown, status, width: width, height: height)
    screen.draw(lines.map { $0.map { CursesScreen.Span($0.text, CursesScreen.Style($0.style)) } })
  }

  /// Does what a key asks for; false to quit.
  private mutating func carry(out order: LiveOrder) -> Bool {
    switch order {
    case .quit: return false
    // As from outside: `JobControl` asks for the screen to be left.
    case .suspend: kill(getpid(), SIGTSTP)
    case .dump: capture.writeDump()
    case .write: capture.writeCapture()
    case .faster: capture.changeRate(by: 2)
    case .slower: capture.changeRate(by: 0.5)
    case .reset:
      capture.store.reset()
      view.message = "Figures since the beginning were reset"
      remakeIfOver()
    case .remake: capture.store.ask(view.request)
    }
    return true
  }

  /// Where sampling goes on, the next picture comes by itself.
  private func remakeIfOver() {
    if capture.isReplay || status.end != nil { capture.store.remake() }
  }

  /// Gives the terminal back for good.
  func close() {
    TopSignals.noteScreen(isShown: false)
    screen.close()
    terminalGuard?.end()
  }

  private func leaveUntilContinued() {
    screen.suspend()
    terminalGuard?.note(isDrawing: false)
    TopSignals.awaitReturn()
    _ = TopSignals.takeContinued()
    screen.resume()
    terminalGuard?.note(isDrawing: true)
  }
}

/// sprof's own CPU time as a share of a core, over the last second.
struct OwnCPUMeter {
  private var time = MonotonicClock.now()
  private var used = OwnUsage.cpu()

  /// The share of the last second; nil while it is not over.
  mutating func share() -> Double? {
    let now = MonotonicClock.now()
    guard now - time >= .seconds(1) else { return nil }
    let cpu = OwnUsage.cpu()
    defer { (time, used) = (now, cpu) }
    return Double((cpu - used).rawValue) / Double((now - time).rawValue)
  }
}

extension LiveKey {
  fileprivate init?(_ key: CursesScreen.Key) {
    switch key {
    case .character(let character): self = .character(character)
    case .up: self = .up
    case .down: self = .down
    case .pageUp: self = .pageUp
    case .pageDown: self = .pageDown
    case .home: self = .home
    case .end: self = .end
    case .enter: self = .enter
    case .escape: self = .escape
    case .tab: self = .tab
    case .backTab: self = .backTab
    case .backspace: self = .backspace
    case .resize: return nil
    }
  }
}

extension CursesScreen.Style {
  fileprivate init(_ style: LiveSpan.Style) {
    self =
      switch style {
      case .plain: .plain
      case .dim: .dim
      case .strong: .strong
      case .heading: .heading
      case .chosen: .chosen
      case .good: .good
      case .warning: .warning
      case .bad: .bad
      }
  }
}
