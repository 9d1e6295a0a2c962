/// Who can end a thread's wait: the owner of a lock, the other end of a pipe.
package enum WaitOwner: Hashable, Sendable {
  /// A thread of the same process.
  case thread(tid: Int32)
  /// Another process, with its thread where that is known.
  case process(pid: Int32, tid: Int32?, name: String)
  /// The owner's thread has exited: nothing will ever unlock it.
  case dead(tid: Int32)
  /// So many readers of a read-write lock; nothing records which threads they are.
  case readers(count: Int)
}

extension WaitOwner {
  package var isDead: Bool {
    if case .dead = self { return true }
    return false
  }
}
