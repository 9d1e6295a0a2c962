internal import ProfileModel

/// What a thread waits for whose innermost functions of Python take an item from a queue.
///
/// The names of a program's own functions do not say that: one named `worker` may wait for a lock.
enum PythonFetch {
  /// The next piece of work of one of Python's own pools.
  case work
  /// An item of the program's own queue, outside any job of a pool.
  case item

  /// What a stack takes, innermost frame first; nil when it waits for something else.
  init?(_ frames: [SourceFrame]) {
    let functions = frames.filter(\.isPython)
    guard let first = functions.first else { return nil }
    // A queue waits for its own condition variable; a job may wait for any.
    let isInQueue = Self.conditions.contains(first) && functions.count > 1
    var rest = functions[(isInQueue ? 1 : 0)...]
    let way = rest.prefix(while: Self.ways.contains)
    guard !isInQueue || way.first.map(Self.queues.contains) ?? false else { return nil }
    rest = rest.dropFirst(way.count)
    if let asker = rest.first, Self.fetchers.contains(asker) {
      let native = frames.prefix { !$0.isPython }
      guard !way.isEmpty || !native.contains(where: \.isPythonLock) else { return nil }
      self = .work
      return
    }
    guard let last = way.last, Self.queues.contains(last),
      !rest.contains(where: Self.pools.contains)
    else { return nil }
    self = .item
  }

  /// Functions by the end of their file's path; all functions of the file where `names` is empty.
  private struct Functions {
    let rows: [(file: String, names: Set<Substring>)]

    func contains(_ frame: SourceFrame) -> Bool {
      guard frame.isPython, let file = frame.line.file,
        let name = frame.line.function.split(separator: ".").last
      else { return false }
      return rows.contains { row in
        (row.names.isEmpty || row.names.contains(name)) && file.hasSuffix(row.file)
      }
    }
  }

  /// Those of a pool that ask for the next piece of work.
  private static let fetchers = Functions(rows: [
    ("/concurrent/futures/thread.py", ["_worker"]),
    (
      "/concurrent/futures/process.py",
      ["_process_worker", "_queue_management_worker", "wait_result_broken_or_wakeup"]
    ),
    (
      "/multiprocessing/pool.py",
      ["worker", "_handle_tasks", "_handle_results", "_handle_workers"]
    ),
  ])

  private static let pools = Functions(rows: fetchers.rows.map { ($0.file, []) })

  /// Those between such a function and the wait.
  private static let ways = Functions(
    rows: queues.rows + [
      (
        "/multiprocessing/connection.py",
        ["recv", "recv_bytes", "_recv", "_recv_bytes", "poll", "_poll", "wait"]
      ),
      ("/multiprocessing/synchronize.py", ["__enter__"]),
      ("/multiprocessing/queues.py", ["get"]),
      ("/multiprocessing/pool.py", ["_wait_for_updates"]),
      ("/selectors.py", ["select"]),
    ])

  private static let queues = Functions(rows: [("/queue.py", ["get"])])

  private static let conditions = Functions(rows: [("/threading.py", ["wait"])])
}
