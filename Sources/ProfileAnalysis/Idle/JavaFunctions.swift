internal import ProfileModel

/// Methods of Java's own library and of servers written in Java, by which a thread at rest is known.
enum JavaFunctions {
  /// Whether a method is of Java's own library.
  static func isOfLibrary(_ frame: SourceFrame) -> Bool {
    frame.line.language == .java && frame.isOfStandardLibrary
  }

  /// Whether a method is of a class that the VM has made to call another one, such as a lambda's.
  static func isHidden(_ frame: SourceFrame) -> Bool {
    frame.line.language == .java && frame.line.function.contains(bytesOf: "$$Lambda.")
  }

  /// Whether a method puts its thread to sleep for a time.
  static func isSleep(_ frame: SourceFrame) -> Bool {
    frame.line.language == .java && sleeps.contains(frame.line.function)
  }

  private static let sleeps: Set<String> = [
    "java.lang.Thread.sleep", "java.lang.Thread.sleep0", "java.lang.Thread.sleepNanos",
    "java.lang.Thread.sleepNanos0", "java.lang.Thread.sleepImpl",
  ]

  /// Whether a function of the VM's waits until its thread may enter a monitor (`synchronized`).
  static func entersMonitor(_ name: String) -> Bool { monitorEntries.contains(name) }

  /// Whether a method is the one by which all of the library's locks put their threads to sleep.
  static func parks(_ method: String) -> Bool {
    method == "jdk.internal.misc.Unsafe.park" || method == "sun.misc.Unsafe.park"
  }

  /// Of JDK 10 to 26 (src/hotspot/share/runtime/objectMonitor.cpp, synchronizer.cpp).
  private static let monitorEntries = Set(
    entries.split(whereSeparator: \.isWhitespace).map(String.init))

  static let entries = """
    ObjectMonitor::enter ObjectMonitor::EnterI ObjectMonitor::ReenterI ObjectMonitor::enter_internal \
    ObjectMonitor::reenter_internal ObjectMonitor::enter_with_contention_mark \
    ObjectMonitor::enter_for ObjectMonitor::spin_enter ObjectSynchronizer::enter \
    ObjectSynchronizer::enter_for ObjectSynchronizer::jni_enter LightweightSynchronizer::enter \
    LightweightSynchronizer::inflate_and_enter SharedRuntime::complete_monitor_locking_C \
    SharedRuntime::monitor_enter_helper InterpreterRuntime::monitorenter \
    InterpreterRuntime::monitorenter_obj Runtime1::monitorenter
    """

  /// Waits that a caller asks for.
  static let calls = """
    jdk.internal.misc.Unsafe.park sun.misc.Unsafe.park java.lang.Object.wait \
    java.lang.Object.wait0 java.lang.Thread.sleep java.lang.Thread.sleep0 \
    java.lang.Thread.sleepNanos java.lang.Thread.sleepNanos0 \
    sun.nio.ch.EPoll.wait sun.nio.ch.Net.poll sun.nio.ch.Net.accept \
    PosixSemaphore::wait PlatformMonitor::wait os::PlatformMonitor::wait \
    ObjectSynchronizer::wait ObjectSynchronizer::wait_uninterruptibly JVM_MonitorWait
    """

  static let glue = """
    sun.nio.ch.EPollSelectorImpl.doSelect sun.nio.ch.SelectorImpl.lockAndDoSelect \
    sun.nio.ch.SelectorImpl.select java.util.concurrent.ForkJoinPool.managedBlock \
    java.util.concurrent.ForkJoinPool.unmanagedBlock \
    java.util.concurrent.ForkJoinPool.compensatedBlock \
    org.apache.tomcat.util.threads.TaskQueue.take org.apache.tomcat.util.threads.TaskQueue.poll \
    org.eclipse.jetty.util.BlockingArrayQueue.poll org.eclipse.jetty.util.BlockingArrayQueue.take
    """

