internal import Glibc
internal import Synchronization

/// The `/proc` files of one thread that every tick reads.
///
/// They are kept open while this process may have that many files open: three descriptors a thread; a
/// read costs 0.4 µs (counters), 0.8 µs (system call), 1.1 µs (state). Otherwise each read opens the
/// file anew, at ten times the cost.
package struct ThreadFiles: ~Copyable, Sendable {
  package let tid: Int32
  private let folder: TaskFolder
  private let source: Source

  private enum Source {
    /// They stay this thread's, whoever gets its number.
    case kept(stat: CInt, schedstat: CInt, syscall: CInt)
    /// When the thread began distinguishes it from another one that gets its number.
    case reopened(startTicks: UInt64)
  }

  /// Opens the files; throws when the thread is gone.
  package init(process: Int32, thread: Int32) throws(SystemError) {
    try self.init(folder: TaskFolder(process: process), thread: thread)
  }

  /// The same from an open folder: half the cost; `mayKeep` is false to open them for each read.
  package init(
    folder: TaskFolder, thread: Int32, mayKeep: Bool = true
  ) throws(SystemError) {
    tid = thread
    self.folder = folder
    if mayKeep, let kept = try Self.keep(thread, of: folder) {
      source = kept
    } else {
      source = try Self.reopen(thread, of: folder)
    }
  }

  deinit {
    guard case .kept(let stat, let schedstat, let syscall) = source else { return }
    for file in [stat, schedstat, syscall] where file >= 0 { close(file) }
    ThreadDescriptors.giveBack(Self.count)
  }

  /// Descriptors of a thread whose files are kept open.
  private static let count = 3

  /// Nil where this process may not have so many more files open.
  private static func keep(_ thread: Int32, of folder: TaskFolder) throws(SystemError) -> Source? {
    guard ThreadDescriptors.take(count) else { return nil }
    let stat = folder.open("stat", of: thread)
    let schedstat = stat >= 0 ? folder.open("schedstat", of: thread) : stat
    let syscall = stat >= 0 ? folder.open("syscall", of: thread) : stat
    let files = [stat, schedstat, syscall]
    let isRefused = files.contains { SystemError.meansTooManyFiles(-$0) }
    if stat >= 0, !isRefused { return .kept(stat: stat, schedstat: schedstat, syscall: syscall) }
    for file in files where file >= 0 { close(file) }
    ThreadDescriptors.giveBack(count)
    guard isRefused else {
      throw SystemError("/proc/\(folder.process)/task/\(thread)/stat", code: -stat)
    }
    return nil
  }

  private static func reopen(_ thread: Int32, of folder: TaskFolder) throws(SystemError) -> Source {
    let path = "/proc/\(folder.process)/task/\(thread)/stat"
    let file = folder.open("stat", of: thread)
    guard file >= 0 else { throw SystemError(path, code: -file) }
    defer { close(file) }
    guard let birth = withStart(of: file, capacity: 512, { TaskBirth(parsing: $0) }) else {
      throw SystemError(path, code: SystemError.noSuchProcess)
    }
    return .reopened(startTicks: birth.startTicks)
  }
}

extension ThreadFiles {
  /// Whether a read opens its file anew, so that what it says may be another thread's by now.
  package var areReopened: Bool { if case .reopened = source { true } else { false } }

  /// Whether the thread has ended, and nothing is left of it; false where this process may only just
  /// not open its files.
  package var isGone: Bool {
    switch source {
    case .kept(let stat, _, _): withStart(of: stat, capacity: 16) { $0.first } == nil
    case .reopened(let startTicks):
      // What has its number by now may be another.
      !folder.has(tid) || (folder.identity(of: tid).map { $0.startTicks != startTicks } ?? false)
    }
  }

  /// The scheduler's counters; nil when the thread is gone or the kernel keeps none.
  package func counters() -> ThreadCounters? {
    func parse(_ text: UnsafeRawBufferPointer) -> ThreadCounters? { ThreadCounters(parsing: text) }
    return switch source {
    case .kept(_, let schedstat, _): withStart(of: schedstat, capacity: 96, parse)
    case .reopened: folder.read("schedstat", of: tid, capacity: 96, parse)
    }
  }

  /// How often the thread has given up a CPU to sleep or to stop, and not because others took it; nil
  /// when it is gone.
  ///
  /// Costs about 10 µs: the kernel writes all of the thread's status.
  package func voluntarySwitches() -> UInt64? {
    folder.read("status", of: tid, capacity: 4096) { text in
      let mark = "\nvoluntary_ctxt_switches:\t".utf8
      // Near the end of the file.
      guard text.count > mark.count else { return nil }
      for start in (0..<text.count - mark.count).reversed()
      where text[start] == UInt8(ascii: "\n") && text[start...].starts(with: mark) {
        var scanner = NumberScanner(UnsafeRawBufferPointer(rebasing: text[(start + mark.count)...]))
        return scanner.decimal()
      }
      return nil
    }
  }

  /// What the thread is doing in the kernel, if it is there.
  package func systemCall() -> SystemCallState {
    func parse(_ text: UnsafeRawBufferPointer) -> SystemCallState? {
      SystemCallState(parsing: text)
    }
    let state =
      switch source {
      case .kept(_, _, let syscall): withStart(of: syscall, capacity: 256, parse)
      case .reopened: folder.read("syscall", of: tid, capacity: 256, parse)
      }
    return state ?? .unavailable
  }

  /// Nil when the thread is gone.
  package func state() -> ThreadState? { readStat(capacity: 256) { ThreadStat.state(parsing: $0) } }

  /// The state with the name and the CPU, in one read; nil when the thread is gone.
  package func details() -> ThreadStat? { readStat(capacity: 512) { ThreadStat(parsing: $0) } }

  private func readStat<Value>(
    capacity: Int, _ body: (UnsafeRawBufferPointer) -> Value?
  ) -> Value? {
    switch source {
    case .kept(let stat, _, _): return withStart(of: stat, capacity: capacity, body)
    case .reopened(let startTicks):
      return folder.read("stat", of: tid, capacity: 512) { text in
        TaskBirth(parsing: text)?.startTicks == startTicks ? body(text) : nil
      }
    }
  }
}

/// The descriptors that files of threads are kept open with, of all captures of this process together.
private enum ThreadDescriptors {
  private static let taken = Atomic<Int>(0)

  /// Takes `count` of them, unless that leaves less than half of what this process may have open for
  /// all else, such as the program's own files.
  static func take(_ count: Int) -> Bool {
    let limit = OpenFileLimit.current / 2
    guard taken.add(count, ordering: .relaxed).newValue <= limit else {
      giveBack(count)
      return false
    }
    return true
  }

  static func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}
