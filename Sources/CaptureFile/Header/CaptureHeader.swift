internal import ProfileModel

/// A file's facts about the capture as a whole: those of sprof's comments, or of pprof's own
/// fields.
struct CaptureHeader {
  private(set) var capture: CaptureInfo
  private(set) var threads: [Int: ThreadInfo] = [:]
  private(set) var problems: [Int: String] = [:]
  private(set) var blockings: [Blocking] = []
  private(set) var tasks: [AsyncTasks] = []
  /// Whether sprof wrote the file.
  private(set) var isOwn = false
  private(set) var isComplete = true

  /// PID_MAX_LIMIT, the most threads that Linux has at a time, so that no index asks for more
  /// memory.
  private static let threadLimit = 1 << 22
  /// Many more waits than sprof writes; the rest is left out.
  private static let blockingLimit = 1 << 16

  init(_ tables: Perftools_Profiles_Profile, name: String) throws(CaptureFileError) {
    capture = CaptureInfo(kind: .imported, pid: 0, processName: name)
    capture.startTime = Double(tables.timeNanos) / 1e9
    capture.duration = max(0, tables.durationNanos)
    if let mapping = tables.mapping.first, let path = try tables.known(mapping.filename) {
      capture.executable = path
      capture.processName = Module(path: path).name
    }
    for index in tables.comment {
      guard let comment = try CaptureComment(line: tables.text(index)) else { continue }
      try add(comment)
    }
  }

  private mutating func add(_ comment: CaptureComment) throws(CaptureFileError) {
    if let info = comment.capture, !isOwn {
      capture = info.info
      isOwn = true
      isComplete = comment.complete ?? true
      if !isComplete { capture.ending = .unfinished }
    }
    if let progress = comment.progress {
      capture.duration = progress.duration
      capture.cost.ticksPlanned = progress.ticksPlanned
      capture.cost.ticksTaken = progress.ticksTaken
      capture.cost.stoppedTime = progress.stopped
    }
    for thread in comment.threads ?? [] {
      guard thread.index >= 0, thread.index < Self.threadLimit else { throw .damaged(.header) }
      threads[thread.index] = thread.info
    }
    blockings += (comment.waits ?? []).prefix(Self.blockingLimit - blockings.count)
      .map(\.blocking)
    if let part = comment.tasks { part.add(to: &tasks) }
    for problem in comment.problems ?? [] { problems[problem.module] = problem.problem }
  }
}
