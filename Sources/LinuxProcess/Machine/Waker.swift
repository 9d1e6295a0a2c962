internal import CLinux
internal import Glibc

/// Wakes one thread of sprof before its time.
package final class Waker: @unchecked Sendable {
  // Sendable: a semaphore is there for several threads; it lives as long as the object.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Ends the current wait, or else the next one.
  package func wake() { sem_post(semaphore) }

  /// Waits to be woken, at the latest until `deadline`.
  @available(*, noasync, message: "blocks the thread")
  package func wait(until deadline: MonotonicClock.Instant) {
    _ = sprof_wait_for_semaphore(semaphore, deadline.rawValue)
  }
}
