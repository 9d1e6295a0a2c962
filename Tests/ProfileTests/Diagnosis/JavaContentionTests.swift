internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

/// Stacks of threads that wait for locks of Java, as OpenJDK 17 and 25 show them, innermost first.
@Suite struct `Threads that wait for locks of Java` {
  private static let wait = "__futex_abstimed_wait_common pthread_cond_wait "
  private static let park =
    wait + "Parker::park Unsafe_Park java/jdk.internal.misc.Unsafe.park "
    + "java/java.util.concurrent.locks.LockSupport.park "
  private static let synchronizer = "java/java.util.concurrent.locks.AbstractQueuedSynchronizer"

  private func situation(
    _ functions: String, kind: CaptureInfo.Kind = .attach, known: Wait? = nil
  ) -> ThreadSituation? {
    var maker = WaitMaker(kind: kind)
    maker.thread(4242, "", "java/App.work java/java.lang.Thread.run", .running)
    maker.thread(
      4250, "", functions + " java/App.take java/App.run java/java.lang.Thread.run",
      .asleep(in: "futex"))
    if let known { maker.wait(4250, known) }
    return maker.diagnosis.situations[1]
  }

  @Test(arguments: [
    "os::PlatformEvent::park ObjectMonitor::EnterI ObjectMonitor::enter",
    "os::PlatformEvent::park(long) ObjectMonitor::EnterI(JavaThread*)",
    "PlatformEvent::park ObjectMonitor::enter_internal ObjectMonitor::enter_with_contention_mark",
    "PlatformEvent::park_nanos ObjectMonitor::enter_internal",
    "os::PlatformEvent::park ObjectMonitor::ReenterI ObjectMonitor::wait ObjectSynchronizer::wait "
      + "JVM_MonitorWait java/java.lang.Object.wait",
  ])
  func `are in a monitor by the VM's functions`(functions: String) {
    let found = situation(Self.wait + functions)
    #expect(found?.wait?.kind == .mutex)
    #expect(found?.wait?.object?.flavor?.has(.monitor) == true)
    #expect(found?.asker?.line.function == "App.take")
    // What the kernel knows says less.
    let futex = Wait(
      kind: .parking, systemCall: "futex", object: WaitObject(address: RemoteAddress(0x7f00)),
      isTimed: true)
    let known = situation(Self.wait + functions, known: futex)
    #expect(known?.wait?.kind == .mutex)
    #expect(known?.wait?.isTimed == false)
    #expect(known?.wait?.object?.address == RemoteAddress(0))
  }

  @Test(arguments: [
    "os::PlatformEvent::park ObjectMonitor::wait ObjectSynchronizer::wait JVM_MonitorWait "
      + "java/java.lang.Object.wait"
  ])
  func `and those in Object.wait do not`(functions: String) {
    #expect(situation(Self.wait + functions)?.wait?.kind == .conditionVariable)
  }

  @Test(arguments: [
    (
      synchronizer + ".acquire java/java.util.concurrent.locks.ReentrantLock$Sync.lock "
        + "java/java.util.concurrent.locks.ReentrantLock.lock", WaitKind.mutex, "ReentrantLock"
    ),
    (
      synchronizer + ".parkAndCheckInterrupt " + synchronizer + ".acquireQueued " + synchronizer
        + ".acquire java/java.util.concurrent.locks.ReentrantLock$NonfairSync.lock", .mutex,
      "ReentrantLock"
    ),
    (
      synchronizer + ".acquireShared "
        + "java/java.util.concurrent.locks.ReentrantReadWriteLock$ReadLock.lock", .readLock,
      "ReentrantReadWriteLock"
    ),
    (
      synchronizer + ".acquire "
        + "java/java.util.concurrent.locks.ReentrantReadWriteLock$WriteLock.lock", .writeLock,
      "ReentrantReadWriteLock"
    ),
    (
      "java/java.util.concurrent.locks.StampedLock.acquireRead "
        + "java/java.util.concurrent.locks.StampedLock.readLock", .readLock, "StampedLock"
    ),
    (
      "java/java.util.concurrent.locks.StampedLock.acquireWrite "
        + "java/java.util.concurrent.locks.StampedLock.writeLock", .writeLock, "StampedLock"
    ),
  ])
  func `of the library are told with its class`(functions: String, kind: WaitKind, type: String) {
    let found = situation(Self.park + functions)
    #expect(found?.wait?.kind == kind)
    #expect(found?.wait?.object?.flavor?.has(.java) == true)
    #expect(found?.wait?.object?.variable == "java.util.concurrent.locks." + type)
  }

