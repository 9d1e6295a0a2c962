internal import CLinux
internal import Glibc

/// Wakes one thread of ours up before its time.
package final class Bell: @unchecked Sendable {
  // Sendable: a semaphore is there for several threads; it lives as long as the object.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Ends the wait that goes on, or the next one.
  package func ring() { sem_post(semaphore) }

  /// Waits for a ring, and until `deadline` by `MonotonicClock` at most.
  @available(*, noasync, message: "blocks the thread")
  package func wait(until deadline: Int64) {
    _ = sprof_wait_for_semaphore(semaphore, deadline)
  }
}
