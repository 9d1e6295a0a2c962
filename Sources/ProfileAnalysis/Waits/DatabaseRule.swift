package import ProfileModel

/// How a thread comes by the lock of a database.
package enum DatabaseRule: Sendable {
  /// It sleeps, and tries again: SQLite.
  case retry
  /// It waits until the session that holds the lock wakes it: PostgreSQL.
  case wakeUp
}

extension Wait {
  /// How a thread that waits for the lock of a database comes by it, by the system call that it sleeps in.
  package var databaseRule: DatabaseRule {
    switch systemCall.flatMap({ WaitNames.systemCalls[$0] }) {
    case .epoll, .poll, .futex, .systemVSemaphore: .wakeUp
    default: .retry
    }
  }
}
