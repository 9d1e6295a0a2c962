package import LinuxProcess

/// What a search for a language runtime in a process found.
package enum RuntimeSearch<Found: Sendable>: Sendable {
  /// No such runtime is mapped.
  case none
  /// It is mapped, but has no threads yet: look again later.
  case notReady
  /// It is shutting down; its structures go away under a reader's hands.
  case finalising(Found)
  case found(Found)
  /// A version whose structures are not known.
  case unknownVersion(String)
  /// It is there, but does not read as it should, such as a debug build.
  case unreadable(String)
}

/// How the threads of a runtime changed since they were last listed.
package struct RuntimeThreadChanges: Sendable, Equatable {
  package var began = 0
  package var ended = 0

  package init() {}

  package var isEmpty: Bool { began == 0 && ended == 0 }
}

/// The stacks of one language runtime in a running process, read from outside.
///
/// A sample of a thread: `prepare` before its stop, `copy` during it, `finish` after it, and, of one
/// or of many together, `refuted`.
package protocol LanguageRuntime: AnyObject {
  associatedtype Description: Sendable

  /// Name and version, such as `CPython 3.11.7`.
  var title: String { get }

  /// Looks for the runtime in a process; stops nothing.
  static func find(in memory: ProcessMemory, maps: MemoryMaps) -> RuntimeSearch<Description>

  init(_ description: Description, process: Int32)

  /// Lists the runtime's threads again; one read for all that were known.
  func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges

  /// Whether the runtime knows the thread.
  func hasThread(_ tid: Int32) -> Bool

  /// Begins a sample of a thread, before it is stopped.
  func prepare(_ tid: Int32)

  /// Learns where the frames of a thread lie of which the last sample was cut short, or that has
  /// none yet, while it runs: its stop will be the shorter.
  func warmUp(_ tid: Int32, from memory: some TargetMemory)

  /// Copies the thread's stack, in at most `reads` reads and until about `deadline`, by
  /// `MonotonicClock`.
  ///
  /// `nativeStack` is memory that the caller has copied anyway. Returns whether all is there.
  func copy(
    _ tid: Int32, nativeStack: StackSnapshot?, from memory: some TargetMemory, reads: Int,
    until deadline: Int64, isStopped: Bool
  ) -> Bool

  /// The stack that was copied; the thread may run.
  ///
  /// Functions that were there for long are taken to be there still: see `refuted`.
  func finish(_ tid: Int32) -> RuntimeStack

  /// Whether a copy has taken anything for granted since the last call of `refuted`.
  var hasAssumptions: Bool { get }

  /// The numbers of the functions that copies took for granted since the last call, and that are not
  /// what they were: the stacks of these copies are to forget them (`RuntimeStack.forget`).
  ///
  /// The threads may run. One read, and one more for each piece of memory that is not there.
  func refuted(from memory: some TargetMemory) -> Set<UInt32>
}

extension LanguageRuntime {
  /// The stack that was copied, of which nothing is taken for granted; call it behind each copy then.
  package func finish(_ tid: Int32, from memory: some TargetMemory) -> RuntimeStack {
    var stack = finish(tid)
    stack.forget(refuted(from: memory))
    return stack
  }
}
