internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A runtime that was found in the process, with what is due of it: its threads, their names, its tasks.
final class AttachedRuntime {
  private static let refreshInterval = Nanoseconds.milliseconds(100)
  /// The same where the lists have not changed for long.
  private static let quietInterval = Nanoseconds.milliseconds(250)
  private static let quietTime = Nanoseconds.seconds(2)
  /// For how long after a new thread the runtime's are listed at each tick: the kernel knows it first.
  private static let eagerTime = Nanoseconds.milliseconds(50)
  /// Refreshes in a row with torn lists after which the memory is taken to be another program's.
  private static let tornLimit = 10
  /// A thread gets its name a little after it begins.
  private static let nameDelay = Nanoseconds.milliseconds(200)
  /// Between two searches for what tasks are followed with.
  private static let taskInterval = Nanoseconds.seconds(1)

  let runtime: any LanguageRuntime
  /// The place of its finder among those of the process.
  let finder: Int
  private let program: ProgramIdentity?
  private var nextRefresh: Nanoseconds
  private var changeTime: Nanoseconds = 0
  private var eagerEnd: Nanoseconds = 0
  private var tornRefreshes = 0
  private var nextNames: Nanoseconds
  private var nextTasks: Nanoseconds = 0
  /// What threads gained since `forgetGains`.
  private var gains = RuntimeThreadChanges()
  /// Why stacks do not contain the tasks that wait.
  private(set) var taskProblem: RuntimeProblem?

  /// A runtime that was found just now.
  init(
    _ runtime: any LanguageRuntime, of program: ProgramIdentity?, finder: Int, at time: Nanoseconds,
    memory: ProcessMemory
  ) {
    self.runtime = runtime
    self.program = program
    self.finder = finder
    nextRefresh = time + Self.refreshInterval
    nextNames = time + Self.nameDelay
    gains = runtime.refreshThreads(from: memory)
  }

  /// Whether a thread may have frames since the last `forgetGains` that it had not before.
  func mayHaveGained(_ tid: Int32) -> Bool { gains.mayHaveGained || gains.gained.contains(tid) }

  var hasGains: Bool { gains.mayHaveGained || !gains.gained.isEmpty }

  func forgetGains() { gains = RuntimeThreadChanges() }

  /// Whether the process runs another program by now; one small read.
  func isOver(in memory: ProcessMemory) -> Bool { program.map { !$0.isSame(in: memory) } ?? false }

  /// Lists new threads when it is time; false when the runtime is not there any more.
  func refresh(at time: Nanoseconds, memory: ProcessMemory, hasNewThreads: Bool) -> Bool {
    if hasNewThreads { eagerEnd = time + Self.eagerTime }
    guard time < eagerEnd || time >= nextRefresh else { return true }
    let isQuiet = time - changeTime > Self.quietTime
    nextRefresh = time + (isQuiet ? Self.quietInterval : Self.refreshInterval)
    let changes =
      hasNewThreads
      ? runtime.refreshThreads(from: memory) : runtime.refreshThreadsIfChanged(from: memory)
    if hasNewThreads || !changes.isEmpty { changeTime = time }
    gains.gained.formUnion(changes.gained)
    gains.mayHaveGained = gains.mayHaveGained || changes.mayHaveGained
    if changes.began > 0 { nextNames = min(nextNames, time + Self.nameDelay) }
    tornRefreshes = runtime.isWhole ? 0 : tornRefreshes + 1
    return !runtime.isEmpty && tornRefreshes < Self.tornLimit
  }

  /// The names of its threads, when it is time to read them again.
  func dueNames(at time: Nanoseconds, memory: ProcessMemory) -> [Int32: String]? {
    guard time >= nextNames else { return nil }
    nextNames = .max
    return runtime.threadNames(from: memory)
  }

  /// Looks whether the program has loaded its event loop by now, when it is time.
  func followTasks(at time: Nanoseconds, memory: ProcessMemory, isEarly: Bool) {
    guard time >= nextTasks else { return }
    nextTasks = time + (isEarly ? Self.refreshInterval : Self.taskInterval)
    switch runtime.followTasks(in: memory) {
    case .incomplete: break
    case .complete: nextTasks = .max
    case .impossible(let problem):
      nextTasks = .max
      taskProblem = problem
    }
  }
}