  @Test func `of a condition are in it, and then in its lock`() {
    let condition = Self.synchronizer + "$ConditionObject.await"
    #expect(situation(Self.park + condition)?.wait?.kind == .parking)
    let again = situation(Self.park + Self.synchronizer + ".acquire " + condition)
    #expect(again?.wait?.kind == .mutex)
    #expect(again?.wait?.object?.flavor?.has(.java) == true)
  }

  @Test func `keep a program whose main thread rests from being called idle`() {
    let stack =
      Self.wait + "os::PlatformEvent::park ObjectMonitor::EnterI java/App.take java/App.run"
    for kind in [CaptureInfo.Kind.attach, .dump] {
      var maker = WaitMaker(kind: kind)
      maker.thread(4242, "", "java/java.lang.Thread.sleep java/App.main", .asleep(in: "futex"))
      for tid in Int32(4250)..<4253 {
        let thread = maker.thread(tid, "", stack, .asleep(in: "futex"))
        guard kind == .attach else { continue }
        // Each of its turns is short.
        maker.maker.profile.runs.removeLast()
        for second in Int64(0)..<10 {
          let start = second * WaitMaker.second
          let turn = start + WaitMaker.second / 4
          maker.run(
            thread, ["java/java.lang.Thread.sleep", "java/App.take", "java/App.run"],
            .asleep(in: "futex"), from: start, to: turn)
          maker.run(
            thread, stack.split(separator: " ").map(String.init), .asleep(in: "futex"), from: turn,
            to: start + WaitMaker.second)
        }
      }
      let verdict = maker.verdict
      #expect(verdict.kind == .waiting)
      #expect(verdict.wait?.object?.flavor?.has(.monitor) == true, "\(kind)")
    }
  }

  @Test func `are held up by who held the lock when that was seen, and else by somebody not known`()
  {
    let stack =
      Self.wait + "os::PlatformEvent::park ObjectMonitor::EnterI java/App.take java/App.run"
    var maker = WaitMaker()
    maker.thread(4242, "", "java/App.work java/App.main", .running)
    maker.thread(4250, "", stack, .asleep(in: "futex"))
    let lock = WaitObject(
      address: RemoteAddress(0x7f10), flavor: LockFlavor([.monitor]), variable: "Account")
    maker.maker.profile.waitHistory = WaitHistory(
      waits: [
        Wait(kind: .mutex, systemCall: "futex", object: lock, owners: [.thread(tid: 4242)])
      ],
      spans: [
        WaitHistory.Span(thread: 1, wait: 0, start: WaitMaker.second, end: 5 * WaitMaker.second)
      ])
    let tree = BlameTree(maker.diagnosis, threads: [1])
    let rows = BlockerTable(tree).rows
    #expect(rows.map(\.lost) == [6 * WaitMaker.second, 4 * WaitMaker.second])
    #expect(rows.map(\.owner) == [.ownerUnknown, .thread(0)])
    #expect(tree.waits.map { $0.object?.variable } == ["Account"])
  }

  @Test func `and those at rest lose nothing`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "poll g_main_context_poll g_main_context_iterate g_main_loop_run main",
      .asleep(in: "poll"))
    maker.wait(4242, .pipe(.poll, peers: [.process(pid: 99, tid: nil, name: "peer")]))
    let tree = BlameTree(maker.diagnosis, threads: [0])
    #expect(BlockerTable(tree).rows.isEmpty)
    #expect(tree.roots[0].map { tree.nodes[$0].total } == maker.end)
  }
}
