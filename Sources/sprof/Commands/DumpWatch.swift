import ArgumentParser
import FoundationEssentials
import Glibc
import LinuxProcess
import ProfileAnalysis
import ProfileExport
import ProfileModel
import Sampling

/// The interval of `dump --watch`.
struct WatchInterval: ExpressibleByArgument, CustomStringConvertible {
  static let standard = WatchInterval(length: .seconds(2), description: "2s")

  let length: Nanoseconds
  let description: String

  private init(length: Nanoseconds, description: String) {
    self.length = length
    self.description = description
  }

  init?(argument: String) {
    guard let time = try? TimeArgument(argument) else { return nil }
    self.init(length: time.length, description: argument)
  }
}

/// Samples a program repeatedly and prints what changed.
struct DumpWatch {
  private let process: ProcessIdentity
  private let family: FamilyArguments
  private let interval: Nanoseconds
  private let options: SampleOptions
  private let report: ReportArguments
  private let all: Bool

  init(
    _ process: ProcessIdentity, _ family: FamilyArguments, interval: Nanoseconds,
    options: SampleOptions, _ report: ReportArguments, all: Bool
  ) {
    self.process = process
    self.family = family
    self.interval = interval
    self.options = options
    // A pager would hold up the next sample.
    var report = report
    report.pager = false
    self.report = report
    self.all = all
  }

  /// Runs until Ctrl-C, SIGTERM, or the end of the program.
  func run() throws {
    // Taken between two samples, so that nothing has to be safe in a signal handler.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    var last: Profile?
    repeat {
      guard let profile = try sample(isFirst: last == nil) else { return try writeEnd() }
      try show(profile, after: last)
      last = profile
    } while !isInterrupted(within: interval, signals)
  }

  /// One sample; nil when the program, which existed before, has ended.
  private func sample(isFirst: Bool) throws -> Profile? {
    do {
      return try family.dump(process, options: options).named().limitingBlockings()
    } catch Capture.Failure.access(let problem) where !isFirst {
      switch problem {
      case .noSuchProcess, .hasEnded: return nil
      default: throw Capture.Failure.access(problem)
      }
    }
  }

  private func show(_ profile: Profile, after last: Profile?) throws {
    guard !report.json, let last else {
      if last == nil && !report.json { try write("\(Self.stamp(profile))  first sample\n\n") }
      return try ReportedPart(of: profile, report).show { try $0.showDump(all: all) }
    }
    let changes = DumpChanges(
      from: report.shownAsText(last), to: report.shownAsText(profile), options: report.options())
    try Terminal.write { changes.write(to: &$0, stamp: Self.stamp(profile)) }
  }

  private func writeEnd() throws {
    guard !report.json else { return }
    let stamp = Self.stamp(Date().timeIntervalSince1970)
    try write("\(stamp)  the program has ended\n")
  }

  private func write(_ text: String) throws { try Terminal.write { $0.write(text) } }

  /// Waits; true when SIGINT or SIGTERM arrived meanwhile.
  private func isInterrupted(within interval: Nanoseconds, _ signals: sigset_t) -> Bool {
    var signals = signals
    let end = ContinuousClock.now + .nanoseconds(interval.rawValue)
    while true {
      let left = max(.zero, end - .now).components
      var time = timespec(
        tv_sec: Int(left.seconds), tv_nsec: Int(left.attoseconds / 1_000_000_000))
      if sigtimedwait(&signals, nil, &time) > 0 { return true }
      // Interrupted by another signal, which may have come too early.
      if errno != EINTR { return false }
    }
  }

  private static func stamp(_ profile: Profile) -> String { stamp(profile.capture.startTime) }

  /// The local time of day, to the tenth of a second.
  static func stamp(_ seconds: Double) -> String {
    var whole = time_t(seconds)
    var parts = tm()
    localtime_r(&whole, &parts)
    let tenths = Int((seconds - seconds.rounded(.down)) * 10)
    let fields = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return fields.joined(separator: ":") + ".\(tenths)"
  }
}
