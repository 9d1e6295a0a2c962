package import ProfileModel

/// Chooses threads by name or by number.
package struct ThreadFilter: Sendable {
  /// The pattern as the user wrote it.
  package var glob: String { name.text }
  private let name: Glob
  private let tid: Int32?

  /// A filter for the names that match `glob` in full, with or without their process; a number also
  /// chooses the thread with that tid, and `main` the main thread.
  package init(glob: String) {
    name = Glob(glob)
    tid = Int32(glob)
  }

  /// Whether the thread is chosen.
  package func matches(_ thread: ThreadInfo) -> Bool {
    matches(tid: thread.tid, name: thread.name, isMain: thread.isMain)
      || thread.process != nil && name.matches(thread.title)
  }

  /// The same by what the kernel knows of a thread.
  package func matches(tid: Int32, name: String, isMain: Bool) -> Bool {
    tid == self.tid || self.name.matches(name) || isMain && glob == "main"
  }
}
