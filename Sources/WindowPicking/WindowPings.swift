internal import Glibc
internal import LinuxProcess
package import ProfileModel
internal import Synchronization

/// Pings the windows of a program while it is sampled, as a window manager does to learn whether it hangs.
///
/// The program gets one event a window every half second, as long as it answers, through the X server; it
/// is not touched otherwise. Who else watches the root window, such as the window manager, sees the answers
/// too, and knows that they are none to its own pings.
package final class WindowPings: Sendable {
  private enum State {
    case searching
    case failed(PingProblem)
    case pinging
    case ended([PingedWindow])
  }

  private let state = Mutex(State.searching)
  private let isEnding = Atomic(false)
  private let pid: Int32

  /// Finds the windows of the process on the display that `DISPLAY` names, and begins.
  ///
  /// Throws when there are none, and when the server is silent for three seconds.
  package init(of pid: Int32) throws(PingProblem) {
    guard WindowPicker.hasDisplay else { throw .noDisplay(isWayland: WindowPicker.isWayland) }
    self.pid = pid
    do { try OSThread.start { self.work() }.detach() } catch { throw .cannotStart("\(error)") }
    let end = MonotonicClock.now() + .seconds(3)
    while true {
      switch state.withLock({ $0 }) {
      case .failed(let problem): throw problem
      case .pinging, .ended: return
      case .searching:
        guard MonotonicClock.now() < end else {
          throw .isSilentServer(pid: DisplayServer.process(ofDisplay: WindowPicker.display))
        }
        MonotonicClock.sleep(for: .milliseconds(1))
      }
    }
  }

  /// Ends, and gives the windows; waits up to a second for answers that are due.
  ///
  /// Of windows that take part in no pings it gives only the titles.
  package func finish() -> [PingedWindow] {
    isEnding.store(true, ordering: .relaxed)
    let end = MonotonicClock.now() + .seconds(2)
    while MonotonicClock.now() < end {
      if case .ended(let windows) = state.withLock({ $0 }) { return windows }
      MonotonicClock.sleep(for: .milliseconds(1))
    }
    return []
  }

  private func set(_ state: State) { self.state.withLock { $0 = state } }

  /// All that talks to the server, on a thread of its own: a server may hang as a program does.
  private func work() {
    let connection: XConnection
    do throws(WindowProblem) {
      connection = try XConnection()
    } catch {
      return set(.failed(error == .noLibrary ? .noLibrary : .cannotConnect))
    }
    let facts = WindowFacts(connection, ownPID: getpid())
    let windows = facts.windows(of: pid)
    guard let message = PingMessage(facts), !windows.pinged.isEmpty else {
      guard !windows.others.isEmpty else { return set(.failed(.hasNoWindow)) }
      return set(.ended(windows.others.map { PingedWindow(title: $0.title) }))
    }
    set(.pinging)
    set(.ended(ping(windows.pinged, message, connection)))
  }

  private func ping(
    _ windows: [ProgramWindow], _ message: PingMessage, _ connection: XConnection
  ) -> [PingedWindow] {
    var record = PingRecord(windows.map { ($0.id, $0.title) })
    // GTK sends its answer to whoever watches the windows below the root window, as EWMH asks, Qt to whoever
    // watches the root window itself.
    let (structureNotify, substructureNotify): (UInt32, UInt32) = (1 << 17, 1 << 19)
    connection.send(.selectEvents(structureNotify | substructureNotify, of: connection.root))
    while !connection.isLost {
      let now = MonotonicClock.now().rawValue
      while let event = connection.presentEvent() {
        guard let answer = message.answer(event) else { continue }
        record.answer(from: answer.window, number: answer.number, at: now)
      }
      if isEnding.load(ordering: .relaxed) {
        guard record.isPending(at: now) else { break }
      } else {
        // The server's clock is as a rule this one, in milliseconds.
        let number = UInt32(truncatingIfNeeded: now / 1_000_000)
        for window in record.due(at: now, number: number) {
          connection.send(.sendEvent(message.bytes(to: window, number: number), to: window))
        }
      }
      connection.flush()
      wait(for: connection)
    }
    return record.results(at: MonotonicClock.now().rawValue)
  }

  /// Waits for an event, for at most 20 ms.
  private func wait(for connection: XConnection) {
    var descriptor = pollfd(
      fd: connection.fileDescriptor, events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, 20)
  }
}
