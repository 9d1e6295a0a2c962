internal import ProfileModel

extension VerdictMaker {
  /// A verdict on a program that froze, or uses the CPU; nil for one that does neither.
  var slowdown: Verdict? {
    let busy = busy
    guard let froze else { return busy }
    guard let busy, busy.thread == froze.thread else { return froze }
    switch busy.kind {
    // What it does all the time says more than when it did.
    case .busyLoop, .starved: return busy
    default: return isBusy(busy, besides: froze) ? froze.withPlaces(of: busy) : froze
    }
  }

  /// Whether a thread that froze also had much to do when it did not.
  private func isBusy(_ busy: Verdict, besides froze: Verdict) -> Bool {
    guard let shares = busy.shares, let lasted = busy.lasted, let frozen = froze.lasted else {
      return false
    }
    let awake = (shares.running + shares.waiting) / 100 * Double(lasted)
    return awake - Double(frozen) >= Double(lasted) / 2
  }

  /// A verdict on the main thread when it froze now and then, else on the thread that did so for longest.
  private var froze: Verdict? {
    let frozen = diagnosis.freezes.threads.filter { responses in
      !responses.freezes.isEmpty && !responses.isOneFreeze
        && diagnosis.subjects?.contains(responses.thread) ?? true
    }
    let subject = frozen.first { index.profile.isMainThread($0.thread) } ?? frozen.first
    guard let subject else { return nil }
    var verdict = Verdict(kind: .froze)
    verdict.thread = subject.thread
    verdict.lasted = subject.frozen
    verdict.samples = Int(clamping: subject.freezes.reduce(Int64(0)) { $0 &+ $1.samples })
    verdict.shares = TimeShares(index, thread: subject.thread)
    return verdict
  }
}

extension ThreadResponses {
  /// Whether it was frozen from beginning to end: that is a hang, or a long computation.
  fileprivate var isOneFreeze: Bool {
    freezes.count == 1 && freezes[0].beganBefore && freezes[0].goesOn
  }
}

extension Verdict {
  /// The verdict with where the thread was on a CPU in all of its time.
  fileprivate func withPlaces(of busy: Verdict) -> Verdict {
    var verdict = self
    verdict.place = busy.place
    verdict.placeShare = busy.placeShare
    verdict.placeShareError = busy.placeShareError
    verdict.within = busy.within
    verdict.withinShare = busy.withinShare
    verdict.cpuSamples = busy.cpuSamples
    return verdict
  }
}
