internal import ProfileModel

extension ProfileEncoder {
  /// Adds the facts about the capture as a whole, its threads, waits, tasks and modules.
  mutating func addFacts(of profile: Profile) {
    var facts = CaptureFacts()
    facts.version = SprofVersion.current
    facts.complete = true
    facts.capture = CaptureFacts.Capture(profile.capture)
    let problems = profile.modules.enumerated().compactMap { number, module in
      module.problem.map { CaptureFacts.Problem(module: number, problem: $0.words) }
    }
    if !problems.isEmpty { facts.problems = problems }
    add(facts)
    addComment()
    add(Array(profile.threads.enumerated().map { ($0.offset, $0.element) }))
    add(profile.blockings)
    for part in CaptureFacts.History.parts(of: profile.waitHistory) {
      var facts = CaptureFacts()
      facts.history = part
      add(facts)
    }
    for tasks in profile.tasks {
      for part in CaptureFacts.Tasks.parts(of: tasks) {
        var facts = CaptureFacts()
        facts.tasks = part
        add(facts)
      }
    }
    for list in profile.goroutines {
      for part in CaptureFacts.GoroutineList.parts(of: list) {
        var facts = CaptureFacts()
        facts.goroutines = part
        add(facts)
      }
    }
    for (number, module) in profile.modules.enumerated() { add(module, number: Int32(number)) }
  }

  /// Adds threads, in parts of no more than 100 each.
  mutating func add(_ threads: [(index: Int, info: ThreadInfo)]) {
    for some in threads.inParts(of: 100) {
      var facts = CaptureFacts()
      facts.threads = some.map { CaptureFacts.Thread($0.index, $0.info) }
      add(facts)
    }
  }

  /// Adds waits, in parts of no more than 100 each.
  private mutating func add(_ blockings: [Blocking]) {
    for some in blockings.inParts(of: 100) {
      var facts = CaptureFacts()
      facts.waits = some.map { CaptureFacts.Waiting($0) }
      add(facts)
    }
  }
}
