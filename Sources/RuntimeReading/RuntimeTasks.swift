package import ProfileModel

/// One asynchronous task that has not ended.
package struct RuntimeTask: Sendable {
  /// What tells it from others for as long as it lives.
  package let address: RemoteAddress
  package let name: String
  /// The thread whose event loop it belongs to; nil when that is not known.
  package let tid: Int32?
  package let state: AsyncTask.State
  /// Of a task that does not run what it awaits, the innermost coroutine first.
  package let frames: [RuntimeFrame]
  /// The tasks that are known to wait for it.
  package let awaitedBy: [RemoteAddress]

  package init(
    address: RemoteAddress, name: String, tid: Int32?, state: AsyncTask.State,
    frames: [RuntimeFrame], awaitedBy: [RemoteAddress]
  ) {
    self.address = address
    self.name = name
    self.tid = tid
    self.state = state
    self.frames = frames
    self.awaitedBy = awaitedBy
  }
}

/// The tasks of a process.
package struct RuntimeTaskList: Sendable {
  package var tasks: [RuntimeTask] = []
  /// Whether there were more than are followed.
  package var isCut = false

  package init() {}
}

/// Whether stacks contain the tasks that wait for the running one.
package enum RuntimeTaskFollowing: Hashable, Sendable {
  /// They do, and there is nothing left to be found.
  case complete
  /// There may be more to be found, such as before the program has loaded its event loop.
  case incomplete
  /// This version does not show which tasks wait for others.
  case impossible(RuntimeProblem)
}
