internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel

/// Builds captures at 100 Hz of a main thread with an event loop, run after run.
struct FreezeMaker {
  static let rest = "epoll_wait aeApiPoll aeProcessEvents aeMain main"
  static let millisecond: Int64 = 1_000_000

  var maker: WaitMaker
  private(set) var time: Int64 = 0
  private let thread: Int

  init(kind: CaptureInfo.Kind = .attach) {
    maker = WaitMaker(kind: kind)
    maker.maker.profile.capture.knowsUnseenSleeps = true
    thread = maker.maker.thread(4242, "server", isMain: true, lastSeen: 0)
  }

  /// The thread's next run, in a stack of functions innermost first.
  mutating func run(
    _ functions: String, _ activity: Activity = .running, milliseconds: Int64,
    slept: UnseenSleeps = []
  ) {
    let end = time + milliseconds * Self.millisecond
    maker.run(
      thread, functions.split(separator: " ").map(String.init), activity, from: time, to: end)
    maker.maker.profile.runs[maker.maker.profile.runs.count - 1].unseenSleeps = slept
    time = end
    maker.maker.profile.threads[thread].lastSeen = end
    maker.maker.profile.capture.duration = end
  }

  /// A rest of the thread in the loop of redis.
  mutating func rest(milliseconds: Int64, slept: UnseenSleeps = []) {
    run(Self.rest, .asleep(in: "epoll_wait"), milliseconds: milliseconds, slept: slept)
  }

  func diagnosis(_ rule: FreezeRule = FreezeRule()) -> Diagnosis {
    Diagnosis(maker.maker.profile, freezes: rule)
  }

  var freezes: [Freeze] { diagnosis().freezes.freezes }

  /// The report's first line.
  func words() -> String {
    var text = ""
    TextReport(maker.maker.profile, options: ReportOptions(width: 10_000)).write(to: &text)
    return String(text.prefix { $0 != "\n" })
  }

  func view() -> String {
    var text = ""
    TextReport(maker.maker.profile, options: ReportOptions(views: [.freezes], width: 200))
      .write(to: &text)
    return text
  }
}

extension String {
  /// The stack's functions without those of the call that it rests in.
  var withoutCall: String {
    split(separator: " ").dropFirst(2).joined(separator: " ")
  }
}