  static let roots = """
    java.lang.Thread.run java.lang.Thread.runWith java.lang.VirtualThread.run \
    java.util.concurrent.ThreadPoolExecutor.runWorker \
    java.util.concurrent.ThreadPoolExecutor$Worker.run \
    java.util.concurrent.ForkJoinPool.runWorker java.util.concurrent.ForkJoinWorkerThread.run \
    jdk.internal.misc.InnocuousThread.run
    """

  static let rests: [(FunctionRole.Rest, String)] = [
    (
      .runtime(.java),
      """
      java.lang.ref.Reference.waitForReferencePendingList java.lang.ref.ReferenceQueue.remove \
      java.lang.ref.ReferenceQueue.remove0 java.lang.ref.NativeReferenceQueue.remove \
      java.lang.ref.ReferenceQueue.await sun.awt.AWTAutoShutdown.run Threads::destroy_vm \
      jni_DestroyJavaVM VMThread::wait_for_operation G1ServiceThread::sleep_before_next_cycle \
      G1ServiceThread::run_service G1ConcurrentRefineThread::run_service ConcurrentGCThread::run \
      G1PrimaryConcurrentRefineThread::wait_for_completed_buffers \
      NotificationThread::notification_thread_entry CallJavaMainInNewThread ContinueInNewThread \
      JLI_Launch
      """
    ),
    (
      .pool(.java),
      """
      java.util.concurrent.ThreadPoolExecutor.getTask java.util.concurrent.ForkJoinPool.awaitWork \
      java.util.TimerThread.mainLoop org.apache.tomcat.util.threads.ThreadPoolExecutor.getTask \
      org.eclipse.jetty.util.thread.QueuedThreadPool.idleJobPoll \
      org.eclipse.jetty.util.thread.QueuedThreadPool$Runner.idleJobPoll
      """
    ),
    (
      .loop(.own),
      """
      org.apache.tomcat.util.net.NioEndpoint$Poller.run sun.net.httpserver.ServerImpl$Dispatcher.run
      """
    ),
  ]

  static let loops: [LoopFunctions] = [
    LoopFunctions(
      loop: .awt,
      waits: """
        java.awt.EventQueue.getNextEvent java.awt.EventDispatchThread.pumpOneEventForFilters \
        java.awt.EventDispatchThread.pumpEventsForFilter \
        java.awt.EventDispatchThread.pumpEventsForHierarchy \
        java.awt.EventDispatchThread.pumpEvents java.awt.EventDispatchThread.run
        """,
      dispatchers: "java.awt.EventQueue.dispatchEvent"),
    LoopFunctions(
      loop: .awtReader, waits: "sun.awt.X11.XToolkit.waitForEvents sun.awt.X11.XToolkit.run"),
    LoopFunctions(
      loop: .netty,
      waits: """
        io.netty.channel.nio.NioEventLoop.select io.netty.channel.nio.NioEventLoop.run \
        io.netty.channel.epoll.EpollEventLoop.epollWait io.netty.channel.epoll.EpollEventLoop.run \
        io.netty.channel.nio.NioIoHandler.select io.netty.channel.nio.NioIoHandler.run
        """),
  ]

  /// Locks, queues, files and sockets of the library, which wait for their callers.
  static let beginnings: [(text: String, role: FunctionRole)] = [
    ("java.util.concurrent.locks.", .call), ("java.util.concurrent.LinkedBlocking", .glue),
    ("java.util.concurrent.ArrayBlockingQueue", .glue),
    ("java.util.concurrent.SynchronousQueue", .glue),
    ("java.util.concurrent.LinkedTransferQueue", .glue),
    ("java.util.concurrent.PriorityBlockingQueue", .glue),
    ("java.util.concurrent.DelayQueue", .glue),
    ("java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue", .glue),
    ("java.io.", .glue), ("java.net.", .glue), ("java.nio.", .glue), ("sun.nio.", .glue),
    ("sun.security.ssl.", .glue),
  ]
}
