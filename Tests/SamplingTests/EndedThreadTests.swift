import Foundation
import LinuxProcess
import ProfileModel
import Sampling
import Synchronization
import TestSupport
import Testing

/// Traces a thread from a thread of its own, and leaves the thread's end uncollected until told.
private final class SlowTracer: Sendable {
  private let isTracing = Atomic<Bool>(false)
  private let shouldCollect = Atomic<Bool>(false)
  private let hasCollected = Atomic<Bool>(false)

  init(of tid: Int32) throws {
    try OSThread.start { [self] in
      let stops = StoppedThreads()
      _ = stops.seize(tid, tag: 0, mayRestartCall: true)
      isTracing.store(true, ordering: .releasing)
      while !shouldCollect.load(ordering: .acquiring) {
        MonotonicClock.sleep(for: .milliseconds(1))
      }
      stops.interruptAll().forEachStopped { _ in }
      hasCollected.store(true, ordering: .releasing)
    }.detach()
    try waitUntil("the thread is traced") {
      isTracing.load(ordering: .acquiring) && ThreadStatus.tracer(of: tid) != 0
    }
  }

  /// Collects the thread, which has ended.
  func collect() throws {
    shouldCollect.store(true, ordering: .releasing)
    try waitUntil("the thread is collected") { hasCollected.load(ordering: .acquiring) }
  }
}

private enum ThreadStatus {
  /// The tracer of a thread; 0 without one.
  static func tracer(of tid: Int32) -> Int32 { ProcessStatus(pid: tid, tid: tid)?.tracer ?? 0 }

  /// How many files of the thread this process has open.
  static func openFiles(of tid: Int32, in pid: Int32) -> Int {
    let folder = "/proc/self/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.count { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      return target?.hasPrefix("/proc/\(pid)/task/\(tid)/") ?? false
    }
  }
}

/// A capture under way, whose profile is there when it has ended.
private final class BackgroundCapture: Sendable {
  let control = CaptureControl()
  private let outcome = Mutex<Result<Profile, any Error>?>(nil)

  init(of pid: Int32) throws {
    let process = try ProcessIdentity(of: pid)
    try OSThread.start { [self] in
      let result = Result {
        try Capture.record(process, plan: SamplingPlan(rate: 200), control: control).named()
      }
      outcome.withLock { $0 = result }
    }.detach()
  }

  func awaitTicks(_ count: Int64) throws {
    let first = control.progress.ticks
    try waitUntil("\(count) ticks more") { control.progress.ticks >= first + count }
  }

  func finish() throws -> Profile {
    control.stop()
    try waitUntil("the capture ended") { outcome.withLock { $0 != nil } }
    return try #require(outcome.withLock { $0 }).get()
  }
}

@Suite(.serialized) struct `A thread that has ended` {
  /// The kernel keeps its entry, in state Z, until its tracer has collected it.
  @Test func `is given up while its tracer leaves it a zombie, and shown once`() throws {
    let program = try RunningProgram(fixture: "oneends.c")
    let ending = try #require(
      ProcessStatus.threads(of: program.pid).first {
        ProcessStatus(pid: program.pid, tid: $0)?.name == "ends"
      })
    let tracer = try SlowTracer(of: ending)
    let capture = try BackgroundCapture(of: program.pid)
    try capture.awaitTicks(10)
    #expect(ThreadStatus.openFiles(of: ending, in: program.pid) > 0)

    try program.send(line: "end")
    try waitUntil("the thread is a zombie") {
      ProcessStatus(pid: program.pid, tid: ending)?.state == "Z"
    }
    try capture.awaitTicks(100)
    #expect(ThreadStatus.openFiles(of: ending, in: program.pid) == 0)

    try tracer.collect()
    try capture.awaitTicks(100)
    #expect(ThreadStatus.openFiles(of: ending, in: program.pid) == 0)
    let profile = try capture.finish()
    #expect(profile.capture.ending == .interrupted)
    #expect(
      profile.threads.map(\.tid).sorted()
        == (ProcessStatus.threads(of: program.pid) + [ending]).sorted())
    #expect(profile.threads.filter(\.hasEnded).map(\.tid) == [ending])
    try program.assertUntouched()
  }

  /// How a thread that was asked to stop is found to have ended.
  enum Round: CaseIterable { case each, together, late }

  /// Its counters are needed to the last.
  @Test(arguments: Round.allCases)
  func `has its files until it was told of, and is collected then`(_ round: Round) throws {
    let program = try RunningProgram(fixture: "oneends.c")
    let ending = try #require(
      ProcessStatus.threads(of: program.pid).first {
        ProcessStatus(pid: program.pid, tid: $0)?.name == "ends"
      })
    let stops = StoppedThreads(process: program.pid)
    #expect(stops.seize(ending, tag: 7, mayRestartCall: true) == .requested)
    // Given up, it is a late one.
    if round == .late { _ = stops.interruptAll() }
    try program.send(line: "end")
    if round == .late { Glibc.kill(program.pid, SIGKILL) }
    try waitUntil("the thread is a zombie") {
      ProcessStatus(pid: program.pid, tid: ending)?.state == "Z"
    }
    var states: [Character?] = []
    func ended(_ stop: StoppedThreads.Stop) {
      #expect(stop.tid == ending && stop.tag == 7)
      states.append(ProcessStatus(pid: program.pid, tid: ending)?.state)
    }
    switch round {
    case .each: stops.interruptAll().forEachStopped({ _ in }, ended: ended)
    case .together: stops.interruptAll().forAllStoppedTogether({ _ in }, ended: ended)
    case .late: stops.releaseOverdue(ended: ended)
    }
    #expect(states == ["Z"])
    #expect(stops.isEmpty && ProcessStatus(pid: program.pid, tid: ending) == nil)
    if round != .late { try program.assertUntouched() }
  }

  /// A thread that executes a program takes over the number of the main thread.
  @Test func `is sampled anew when another takes over its number`() throws {
    let program = try RunningProgram(fixture: "leaderexit.c")
    let before = Set(ProcessStatus.threads(of: program.pid))
    let capture = try BackgroundCapture(of: program.pid)
    try capture.awaitTicks(20)
    try program.send(line: "exec")
    while try program.readLine() != "ready" {}
    try capture.awaitTicks(20)
    let after = Set(ProcessStatus.threads(of: program.pid))
    let profile = try capture.finish()
    #expect(profile.capture.ending == .interrupted)
    #expect(Set(profile.threads.map(\.tid)) == before.union(after))
    let ended = Set(profile.threads.filter(\.hasEnded).map(\.tid))
    #expect(
      ended.isSuperset(of: before.subtracting(after)),
      "\(before) \(after) \(profile.threads.map { ($0.tid, $0.hasEnded, $0.firstSeen, $0.lastSeen) })"
    )
    #expect(ended.isDisjoint(with: after.subtracting(before)))
    try program.assertUntouched(progress: "iterations")
  }
}
