internal import ProfileModel

extension ProfileEncoder {
  /// Adds the facts about the capture as a whole, its threads, waits, tasks and modules.
  mutating func addFacts(of profile: Profile) {
    var comment = CaptureComment()
    comment.version = SprofVersion.current
    comment.complete = true
    comment.capture = CaptureComment.Capture(profile.capture)
    let problems = profile.modules.enumerated().compactMap { number, module in
      module.problem.map { CaptureComment.Problem(module: number, problem: $0) }
    }
    if !problems.isEmpty { comment.problems = problems }
    add(comment)
    add(Array(profile.threads.enumerated().map { ($0.offset, $0.element) }))
    add(profile.blockings)
    for tasks in profile.tasks {
      for part in CaptureComment.Tasks.parts(of: tasks) {
        var comment = CaptureComment()
        comment.tasks = part
        add(comment)
      }
    }
    for (number, module) in profile.modules.enumerated() { add(module, number: Int32(number)) }
  }

  /// Adds threads, in comments of no more than 100 each.
  mutating func add(_ threads: [(index: Int, info: ThreadInfo)]) {
    for start in stride(from: 0, to: threads.count, by: 100) {
      var comment = CaptureComment()
      comment.threads = threads[start..<min(start + 100, threads.count)].map {
        CaptureComment.Thread($0.index, $0.info)
      }
      add(comment)
    }
  }

  /// Adds waits, in comments of no more than 100 each.
  private mutating func add(_ blockings: [Blocking]) {
    for start in stride(from: 0, to: blockings.count, by: 100) {
      var comment = CaptureComment()
      comment.waits = blockings[start..<min(start + 100, blockings.count)].map {
        CaptureComment.Waiting($0)
      }
      add(comment)
    }
  }
}
