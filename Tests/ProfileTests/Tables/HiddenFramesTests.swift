internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// A Python thread that waits for a mutex in a C function, twice in the same line, and another thread
/// without Python.
private struct MixedProgram {
  var maker: ProfileMaker
  let script = SourceLine(function: "transfer", file: "/app/bank.py", line: 7)

  init(kind: CaptureInfo.Kind) {
    maker = ProfileMaker(kind: kind)
    maker.profile.capture.duration = 10_000_000_000
    let python = maker.module("/usr/bin/python3")
    let libc = maker.module("/lib/libc.so.6")
    let start = maker.frame(SourceLine(function: "_start"), in: python)
    let line = maker.interpretedFrame(script)
    let lock = maker.frame(SourceLine(function: "pthread_mutex_lock"), in: libc)
    let wait = maker.frame(SourceLine(function: "pthread_cond_wait"), in: libc)
    let clone = maker.frame(SourceLine(function: "clone"), in: libc)
    let stacks = [wait, lock].map { maker.stack(outermostFirst: [start, line, $0]) }
    let main = maker.thread(4242, "bank", isMain: true)
    for (turn, stack) in stacks.suffix(kind == .dump ? 1 : 2).enumerated() {
      maker.run(
        main, stack, .asleep(in: "futex"), ticks: 500, start: Int64(turn) * 5_000_000_000)
    }
    let other = maker.thread(4243, "log")
    maker.run(
      other, maker.stack(outermostFirst: [clone, wait]), .asleep(in: "futex"), ticks: 1000)
  }

  static func withoutNative(_ views: [ReportView] = []) -> ReportOptions {
    var options = ReportOptions(views: Set(views))
    options.showsNative = false
    return options
  }
}

@Suite struct `A view without native frames` {
  @Test func `has those of threads that run nothing else`() {
    let program = MixedProgram(kind: .attach)
    let shown = program.maker.profile.hidingNativeFrames()
    let names = shown.runs.map { run in
      ProfileIndex(shown).frames(of: run.stack).map(\.line.function)
    }
    #expect(names == [["transfer"], ["transfer"], ["pthread_cond_wait", "clone"]])
    #expect(shown.runs.map(\.weight) == program.maker.profile.runs.map(\.weight))
  }

  @Test func `keeps the mark of frames that were left out`() {
    var program = MixedProgram(kind: .dump)
    let gap = program.maker.profile.stacks.id(of: .elided())
    program.maker.profile.symbols.append(ResolvedFrame(unknown: .elided()))
    let frames = program.maker.profile.stacks.frames(of: program.maker.profile.runs[0].stack)
    let deep = program.maker.stack(outermostFirst: [
      frames[2], frames[1], gap, frames[1], frames[0],
    ])
    program.maker.run(0, deep, .asleep(in: "futex"), start: 1)
    let shown = program.maker.profile.hidingNativeFrames()
    let last = shown.stacks.frames(of: shown.runs[2].stack)
    #expect(last == [frames[1], gap, frames[1]])
  }

  @Test(arguments: [CaptureInfo.Kind.attach, .dump])
  func `says what the matter is as that with all frames does`(kind: CaptureInfo.Kind) throws {
    let profile = MixedProgram(kind: kind).maker.profile
    let whole = try verdict(profile, ReportOptions())
    #expect(whole.contains("mutex"))
    #expect(try verdict(profile, MixedProgram.withoutNative()) == whole)
    var text = ""
    let options = MixedProgram.withoutNative(ReportView.allCases)
    if kind == .dump {
      DumpReport(profile, options: options).write(to: &text)
    } else {
      TextReport(profile, options: options).write(to: &text)
    }
    #expect(text.hasPrefix(whole.prefix(20)))
    #expect(text.contains("transfer") && text.contains("clone"))
    #expect(!text.contains("pthread_mutex_lock") && !text.contains("_start"))
  }

  private func verdict(_ profile: Profile, _ options: ReportOptions) throws -> String {
    let object = try `JSON report`.object(profile, options)
    let verdict = try #require(object["verdict"] as? `JSON report`.Object)
    return try #require(verdict["words"] as? String)
  }

  @Test func `tells waits of several kinds in one line of Python apart`() {
    var text = ""
    TextReport(
      MixedProgram(kind: .attach).maker.profile, options: MixedProgram.withoutNative([.waits])
    ).write(to: &text)
    #expect(text.contains("for a mutex") && text.contains("for a condition variable"))
  }
}

@Suite struct `The module of Python code` {
  @Test func `is its file, in the table and for the filter`() {
    let profile = MixedProgram(kind: .attach).maker.profile.hidingNativeFrames()
    let index = ProfileIndex(profile)
    let table = FlatTable(index, by: .module, threads: [0, 1])
    let names = table.rows.map { $0.item.flatMap { table.names[$0] } }
    #expect(names == ["/lib/libc.so.6", "/app/bank.py"])
    for (glob, count) in [("bank*", 2), ("*.py", 2), ("/app/*", 2), ("libc*", 1), ("*.pyc", 0)] {
      var filter = ProfileFilter()
      filter.module = Glob(glob)
      #expect(filter.apply(to: profile).runs.count == count, "\(glob)")
    }
  }
}
