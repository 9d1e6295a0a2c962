package import LinuxProcess
package import ProfileModel
package import RuntimeReading

/// Reads the goroutines of a running program in Go.
///
/// Its functions are machine code, whose frames the native unwinder finds; what only the runtime knows is
/// which goroutines there are, and what they wait for. Nothing is stopped: a goroutine that does not run
/// keeps its stack, and each says when it has run (`GoWaitHistory`).
package final class GoReader {
  /// Between two readings that only note who waits, and the part of the time that they may take.
  private static let noteInterval = Nanoseconds.milliseconds(250)
  private static let noteShare: Int64 = 200
  /// The first ones, of which a dump needs some that are apart, come in time where each takes at most this.
  private static let earlyCount = 8
  private static let earlyCost = Nanoseconds.milliseconds(25)

  package let program: GoProgram
  private let process: Int32
  private let code: GoCode
  private var history = GoWaitHistory()
  private var noteCount = 0
  private var nextNote = MonotonicClock.Instant.distantPast
  private var machines = GoMachineList()
  /// By our numbers.
  private var threads: [Int32: GoThread] = [:]
  private let numbers: NamespaceThreads
  /// By the numbers that threads know themselves by: ours, and of some ours that is not known yet.
  private var placed: [Int32: Int32] = [:]
  private var unplaced: Set<Int32> = []
  package var maxDepth: Int?

  package init(_ program: GoProgram, process: Int32) {
    self.program = program
    self.process = process
    code = GoCode(program.image)
    numbers = NamespaceThreads(process: process)
  }

  /// Notes which goroutines wait, when it is time: the last reading will know since when.
  private func noteWaits(from memory: some TargetMemory) {
    let start = MonotonicClock.now()
    guard start >= nextNote else { return }
    var reading = GoroutineReading(program, code, numbers)
    _ = reading.note(in: &history, at: start.rawValue, from: memory)
    let cost = MonotonicClock.now() - start
    noteCount = min(noteCount + 1, Self.earlyCount)
    let isEarly = noteCount < Self.earlyCount && cost <= Self.earlyCost
    nextNote = start + (isEarly ? Self.noteInterval : max(Self.noteInterval, cost * Self.noteShare))
  }

  private func listThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
    var changes = RuntimeThreadChanges()
    guard let place = program.machines else { return changes }
    let new = machines.refresh(at: place, program.offsets, from: memory)
    let wanted = unplaced.union(new)
    guard !wanted.isEmpty else { return changes }
    numbers.beginIfNested()
    for number in wanted {
      guard let machine = machines.machines[number], let tid = numbers.translated(number) else {
        if machines.machines[number] != nil { unplaced.insert(number) }
        continue
      }
      unplaced.remove(number)
      placed[number] = tid
      threads[tid] = GoThread(number: number, machine: machine, program.offsets, code)
      changes.gained.insert(tid)
    }
    changes.began = changes.gained.count
    guard !new.isEmpty else { return changes }
    unplaced = unplaced.filter { machines.machines[$0] != nil }
    placed = placed.filter { machines.machines[$0.key] != nil }
    let before = threads.count
    let known = Set(placed.values)
    threads = threads.filter { known.contains($0.key) }
    changes.ended = before - threads.count
    return changes
  }

  /// All goroutines, each with what it does and where; of one moment only where `isSteady` says so.
  package func goroutines(from memory: some TargetMemory) -> Goroutines? {
    nextNote = .distantPast
    noteWaits(from: memory)
    var reading = GoroutineReading(program, code, numbers)
    return reading.groups(
      history: &history, at: MonotonicClock.now().rawValue, pid: process, from: memory)
  }
}

extension GoReader: LanguageRuntime {
  package static var language: String { "Go" }

  /// Those that were measured: `1.18 to 1.27`.
  package static var versions: String {
    "Go 1.\(GoBuild.oldestMinor) to 1.\(GoOffsets.all.last?.minor ?? 0)"
  }

  package static func find(
    in memory: ProcessMemory, maps: MemoryMaps, process: Int32
  ) -> RuntimeSearch {
    switch GoSearch(memory: memory, maps: maps).run() {
    case .none: .none
    case .notReady: .notReady
    case .found(let program): .found(GoReader(program, process: process))
    case .unknown(let build):
      .unknown(
        .unknownBuild(RuntimeBuild(title: build.title, hasNativeFrames: true), known: versions))
    case .unreadable(let build): .unreadable(.goroutinesNotFound(title: build.version))
    }
  }

  /// Go's functions are the program's own: none is hidden.
  package var nativeCode: any RuntimeNativeCode { GoNativeCode() }

  package func refreshThreads(from memory: some TargetMemory) -> RuntimeThreadChanges {
    noteWaits(from: memory)
    return listThreads(from: memory)
  }

  package var isEmpty: Bool { false }
  package var isWhole: Bool { true }
  package func thread(_ tid: Int32) -> (any RuntimeThread)? { threads[tid] }
}

/// Go's runtime as code: there is no interpreter.
private struct GoNativeCode: RuntimeNativeCode {
  /// No file is taken for an interpreter's.
  var path: String { "[go]" }
  func role(ofFunction name: String) -> NativeRole { .builtin }
  func isLauncher(_ file: String) -> Bool { false }
  var lockFunctions: Set<String> { [] }
}
