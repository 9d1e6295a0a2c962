/// Where the fields are that goroutines are read by, in bytes from the start of their structures.
///
/// A version is a column, measured with gdb on programs of these releases: 1.19.8, 1.21.13,
/// 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6 and 1.27.3 (runtime/runtime2.go, runtime/sema.go). What a
/// program has is checked against its own code before it is used (`GoTrial`), so that a version which is not
/// here may have the columns of its neighbours.
package struct GoOffsets: Hashable, Sendable {
  /// The minor version that the column was measured with.
  package let minor: Int

  // MARK: - `g`, a goroutine

  /// Of `stack.lo` and `stack.hi`, in all versions.
  static let stackStart = 0
  static let stackEnd = 8
  /// The `m` that runs it.
  static let machine = 48
  /// Of `sched`: where it goes on.
  static let savedStackPointer = 56
  static let savedPC = 64

  /// Where it goes on after a system call.
  package let callStackPointer: Int
  package let callPC: Int
  package let status: Int
  package let number: Int
  /// When the collector first saw it wait.
  package let waitSince: Int
  package let waitReason: Int
  /// A byte that counts how often it stopped running.
  package let runs: Int
  package let creatorPC: Int
  package let startPC: Int
  /// The `sudog` of the channel that it waits for.
  package let waiting: Int
  /// How much of the structure is read.
  var size: Int { waiting + 8 }

  // MARK: - `m`, a thread

  /// Of `g0`, whose stack the runtime's own code runs on.
  static let systemGoroutine = 0
  /// The number of the thread.
  package let thread: Int
  /// The goroutine that it runs (`curg`).
  let current: Int
  /// The next in the list of all.
  let nextMachine: Int
  var machineSize: Int { nextMachine + 8 }

  // MARK: - `sudog`, a goroutine in a queue

  static let queuedGoroutine = 0
  /// `next` and `prev`, which are the branches of a tree in queues for locks.
  static let branches = (8, 16)
  /// The address of what it waits for, of a lock.
  package let element: Int
  package let nextInQueue: Int
  package let channel: Int
  var queueSize: Int { channel + 8 }

  /// The columns from the oldest to the newest.
  package static let all: [GoOffsets] = [
    GoOffsets(19, call: 112, status: 144, waitReason: 176, runs: 189, creator: 296, waiting: 328),
    GoOffsets(21, call: 112, status: 144, waitReason: 176, runs: 188, creator: 280, waiting: 312),
    GoOffsets(22, call: 112, status: 144, waitReason: 176, runs: 191, creator: 280, waiting: 312),
    GoOffsets(23, call: 112, status: 152, waitReason: 184, runs: 199, creator: 288, waiting: 320),
    GoOffsets(24, call: 112, status: 152, waitReason: 184, runs: 199, creator: 288, waiting: 320),
    GoOffsets(25, call: 104, status: 144, waitReason: 176, runs: 191, creator: 280, waiting: 312),
    GoOffsets(26, call: 104, status: 144, waitReason: 176, runs: 191, creator: 288, waiting: 320),
    GoOffsets(27, call: 104, status: 144, waitReason: 176, runs: 191, creator: 288, waiting: 320),
  ]

  private init(
    _ minor: Int, call: Int, status: Int, waitReason: Int, runs: Int, creator: Int, waiting: Int
  ) {
    self.minor = minor
    callStackPointer = call
    callPC = call + 8
    self.status = status
    number = status + 8
    waitSince = status + 24
    self.waitReason = waitReason
    self.runs = runs
    creatorPC = creator
    startPC = creator + 16
    self.waiting = waiting
    thread = minor >= 25 ? 64 : 72
    current = thread + 120
    nextMachine = [19: 336, 21: 336, 22: 328, 23: 328, 25: 344][minor] ?? 352
    // Since 1.26 pointers that the collector may overlook have a second word, which is the one that counts.
    element = minor >= 26 ? 32 : 24
    nextInQueue = minor >= 26 ? 72 : 64
    channel = minor >= 26 ? 96 : 80
  }

  /// The columns that a version may have, the likeliest first.
  static func candidates(minor: Int?) -> [GoOffsets] {
    guard let minor else { return all.reversed() }
    return all.sorted { left, right in
      (abs(left.minor - minor), left.minor) < (abs(right.minor - minor), right.minor)
    }
  }
}
