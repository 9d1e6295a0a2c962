internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// A capture that is quiet until it is wanted: on threads of its own.
final class QuietCapture: @unchecked Sendable {
  // Sendable: `handle` is used by the recorder's thread alone.
  let control = CaptureControl()
  let began = MonotonicClock.now()
  private let sink = Sink()
  private let outcome = Mutex<Outcome?>(nil)
  private var handle: OSThread.Handle?

  /// Where what the capture has goes; no part of it, as the capture is a part of its outcome.
  private final class Sink: Sendable {
    let take = Mutex<(@Sendable (ProfileGrowth) -> Void)?>(nil)
  }

  /// What the capture's thread has left.
  private final class Outcome: @unchecked Sendable {
    // Sendable: made once, by a thread that does not use it any more.
    let result: Result<FinishedCapture, Capture.Failure>
    init(_ result: Result<FinishedCapture, Capture.Failure>) { self.result = result }
  }

  /// Begins to sample.
  init(_ process: ProcessIdentity, plan: SamplingPlan) throws(SystemError) {
    control.isQuiet = true
    control.isRecorded = false
    handle = try OSThread.start { [self] in sample(process, plan) }
  }

  private func sample(_ process: ProcessIdentity, _ plan: SamplingPlan) {
    let names = FrameNames(process, plan.options)
    let recording = Recording(names: names) { [sink] growth in
      if let take = sink.take.withLock({ $0 }) { take(growth) }
    }
    let result: Result<FinishedCapture, Capture.Failure>
    do throws(Capture.Failure) {
      result = .success(
        try Capture.sample(
          process, plan: plan, origin: .running, membership: .alone, control: control,
          names: names, recording: recording))
    } catch {
      result = .failure(error)
    }
    let box = Outcome(result)
    outcome.withLock { $0 = box }
  }

  /// Hands all that it has, and what comes, to `take`.
  func record(_ take: @escaping @Sendable (ProfileGrowth) -> Void) {
    sink.take.withLock { $0 = take }
    control.isRecorded = true
  }

  /// Ends it; nobody wants what it has.
  func drop() {
    control.isQuiet = true
    control.stop()
    handle.take()?.detach()
  }

  /// Whether it has ended by itself, and why it could not be made where that is so.
  var end: Result<FinishedCapture, Capture.Failure>? { outcome.withLock { $0 }?.result }

  /// Ends it, and gives what it has.
  @available(*, noasync, message: "blocks until the capture has ended")
  func finish() -> Result<FinishedCapture, Capture.Failure> {
    control.stop()
    handle.take()?.join()
    return end ?? .failure(.access(.hasEnded))
  }
}

/// The captures that hold the last seconds of a program: each begins anew before the one before it is
/// dropped, so that memory does not grow.
struct QuietHistory {
  private let process: ProcessIdentity
  private let plan: SamplingPlan
  /// How much of the past is wanted.
  private let length: Nanoseconds
  private var captures: [QuietCapture] = []

  /// To begin one costs as much as some hundred ticks.
  private static let shortestLife = Nanoseconds.seconds(300)

  init(_ process: ProcessIdentity, plan: SamplingPlan, length: Nanoseconds) {
    self.process = process
    self.plan = plan
    self.length = length
  }

  /// Begins a capture when it is time, and drops those that another makes up for.
  mutating func turn(at now: MonotonicClock.Instant) throws(Capture.Failure) {
    if let failed = captures.firstIndex(where: { $0.end != nil }) {
      let capture = captures.remove(at: failed)
      if case .failure(let failure) = capture.finish() { throw failure }
    }
    let life = max(Self.shortestLife, length * 4)
    if captures.last.map({ now - $0.began >= life }) ?? true {
      do {
        captures.append(try QuietCapture(process, plan: plan))
      } catch {
        throw .system(error)
      }
    }
    while captures.count > 1, now - captures[1].began >= length + .seconds(1) {
      captures.removeFirst().drop()
    }
  }

  /// Takes out the capture with the longest past; nil where there is none.
  mutating func takeOldest() -> QuietCapture? {
    captures.isEmpty ? nil : captures.removeFirst()
  }

  /// Puts back a capture that was taken out in vain.
  mutating func putBack(_ capture: QuietCapture) {
    capture.control.isQuiet = true
    captures.insert(capture, at: 0)
  }

  /// Ends all.
  mutating func dropAll() {
    for capture in captures { capture.drop() }
    captures = []
  }
}
