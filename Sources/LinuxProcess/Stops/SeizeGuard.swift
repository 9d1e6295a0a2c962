internal import CLinux
internal import Glibc
internal import ProfileModel
internal import Synchronization

/// Ends the mutual wait of a seize and an `execve` of the target.
///
/// `execve` ends the other threads and waits until a tracer has collected those that it holds; a seize
/// of a thread of that process waits until the `execve` is over (kernel: `de_thread`, `ptrace_attach`,
/// both about `cred_guard_mutex`). The tracer sits in the seize then, so that another thread of this
/// process collects what has ended.
final class SeizeGuard: Sendable {
  private static let pause = Nanoseconds.milliseconds(20)

  private let process: Int32
  /// When the seize under way began, by the monotonic clock; 0 without one.
  private let begun = Atomic<Int64>(0)
  private let isDone = Atomic<Bool>(false)

  private struct Watch {
    var guards: [SeizeGuard] = []
    var isRunning = false
  }
  private static let watch = Mutex(Watch())

  /// For the seizes of one tracer thread in `process`.
  init(process: Int32) {
    self.process = process
    Self.watch.withLock { watch in
      watch.guards.append(self)
      guard !watch.isRunning,
        let thread = try? OSThread.start({ Self.run() })
      else { return }
      watch.isRunning = true
      thread.detach()
    }
  }

  func end() { isDone.store(true, ordering: .relaxed) }

  func seize(_ tid: Int32) -> CInt {
    begun.store(MonotonicClock.now().rawValue, ordering: .relaxed)
    let result = sprof_ptrace_seize(tid)
    begun.store(0, ordering: .relaxed)
    return result
  }

  private static func run() {
    while let guards = current() {
      MonotonicClock.sleep(for: pause)
      let now = MonotonicClock.now()
      for one in guards {
        let begun = MonotonicClock.Instant(one.begun.load(ordering: .relaxed))
        if begun != .distantPast, now - begun > pause { one.collectEnded() }
      }
    }
  }

  /// Nil when there is none left: the thread ends.
  private static func current() -> [SeizeGuard]? {
    watch.withLock { watch in
      watch.guards.removeAll { $0.isDone.load(ordering: .relaxed) }
      watch.isRunning = !watch.guards.isEmpty
      return watch.isRunning ? watch.guards : nil
    }
  }

  /// The main thread is left: `execve` does not wait for its tracer, and its status is the process's.
  private func collectEnded() {
    guard let folder = opendir("/proc/\(process)/task") else { return }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let tid = Int32(name), tid != process else { continue }
      sprof_collect_ended(tid)
    }
  }
}
