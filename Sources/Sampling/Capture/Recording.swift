internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// Takes what a capture under way has seen, as it goes.
protocol GrowthReceiver: AnyObject, Sendable {
  func start() throws(SystemError)

  /// Works off what was handed over, and ends.
  func finish()

  /// Whether it is time for more, and the last was worked off.
  func isDue(at time: Nanoseconds) -> Bool

  /// Takes over what is new, and the files that its frames are in.
  func take(_ growth: ProfileGrowth, files: [ModuleID: MappedFile])

  /// Whether the capture's end is to be handed over, too: because others go on.
  var wantsEnd: Bool { get }

  /// Where the tracer puts what it finds of waits; nil where what threads wait for is not wanted yet.
  var feed: WaitFeed? { get }

  /// Takes what the threads wait for whose runs it has just taken.
  func take(_ sleeps: UnnamedSleeps)
}

extension GrowthReceiver {
  var feed: WaitFeed? { nil }
  func take(_ sleeps: UnnamedSleeps) {}
}

/// Hands what a capture under way has seen to its recorder, with names, on a thread of its own:
/// neither reading debug data nor a slow disk holds up the resolver.
final class Recording: GrowthReceiver, @unchecked Sendable {
  // Sendable: `names` is used by the recording thread alone until `finish` has joined it.
  private struct Work {
    let growth: ProfileGrowth
    let files: [ModuleID: MappedFile]
  }

  /// Twice a second, so that also with the time it takes no more than a second is ever missing.
  static let period = Nanoseconds.milliseconds(500)
  let wantsEnd = false

  private let names: FrameNames
  private let recorder: @Sendable (ProfileGrowth) -> Void
  private let waiting = Mutex<Work?>(nil)
  private let isFinished = Atomic<Bool>(false)
  private let waker = Waker()
  /// The session's, as are `start` and `finish`.
  private var handle: OSThread.Handle?
  /// The resolver's: up to when it has handed over.
  private var lastTime: Nanoseconds = 0

  init(names: FrameNames, recorder: @escaping @Sendable (ProfileGrowth) -> Void) {
    self.names = names
    self.recorder = recorder
  }

  func start() throws(SystemError) {
    handle = try OSThread.start { [self] in run() }
  }

  func finish() {
    isFinished.store(true, ordering: .releasing)
    waker.wake()
    handle.take()?.join()
  }

  func isDue(at time: Nanoseconds) -> Bool {
    time - lastTime >= Self.period && waiting.withLock { $0 == nil }
  }

  func take(_ growth: ProfileGrowth, files: [ModuleID: MappedFile]) {
    if let capture = growth.capture { lastTime = Nanoseconds(capture.duration) }
    waiting.withLock { $0 = Work(growth: growth, files: files) }
    waker.wake()
  }

  private func run() {
    while true {
      let isLast = isFinished.load(ordering: .acquiring)
      if let work = waiting.withLock({ $0 }) {
        var growth = work.growth
        growth.symbols = names.exclusively {
          names.add(work.files)
          return names.resolve(growth.frames.map(\.frame))
        }
        recorder(growth)
        waiting.withLock { $0 = nil }
      } else if isLast {
        return
      } else {
        waker.wait(until: .distantFuture)
      }
    }
  }
}
