import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import Sampling

@Suite struct `The list of sampled threads` {
  private let account = ThreadAccount(counters: ThreadCounters(), time: 0, tick: 0)

  @Test func `counts the living threads that have no room in it`() throws {
    let program = try RunningProgram(fixture: "sleepers.c", ["4"])
    let folder = try TaskFolder(process: program.pid)
    var roster = ThreadRoster(folder, limit: 2)
    let all = folder.threads()
    #expect(all.count == 5)
    for tid in roster.newThreads() { _ = roster.add(tid, account: account) }
    #expect(roster.threads.map(\.tid) == Array(all.prefix(2)))
    #expect(roster.leftOut.threads == Set(all.dropFirst(2)) && roster.leftOut.failure == nil)
    // They are asked for again, and counted once.
    for tid in roster.newThreads() { _ = roster.add(tid, account: account) }
    #expect(roster.leftOut.threads.count == 3)
  }
}
