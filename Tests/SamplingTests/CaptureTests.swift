import CLinux
import Glibc
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import Sampling

@Suite(.serialized) struct `A capture` {
  private func record(_ pid: Int32, _ plan: SamplingPlan) throws -> Profile {
    try Capture.record(
      ProcessIdentity(of: pid), plan: plan, control: CaptureControl()
    ).named()
  }

  private func functions(of thread: ThreadInfo, in profile: Profile) throws -> [String] {
    let index = try #require(profile.threads.firstIndex { $0.tid == thread.tid })
    let run = try #require(
      profile.runs.filter { $0.thread == index }.max { $0.weight.ticks < $1.weight.ticks })
    return profile.stacks.frames(of: run.stack)
      .flatMap { profile.symbols[Int($0.rawValue)].lines.map(\.function) }
  }

  @Test(arguments: [false, true])
  func `accounts for every tick of every thread`(withoutSchedstat: Bool) throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
    let plan = SamplingPlan(
      rate: 100, duration: .seconds(1),
      options: SampleOptions(ignoresSchedulerStatistics: withoutSchedstat))
    let profile = try record(program.pid, plan)
    let cost = profile.capture.cost
    #expect(cost.ticksPlanned == 100)
    #expect(profile.threads.count == 6)
    for (index, thread) in profile.threads.enumerated() {
      let runs = profile.runs.filter { $0.thread == index }
      let ticks = runs.reduce(0) { $0 + $1.weight.ticks }
      #expect(ticks <= cost.ticksPlanned && ticks >= cost.ticksPlanned - 2, "\(thread)")
      let spins = thread.name == "spinner-0"
      #expect(spins == (thread.cpu > 5_000_000), "\(thread)")
      // A sleeping thread is one run, however long it is watched.
      if !spins { #expect(runs.count <= 2, "\(runs)") }
    }
    #expect(cost.samplesWithoutStop >= 5 * (cost.ticksTaken - 1))
    #expect(cost.stops > 0 && cost.stops <= cost.ticksTaken)
    #expect(profile.capture.notes.isEmpty != withoutSchedstat)
    try program.assertUntouched(progress: "iterations")
  }

  /// A stop finds it awake, or in the next sleep.
  ///
  /// On sprof's own CPU the sleeper cannot run when it wakes up until sprof has looked.
  @Test(
    .enabled(if: sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1, "needs two CPUs"),
    arguments: [0, 1] as [Int32])
  func `finds a thread asleep in sleeps too short for a copy of its stack`(cpu: Int32) throws {
    let program = try RunningProgram(fixture: "shortsleeps.c")
    for tid in ProcessStatus.threads(of: program.pid) { #expect(sprof_go_to_cpu(tid, cpu) == 0) }
    // The threads that sample are begun by this one, and run where it may.
    #expect(sprof_go_to_cpu(sprof_gettid(), 1) == 0)
    defer { sprof_leave_cpu(sprof_gettid()) }
    let profile = try record(program.pid, SamplingPlan(rate: 200, duration: .seconds(2)))
    let thread = try #require(profile.threads.firstIndex { $0.name == "sleeper" })
    let info = profile.threads[thread]
    let span = info.lastSeen - info.firstSeen
    let asleep = profile.runs.reduce(0) {
      $0 + ($1.thread == thread && $1.activity.wait != nil ? $1.weight.wall : 0)
    }
    let truth = 100 - Double(info.cpu + info.delay) / Double(span) * 100
    #expect(Double(asleep) / Double(span) * 100 > truth - 14, "of \(truth) %")
    try program.assertUntouched()
  }

  @Test func `that stops all holds every thread at each tick, sleeping ones too`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["4", "1"])
    let plan = SamplingPlan(
      rate: 50, duration: .milliseconds(500), options: SampleOptions(stopAll: true))
    let profile = try record(program.pid, plan)
    let cost = profile.capture.cost
    #expect(cost.stops >= 5 * (cost.ticksTaken - 1))
    for thread in profile.threads {
      let functions = try functions(of: thread, in: profile)
      #expect(functions.contains(thread.isMain ? "main" : "start_thread") || functions.count > 2)
    }
    try program.assertUntouched(progress: "iterations")
  }

  @Test func `fetches registers by one stop, and none again while the thread sleeps on`() throws {
    // Without optimisation every caller is found through the frame pointer.
    let program = try RunningProgram(fixture: "sleepers.c", ["4", "0"], flags: ["-O0", "-g"])
    let profile = try record(program.pid, SamplingPlan(rate: 100, duration: .milliseconds(500)))
    #expect(profile.capture.cost.stops > 0)
    // Three threads want one stop each; without keeping them it would be one a tick, 150 in all. On
    // a machine that has no CPU for them, a few more are seen on their way back to sleep.
    #expect(profile.capture.cost.stops <= 30)
    for run in profile.runs {
      // Where the copy of the stack leaves no doubt of the frame pointer, no stop is made for it.
      #expect(
        run.end == .complete || run.end == .inferred, "\(profile.threads[run.thread]) \(run)")
    }
    #expect(try program.figure("wakeups") == 0)
    try program.assertUntouched()
  }

  @Test func `ends at once when it is told to`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["1", "1"])
    let control = CaptureControl()
    control.stop()
    let profile = try Capture.record(
      ProcessIdentity(of: program.pid), plan: SamplingPlan(rate: 100), control: control
    ).named()
    #expect(profile.capture.ending == .interrupted)
    #expect(profile.capture.cost.ticksTaken == 0)
    try program.assertUntouched(progress: "iterations")
  }

  @Test func `is refused of another process that has got the number`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["1", "0"])
    let process = try ProcessIdentity(of: program.pid)
    let earlier = ProcessIdentity(pid: process.pid, startTicks: process.startTicks - 1)
    let plan = SamplingPlan(rate: 100, duration: .milliseconds(10))
    let captures: [() throws -> CapturedProfile] = [
      { try Capture.record(earlier, plan: plan, control: CaptureControl()) },
      { try Capture.recordFamily(earlier, plan: plan, control: CaptureControl()) },
      { try Capture.dump(earlier) }, { try Capture.dumpFamily(earlier) },
    ]
    for capture in captures {
      #expect(throws: Capture.Failure.access(.noSuchProcess)) { _ = try capture() }
    }
    try program.assertUntouched()
  }

  @Test func `of a program that ends keeps what was seen`() throws {
    let program = try RunningProgram(fixture: "spin.c", ["1", "5"])
    let control = CaptureControl()
    let pid = program.pid
    let killer = try OSThread.start {
      while control.progress.ticks < 10 { usleep(1000) }
      Glibc.kill(pid, SIGKILL)
    }
    let profile = try Capture.record(
      ProcessIdentity(of: program.pid), plan: SamplingPlan(rate: 100), control: control
    ).named()
    killer.join()
    #expect(profile.capture.ending == .targetEnded)
    #expect(profile.capture.cost.ticksTaken >= 10)
    #expect(profile.runs.contains { $0.activity == .running || $0.activity == .waitingForCPU })
  }
}

@Suite(.serialized) struct `A thread that cannot stop` {
  @Test func `does not hold up the tick, and is resumed as soon as it does stop`() throws {
    let program = try RunningProgram(fixture: "vforkparent.c")
    let stops = StoppedThreads()
    #expect(stops.seize(program.pid, tag: 0, mayRestartCall: false) == .requested)
    var stopped = 0
    stops.interruptAll().forEachStopped { _ in stopped += 1 }
    #expect(stopped == 0 && stops.isOverdue(program.pid) && !stops.isEmpty)
    stops.releaseOverdue()
    #expect(stops.isOverdue(program.pid))
    // Its vfork child ends, and with it the sleep.
    for child in TestSupport.children(of: program.pid) { Glibc.kill(child, SIGKILL) }
    let deadline = MonotonicClock.now() + .seconds(10)
    while !stops.isEmpty, MonotonicClock.now() < deadline {
      stops.releaseOverdue()
      usleep(1000)
    }
    #expect(stops.isEmpty)
    #expect(TestSupport.ProcessStatus(pid: program.pid)?.tracer ?? 0 == 0)
  }
}
