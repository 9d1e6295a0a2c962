/// What of asyncio's tasks is where.
struct PythonTaskLayout: Sendable, Equatable {
  let name: Int
  let coroutine: Int
  let origin: Origin

  enum Origin: Sendable, Equatable {
    case lists(Lists)
    case sets(Members)
  }

  /// From 3.14 on: a list of each thread, and one of each interpreter for threads that have ended.
  struct Lists: Sendable, Equatable {
    let awaitedBy: Int
    let awaitedByIsSet: Int
    let node: Int
    let interpreterHead: Int
    let threadRunning: Int
    let threadHead: Int
  }

  /// Before: sets in `asyncio.tasks`, and members of the tasks that lead to the rest.
  struct Members: Sendable, Equatable {
    let size: Int
    let loop: Int
    let state: Int
    let waiter: Int
    /// What a future, which every task is, calls when it is done: the first, and a list of the others.
    let callback: Int
    let callbacks: Int

    /// How many bytes of a future are read.
    var futureSize: Int { max(callback, callbacks) + PythonObjectShape.wordSize }
    /// PENDING, before CANCELLED and FINISHED.
    static let pending: Int32 = 0
  }

  /// The first version whose tasks are read.
  static let firstMinor = 12
  /// The versions, in words, whose tasks are followed to those that wait for them.
  static let versions =
    "CPython 3.\(firstMinor) to 3.\(PythonOffsets.minors.last ?? 0) with the GIL"
  /// Where Python's part of the tasks is.
  static let module = "asyncio.tasks"
  /// The section in which 3.14 and later say the rest (`struct _Py_AsyncioModuleDebugOffsets`).
  static let section = ".AsyncioDebug"
  static let sectionCount = 13

  /// The numbers of that section.
  init?(_ numbers: [UInt64]) {
    guard numbers.count == Self.sectionCount, numbers.allSatisfy({ $0 < 1 << 20 }) else {
      return nil
    }
    let offsets = numbers.map { Int($0) }
    name = offsets[1]
    coroutine = offsets[5]
    origin = .lists(
      Lists(
        awaitedBy: offsets[2], awaitedByIsSet: offsets[4], node: offsets[6],
        interpreterHead: offsets[8], threadRunning: offsets[11], threadHead: offsets[12]))
  }

  /// `TaskObj` of 3.12 and 3.13 (Modules/_asynciomodule.c); nil for other versions.
  init?(_ layout: PythonLayout) {
    guard let name = layout[.taskName], let coroutine = layout[.taskCoroutine],
      let size = layout[.taskSize], let loop = layout[.taskLoop], let state = layout[.taskState],
      let waiter = layout[.taskWaiter], let callback = layout[.futureCallback],
      let callbacks = layout[.futureCallbacks]
    else { return nil }
    self.name = name
    self.coroutine = coroutine
    origin = .sets(
      Members(
        size: size, loop: loop, state: state, waiter: waiter, callback: callback,
        callbacks: callbacks))
  }

  /// How many bytes of a task are read.
  var recordSize: Int {
    let fields =
      switch origin {
      case .lists(let lists): [lists.awaitedBy + 8, lists.awaitedByIsSet + 1]
      case .sets(let members): [members.size]
      }
    return ([name + 8, coroutine + 8] + fields).max() ?? 0
  }
}
