import LinuxProcess
import ProfileModel
import Sampling
import TestSupport
import Testing

/// All tests that watch live threads, one after the other.
@Suite(.serialized) enum Waits {}

/// What one sample of a program found its threads to wait for.
struct Waiters {
  let profile: Profile

  init(dumping pid: Int32) throws {
    profile = try Capture.dump(ProcessIdentity(of: pid)).named()
  }

  init(attaching pid: Int32, for duration: Nanoseconds) throws {
    let plan = SamplingPlan(rate: 100, duration: duration)
    let process = try ProcessIdentity(of: pid)
    profile = try Capture.record(process, plan: plan, control: CaptureControl()).named()
  }

  /// The blocking of the thread of that name.
  func callAsFunction(
    _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Blocking {
    try #require(
      profile.blockings.first { $0.waiter.name == name }, "no thread \(name) waits",
      sourceLocation: sourceLocation)
  }

  func wait(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Wait {
    try self(name, sourceLocation: sourceLocation).wait
  }

  /// The thread of that name as an owner.
  func owner(_ name: String) throws -> WaitOwner {
    .thread(tid: try self(name).waiter.tid)
  }

  /// Owners that are claimed of threads which are not in `expected`.
  func claims(besides expected: Set<String>) -> [String] {
    profile.blockings.filter { !$0.wait.owners.isEmpty && !expected.contains($0.waiter.name) }
      .map { "\($0.waiter.name): \($0.wait)" }
  }

  /// A line for each thread, for the words of a failure.
  var summary: String {
    profile.blockings.map { blocking in
      let wait = blocking.wait
      return "\(blocking.waiter.name) \(wait.kind) \(wait.systemCall ?? "-") owners \(wait.owners) "
        + "object \(wait.object.map { "\($0)" } ?? "-") descriptors \(wait.descriptors) "
        + "left \(wait.timeLeft ?? -1) since \(blocking.since ?? 1) looks \(blocking.samples)"
    }.joined(separator: "\n")
  }
}
