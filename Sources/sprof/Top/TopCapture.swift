import CaptureFile
import Glibc
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling
import Synchronization

/// The capture behind a live view: begins it, begins it anew at another rate, and keeps parts of it in
/// files.
final class TopCapture: Sendable {
  /// How much of the past can be written.
  static let history = Int64(300_000_000_000)
  private static let rates = 1.0...2000.0

  private struct State: Sendable {
    var session: LiveSession?
    var plan: SamplingPlan
    var isBusy = false
    var message: String?
  }

  let store: TopStore
  private let process: ProcessIdentity?
  private let state: Mutex<State>

  /// A capture of a running program; `ready` is called when the clock is about to start.
  init(
    _ process: ProcessIdentity, plan: SamplingPlan, _ request: LivePicture.Request,
    ready: (@Sendable () -> Void)? = nil
  ) throws {
    self.process = process
    let store = TopStore(
      LiveProfile(Self.info(process, plan), history: Self.history), request)
    self.store = store
    state = Mutex(State(plan: plan))
    let session = try LiveSession(process, plan: plan, ready: ready) { store.receive($0) }
    state.withLock { $0.session = session }
  }

  /// A capture that was made before.
  init(replaying profile: Profile, _ request: LivePicture.Request) {
    process = nil
    store = TopStore(LiveProfile(profile), request)
    state = Mutex(State(plan: SamplingPlan(rate: max(1, profile.capture.rate))))
    store.remake()
  }

  private static func info(_ process: ProcessIdentity, _ plan: SamplingPlan) -> CaptureInfo {
    CaptureInfo(
      kind: .attach, pid: process.pid,
      processName: ProcessSearch.processName(process.pid) ?? "\(process.pid)",
      startTime: Host.wallClock(), rate: plan.rate)
  }

  var isReplay: Bool { process == nil }

  /// Whether nothing comes any more, and why; a failure is thrown.
  func end() throws -> String? {
    let (session, isBusy) = state.withLock { ($0.session, $0.isBusy) }
    guard !isBusy, let end = session?.end else { return nil }
    switch end {
    case .success(.targetEnded): return "the program has ended"
    case .success: return "sampling has ended"
    case .failure(.access(.noSuchProcess)), .failure(.access(.hasEnded)):
      return "the program has ended"
    case .failure(let failure): throw failure
    }
  }

  /// Takes words about what a key has done, once.
  func takeMessage() -> String? { state.withLock { $0.message.take() } }

  /// Ends sampling, and waits until what is being written is whole; nothing is held any more then.
  func stop() {
    state.withLock { $0.session }?.stop()
    let deadline = MonotonicClock.now() + .seconds(10)
    while state.withLock({ $0.isBusy }), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(for: .milliseconds(20))
    }
    // One that was begun meanwhile, at another rate.
    state.withLock { $0.session }?.stop()
  }

  // MARK: - Orders

  /// Samples `factor` times as often from now on: figures start again.
  func changeRate(by factor: Double) {
    guard let process else { return say("The rate of a capture cannot be changed.") }
    work("") { [self] in
      let (session, old) = state.withLock { ($0.session, $0.plan) }
      var plan = old
      plan.kind = .attach
      plan.rate = min(max(old.rate * factor, Self.rates.lowerBound), Self.rates.upperBound)
      guard plan.rate != old.rate, session?.end == nil else { return "\(plan.rate) Hz" }
      session?.stop()
      store.begin(Self.info(process, plan), history: Self.history)
      let next = plan
      let store = store
      let begun = try LiveSession(process, plan: next) { store.receive($0) }
      state.withLock { state in
        state.session = begun
        state.plan = next
      }
      return "\(Int(next.rate)) samples a second; figures start again"
    }
  }

  /// Writes a dump of all threads to a file beside the user.
  func writeDump() {
    guard let session = state.withLock({ $0.session }) else {
      return say("A finished capture cannot be dumped.")
    }
    work("Sampling all threads …") { [self] in
      let profile = try session.dump()
      let path = fileName(profile.capture, "dump.txt")
      var options = ReportOptions(views: [.all], top: 1000)
      options.showsVerdict = true
      try OutputFile(path: path, option: "d", replaceable: .nothing).write {
        DumpReport(profile, options: options).write(to: &$0)
      }
      return "Wrote \(path)"
    }
  }

  /// Writes the last minutes as a capture to a file beside the user.
  func writeCapture() {
    work("Writing …") { [self] in
      let profile = store.recent()
      let path = fileName(profile.capture, "pb.gz")
      do throws(CaptureFileError) {
        try CaptureWriter(path: path, replacing: false).finish(profile.limitingBlockings())
      } catch {
        throw Diagnostic.cannotCreate(error)
      }
      let length = Double(profile.capture.duration) / 1e9
      return "Wrote the last \(Int(length.rounded())) s: sprof report \(path)"
    }
  }

  private func say(_ message: String) { state.withLock { $0.message = message } }

  /// Does something on a thread of its own, one at a time; its words are the message then.
  private func work(_ beginning: String, _ body: @escaping @Sendable () throws -> String) {
    let isFree = state.withLock { state in
      defer { state.isBusy = true }
      return !state.isBusy
    }
    guard isFree else { return say("Still busy.") }
    if !beginning.isEmpty { say(beginning) }
    let thread = try? OSThread.start { [self] in
      let words: String
      do {
        words = try body()
      } catch {
        words = Diagnostic.words(for: error, command: "top", pid: process?.pid ?? 0)
      }
      state.withLock { state in
        state.message = words
        state.isBusy = false
      }
    }
    guard let thread else { return state.withLock { $0.isBusy = false } }
    thread.detach()
  }

  /// `NAME-PID-TIME.ENDING`, with nothing in it that a path could be made of.
  private func fileName(_ capture: CaptureInfo, _ ending: String) -> String {
    let name = capture.processName.unicodeScalars.map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        ? Character(scalar) : "_"
    }
    var now = time(nil)
    var fields = tm()
    localtime_r(&now, &fields)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y%m%d-%H%M%S", &fields)
    let time = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(String(name))-\(capture.pid)-\(time).\(ending)"
  }
}
