import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling
import Synchronization

/// What a live view knows: takes what is sampled, on a thread of the capture, and makes pictures of it.
///
/// Drawing never waits for it: a picture is made aside, and taken as it is when it is ready.
final class TopStore: Sendable {
  /// How often a picture is made, at most.
  private static let period = Nanoseconds.milliseconds(450)
  /// A picture may take this part of the time: 1 % of a core, so that all that is not sampling stays below
  /// 3 %.
  private static let pictureShare: Int64 = 100
  /// The same of the verdict on the last minutes, which says how old it is.
  private static let longShare: Int64 = 1000
  private static let longPeriod = Nanoseconds.milliseconds(900)

  private struct Collected: Sendable {
    var live: LiveProfile
    var nextPicture = MonotonicClock.Instant.distantPast
    var nextLong = MonotonicClock.Instant.distantPast
    var long: LivePicture.LongVerdict?
  }

  private struct Shown: Sendable {
    var picture: LivePicture
    var request: LivePicture.Request
    /// Counts the pictures.
    var number = 0
    var wantsReset = false
    /// Whether a picture was asked for that is not begun yet.
    var isAsked = false
  }

  private let collected: Mutex<Collected>
  private let shown: Mutex<Shown>

  init(_ live: LiveProfile, _ request: LivePicture.Request) {
    collected = Mutex(Collected(live: live))
    var picture = LivePicture(live.capture)
    picture.thread = request.thread
    shown = Mutex(Shown(picture: picture, request: request))
  }

  /// The last picture, and which it is.
  var picture: (picture: LivePicture, number: Int) { shown.withLock { ($0.picture, $0.number) } }

  /// Whether anything was sampled.
  var isBegun: Bool { collected.withLock { $0.live.duration > 0 } }

  /// Takes what was sampled; the capture's thread.
  func receive(_ growth: LiveGrowth) {
    let wantsReset = shown.withLock { shown in
      defer { shown.wantsReset = false }
      return shown.wantsReset
    }
    collected.withLock { collected in
      collected.live.add(growth.growth)
      collected.live.set(blockings: growth.blockings)
      for span in growth.waits {
        collected.live.add(span.wait, of: span.tid, from: span.start, to: span.end)
      }
      if wantsReset { collected.live.resetSums() }
      makePicture(&collected, isDue: MonotonicClock.now() >= collected.nextPicture)
    }
  }

  /// What the next pictures are to show; the first is made at once, on a thread of its own.
  func ask(_ request: LivePicture.Request) {
    let isWaiting = shown.withLock { shown in
      defer { shown.isAsked = true }
      shown.request = request
      return shown.isAsked
    }
    guard !isWaiting else { return }
    let thread = try? OSThread.start { [self] in
      collected.withLock { collected in
        shown.withLock { $0.isAsked = false }
        makePicture(&collected, isDue: true)
      }
    }
    guard let thread else { return shown.withLock { $0.isAsked = false } }
    thread.detach()
  }

  /// Lets the sums count from the next turn on.
  func reset() { shown.withLock { $0.wantsReset = true } }

  /// Makes a picture now: where nothing comes any more.
  func remake() {
    collected.withLock { collected in
      if shown.withLock({ $0.wantsReset }) { collected.live.resetSums() }
      shown.withLock { $0.wantsReset = false }
      collected.nextLong = .distantPast
      makePicture(&collected, isDue: true)
    }
  }

  /// Begins anew with another capture of the same program.
  func begin(_ capture: CaptureInfo, history: Int64) {
    collected.withLock { $0 = Collected(live: LiveProfile(capture, history: history)) }
  }

  /// The last minutes as a capture.
  func recent() -> Profile {
    var profile = collected.withLock { $0.live.last($0.live.kept) }
    profile.capture.ending = .interrupted
    profile.capture.cost.wholeDuration = nil
    return profile
  }

  private func makePicture(_ collected: inout Collected, isDue: Bool) {
    guard isDue else { return }
    let request = shown.withLock { $0.request }
    let start = MonotonicClock.now()
    let before = OwnUsage.threadCPU()
    var picture = LivePicture(collected.live, request)
    let cost = OwnUsage.threadCPU() - before
    collected.nextPicture = start + max(Self.period, cost * Self.pictureShare)
    // That of other threads is none of those that were asked for since.
    if collected.long?.thread != request.thread { collected.long = nil }
    let isLongDue = start >= collected.nextLong || collected.long == nil
    if isLongDue, collected.live.kept > 0 {
      let before = OwnUsage.threadCPU()
      collected.long = LivePicture.LongVerdict(collected.live, request)
      let cost = OwnUsage.threadCPU() - before
      collected.nextLong = start + max(Self.longPeriod, cost * Self.longShare)
    }
    picture.longVerdict = collected.long
    shown.withLock { shown in
      shown.number += 1
      picture.number = shown.number
      shown.picture = picture
    }
  }
}
