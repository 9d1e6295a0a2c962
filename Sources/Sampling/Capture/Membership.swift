internal import LinuxProcess

/// Whether a process is captured by itself, or as one that another has started.
enum Membership: Sendable {
  case alone
  /// There may be hundreds of captures at once, which go on when this one ends.
  case ofFamily

  /// Whether the capture goes on, with others, when this process has ended.
  var goesOn: Bool { self == .ofFamily }

  /// Whether the capture may take CPU time to be exact.
  var mayTakeCPU: Bool { self == .alone }

  /// Whether frames get their names as soon as they are known; of many processes all get them at the end.
  var namesEarly: Bool { self == .alone }

  /// The seed of a process's own ticks: those of many processes fall at times of their own.
  func seed(_ seed: UInt32?, of pid: Int32) -> UInt64? {
    switch self {
    case .alone: seed.map { UInt64($0) }
    case .ofFamily: seed.map { UInt64($0) << 32 | UInt64(UInt32(bitPattern: pid)) }
    }
  }

  /// A ring that fits the number of captures: of many each has few samples at a time.
  func makeRing() -> SampleRing {
    switch self {
    case .alone: SampleRing(byteCapacity: 64 << 20)
    case .ofFamily: SampleRing(byteCapacity: 16 << 20, recordCapacity: 1 << 11)
    }
  }
}

/// Where the program of a capture comes from.
enum ProgramOrigin: Sendable {
  /// It was there before.
  case running
  /// It was started for the capture, and is held until the capture is ready.
  case held
  /// It was born during the capture.
  case born(at: MonotonicClock.Instant)

  init(_ kind: SamplingPlan.Kind) {
    self =
      switch kind {
      case .attach: .running
      case .run: .held
      }
  }

  var isBorn: Bool { if case .born = self { true } else { false } }

  /// Whether it loads its libraries during the capture.
  var isNew: Bool { if case .running = self { false } else { true } }
}
