internal import CLinux
internal import Glibc

/// Threads of this process that the kernel schedules by themselves: the tracer and its helpers.
///
/// All ptrace calls belong to one thread, at raised priority where that is permitted. The priority
/// keeps the tracer from losing its CPU while it holds a thread: at nice 0 on a busy machine one stop
/// in twenty lasted a scheduler slice (5 ms).
package enum OSThread {
  private final class Work {
    let body: @Sendable () -> Void
    let isUrgent: Bool
    init(isUrgent: Bool, _ body: @escaping @Sendable () -> Void) {
      self.isUrgent = isUrgent
      self.body = body
    }
  }

  /// A thread that was started, to be waited for once.
  package struct Handle: ~Copyable, Sendable {
    private let thread: pthread_t
    fileprivate init(_ thread: pthread_t) { self.thread = thread }

    /// Waits until the thread has ended.
    @available(*, noasync, message: "blocks until the thread has ended")
    package consuming func join() { pthread_join(thread, nil) }

    /// Nobody will wait for the thread.
    package consuming func detach() { pthread_detach(thread) }
  }

  /// Whether `tid` is a thread of this process.
  package static func isOwn(_ tid: Int32) -> Bool {
    tid > 0 && access("/proc/self/task/\(tid)", F_OK) == 0
  }

  /// Runs `body` on a new OS thread of raised priority, for all ptrace calls.
  package static func startTracer(
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) -> Handle {
    // A signal that is blocked here is not dropped, but wakes the main thread at every stop (kernel:
    // sig_ignored, do_notify_parent_cldstop): 30 µs each.
    sprof_leave_out_stops_of_children()
    return try launch(Work(isUrgent: true, body))
  }

  /// Runs `body` on a new OS thread of normal priority, for work that may wait.
  package static func start(
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) -> Handle {
    try launch(Work(isUrgent: false, body))
  }

  private static func launch(_ work: Work) throws(SystemError) -> Handle {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(work)
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        OSThread.blockSignals()
        if work.isUrgent { OSThread.raisePriority() }
        work.body()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw SystemError("pthread_create", code: code)
    }
    return Handle(thread)
  }

  /// The id of the calling thread.
  package static var current: Int32 { sprof_gettid() }

  /// Gives a thread of this process normal priority; does nothing when it has ended.
  package static func lowerPriority(of thread: Int32) {
    guard isOwn(thread) else { return }
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(thread), 0)
  }

  private static func raisePriority() {
    // On Linux the nice value belongs to the thread: 0 means the calling one. Needs CAP_SYS_NICE;
    // without it the tracer works at normal priority.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -20)
    // A tick that had to wait for a slice of the watched thread would find it asleep more often than it is.
    if sprof_set_time_slice(100_000, -20) != 0 { _ = sprof_set_time_slice(100_000, 0) }
    // Wake up at the tick, not up to 50 µs later.
    _ = sprof_set_timer_slack(1)
  }

  /// Ctrl-C and the like are for the main thread, whatever thread the kernel would choose.
  ///
  /// A thread's own faults are not: the kernel ends the process for one that is blocked (force_sig).
  private static func blockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    for fault in [SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP] { sigdelset(&all, fault) }
    pthread_sigmask(SIG_BLOCK, &all, nil)
  }
}
