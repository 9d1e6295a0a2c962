internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A brief report` {
  private struct Brief: Decodable {
    struct Thread: Decodable {
      struct Frame: Decodable { let function: String }
      let tid: Int32
      let state: String
      let wait: String?
      let frames: [Frame]
    }
    let chain: [String]
    let threads: [Thread]
    let more_threads: Int
  }

  private func text(_ profile: Profile) -> String {
    var text = ""
    BriefReport(profile).write(asJSON: false, to: &text)
    #expect(text.utf8.count < BriefReport.sizeLimit)
    return text
  }

  private func json(_ profile: Profile) throws -> Brief {
    var text = ""
    BriefReport(profile).write(asJSON: true, to: &text)
    #expect(text.utf8.count < BriefReport.sizeLimit)
    return try JSONDecoder().decode(Brief.self, from: Data(text.utf8))
  }

  @Test func `tells what the verdict's thread waits for once`() throws {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "pthread_mutex_lock \(`The verdict`.handler)", .asleep(in: "futex"))
    maker.wait(4242, .mutex(by: .thread(tid: 4243)), since: -2_400_000_000)
    maker.thread(4243, "loader", "read fetch start_thread", .asleep(in: "read"))
    maker.wait(4243, .pipe(peers: [.process(pid: 70, tid: nil, name: "feed")]))
    let lines = text(maker.profile).split(separator: "\n")
    #expect(lines[0].hasPrefix("Hung: the main thread"))
    #expect(lines[1].hasPrefix("  \"loader\" (4243), in fetch, has been waiting"))
    #expect(try json(maker.profile).chain.first?.hasPrefix("\"loader\"") == true)
  }

  /// Threads that wait for each other, with long names of functions.
  private func deadlock(of count: Int32) -> Profile {
    var maker = WaitMaker()
    for number in 0..<count {
      maker.locked(
        4242 + number, "transaction-\(number)", by: .thread(tid: 4242 + (number + 1) % count),
        in: "transfer_between_accounts_\(number) process_incoming_order_with_retry "
          + "run_worker_until_shutdown_is_requested")
    }
    return maker.profile
  }

  @Test(arguments: [2, 3, 4]) func `has all threads of a small deadlock`(count: Int32) throws {
    let profile = deadlock(of: count)
    let brief = try json(profile)
    #expect(brief.threads.map(\.tid) == (0..<count).map { 4242 + $0 })
    #expect(brief.more_threads == 0)
    #expect(brief.threads.allSatisfy { !$0.frames.isEmpty })
    let text = text(profile)
    for tid in 4242..<4242 + count { #expect(text.contains("\nThread \(tid) ")) }
    #expect(!text.contains("more thread"))
  }

  @Test func `says how many threads it leaves out`() throws {
    let profile = deadlock(of: 40)
    let brief = try json(profile)
    #expect(brief.threads.count + brief.more_threads == 40 && brief.more_threads > 0)
    // The last one closes the cycle.
    #expect(brief.threads.last?.tid == 4281)
    let chain = brief.chain.filter { !$0.hasPrefix("…") }
    #expect(brief.chain.contains("… \(40 - chain.count) more in the chain …"))
    let shown = text(profile).split(separator: "\n").count { $0.hasPrefix("Thread ") }
    #expect(text(profile).hasSuffix("and \(40 - shown) more threads\n"))
  }

  @Test func `shows of a freeze the stack and what was done in it`() throws {
    var maker = FreezeMaker()
    for _ in 0..<3 {
      maker.run(
        "compute_everything lookupCommand processCommand aeProcessEvents aeMain main",
        milliseconds: 400)
      maker.rest(milliseconds: 1000)
    }
    let lines = text(maker.maker.maker.profile).split(separator: "\n")
    #expect(maker.diagnosis().verdict.kind == .froze)
    #expect(lines[2] == "Thread 4242 \"server\": in its longest freeze, at least 0.40 s: computed")
    #expect(lines[3].hasPrefix("  compute_everything"))
    let thread = try #require(try json(maker.maker.maker.profile).threads.first)
    #expect(thread.wait == nil && thread.frames.first?.function == "compute_everything")
  }

  @Test func `shows of a thread that rests now the stack in which it ran`() throws {
    var maker = WaitMaker()
    let main = maker.thread(4242, "", "parse load main", .running, share: 0.4)
    maker.run(
      main,
      "poll g_main_context_iterate g_main_loop_run main".split(separator: " ").map(String.init),
      .asleep(in: "poll"), from: maker.end / 2)
    #expect(maker.diagnosis.situations[0]?.idleness != nil)
    let thread = try #require(try json(maker.profile).threads.first)
    #expect(thread.frames.first?.function == "parse")
    #expect(thread.state.hasPrefix("running, 100.0 % of its CPU time"), "\(thread.state)")
    #expect(thread.wait == nil)
  }

  @Test func `gives no shares of a dump, which is one sample`() throws {
    var maker = WaitMaker()
    maker.thread(4242, "", "parse load main", .running)
    maker.maker.profile.capture.kind = .dump
    for thread in try json(maker.profile).threads { #expect(!thread.state.contains("%")) }
    #expect(!text(maker.profile).contains("% of its"))
  }

  @Test func `names a thread in one way, in the chain and by itself`() throws {
    var maker = WaitMaker()
    let name = "red\u{1B}\n\"x\""
    maker.locked(4242, "a", by: .thread(tid: 4243), in: "f main")
    maker.locked(4243, name, by: .thread(tid: 4242), in: "g main")
    let text = text(maker.profile)
    let shown = #""red\u{1B}\n\"x\"""#
    #expect(text.contains("  \(shown) (4243)"), "\(text)")
    #expect(text.contains("Thread 4243 \(shown): "), "\(text)")
  }

  @Test func `shows of a thread that mostly waits that wait and its stack`() throws {
    var maker = WaitMaker()
    let main = maker.thread(4242, "", "parse load main", .running, share: 0.3)
    maker.maker.profile.runs = []
    maker.run(main, ["parse", "load", "main"], .running, to: 3 * WaitMaker.second)
    maker.run(main, ["read", "fetch", "main"], .asleep(in: "read"), from: 3 * WaitMaker.second)
    maker.run(main, ["parse", "load", "main"], .running, from: maker.end - 10_000_000)
    let thread = try #require(try json(maker.profile).threads.first)
    #expect(thread.state == "mostly waiting to read from a descriptor", "\(thread.state)")
    #expect(thread.frames.map(\.function) == ["read", "fetch", "main"])
  }
}
