package import LinuxProcess
package import ProfileModel

/// A sample of a thread for which nothing was copied yet.
///
/// Prepare it before the thread is stopped, copy it while the thread cannot run, and finish it when it
/// runs again. One that is dropped costs nothing.
package struct PreparedRuntimeSample: ~Copyable {
  private let threads: [any RuntimeThread]

  /// A sample of one thread as each of the process's runtimes knows it; nil where none does.
  package init?(_ threads: [any RuntimeThread]) {
    guard !threads.isEmpty else { return nil }
    self.threads = threads
    for thread in threads { thread.prepare() }
  }

  /// Whether a copy at `instruction` would not show the frames, and one a few instructions later will.
  package func isInTransit(at instruction: RemoteAddress) -> Bool {
    threads.contains { $0.isInTransit(at: instruction) }
  }

  /// Copies the frames of the thread, which cannot run, or which is checked afterwards not to have run.
  ///
  /// At most `reads` reads are made, and no more begun at `deadline`, by `MonotonicClock`.
  package consuming func copy(
    at place: ThreadPlace = ThreadPlace(), from memory: some TargetMemory, reads: Int = .max,
    until deadline: MonotonicClock.Instant = .distantFuture, isStopped: Bool = true
  ) -> CopiedRuntimeSample {
    var isComplete = true
    for thread in threads {
      let isWhole = thread.copy(
        at: place, from: memory, reads: reads, until: deadline, isStopped: isStopped)
      isComplete = isComplete && isWhole
    }
    return CopiedRuntimeSample(threads: threads, isComplete: isComplete)
  }
}

/// A sample whose frames were copied and not read yet.
package struct CopiedRuntimeSample: ~Copyable {
  fileprivate let threads: [any RuntimeThread]
  /// Whether all is there.
  package let isComplete: Bool

  /// Whether the copy is not whole, and one a few instructions later will be.
  package var isInTransit: Bool { threads.contains { $0.isCopyInTransit } }

  /// The stack; the thread may run.
  package consuming func finish() -> RuntimeStack {
    if threads.count == 1 { return threads[0].finish() }
    return RuntimeStack.joined(threads.map { $0.finish() })
  }
}
