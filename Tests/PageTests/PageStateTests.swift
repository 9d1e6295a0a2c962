import ProfileExport
import ProfileModel
import TestSupport
import Testing

/// What a page shows at first, and how it changes and comes back.
extension `A page in a browser` {
  /// The page and the JSON report of a profile, as files.
  private func write(_ profile: Profile, in folder: TemporaryFolder) throws -> [String] {
    let (page, report) = (folder.path + "/a.html", folder.path + "/a.json")
    try write(page) { PageExporter().write(profile, to: &$0) }
    try write(report) { JSONReport(profile).write(to: &$0) }
    return [page, report]
  }

  @Test func `shows the answer on the first screen, and the threads that it is about`() throws {
    let folder = try TemporaryFolder()
    let program = try RunningProgram(fixture: "deadlock.c", ["3"])
    let (file, page) = (folder.path + "/a.pb.gz", folder.path + "/a.html")
    let outcome = try SprofCommand.run(
      ["attach", "\(program.pid)", "--duration", "1500ms", "-o", file, "--html", page])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try program.assertUntouched()
    #expect(strayChildren() == [])
    let report = try SprofCommand.run(["report", file, "--json"])
    try write(folder.path + "/a.json") { $0 = report.stdout }
    expectPassed(try Driver.run("answer", [page, folder.path + "/a.json"]))
  }

  @Test func `leaves out the time in which threads rest, until that is asked for`() throws {
    let folder = try TemporaryFolder()
    let files = try write(RestingThreads.profile, in: folder)
    expectPassed(try Driver.run("idle", files + ["pool-1", "worker"]))
  }

  @Test func `has what it shows in its address, and goes back step by step`() throws {
    let folder = try TemporaryFolder()
    let files = try write(RestingThreads.profile, in: folder)
    expectPassed(try Driver.run("address", [files[0], "compute"]))
  }

  @Test func `opens the call tree row by row`() throws {
    let folder = try TemporaryFolder()
    let files = try write(RestingThreads.profile, in: folder)
    expectPassed(try Driver.run("calltree", files + ["compute"]))
  }

  @Test func `gives a span of time all of the width`() throws {
    let folder = try TemporaryFolder()
    let files = try write(RestingThreads.profile, in: folder)
    expectPassed(try Driver.run("timeline", [files[0]]))
  }

  @Test func `sets off the lines of source that took time`() throws {
    let folder = try TemporaryFolder()
    let program = try RunningProgram(fixture: "sleepers.c", ["1", "1"])
    let page = folder.path + "/a.html"
    let outcome = try SprofCommand.run(
      ["attach", "\(program.pid)", "--duration", "1s", "--html", page, "--source"])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try program.assertUntouched(progress: "iterations")
    #expect(strayChildren() == [])
    expectPassed(
      try Driver.run("source", [page, Repository.path("Fixtures/sleepers.c"), "compute("]))
  }
}

/// Threads that work or wait for a lock, and threads that rest in an event loop or sleep.
enum RestingThreads {
  static var profile: Profile {
    var maker = PageMaker()
    let module = maker.module("/usr/bin/served")
    let loop = maker.thread(4242, "served", isMain: true)
    let pool = maker.thread(4243, "pool-1")
    let worker = maker.thread(4244, "worker")
    let names = [
      ["main", "g_main_loop_run", "g_main_context_iterate", "poll"], ["main", "handle", "read"],
      ["start_thread", "doze", "clock_nanosleep"], ["start_thread", "serve", "compute"],
      ["start_thread", "serve", "render"],
    ]
    let stacks = names.map { maker.stack($0, in: module) }
    for tick in 1...100 {
      let time = Int64(tick) * 10_000_000
      let isHandling = tick % 4 == 0
      maker.sample(
        loop, stacks[isHandling ? 1 : 0],
        .blocked(WaitReason(systemCall: isHandling ? "read" : "poll")), at: time)
      maker.sample(pool, stacks[2], .blocked(WaitReason(systemCall: "clock_nanosleep")), at: time)
      maker.sample(worker, stacks[tick % 3 == 0 ? 3 : 4], at: time)
    }
    return maker.profile(named: "served")
  }
}
