import ProfileAnalysis
import ProfileModel
import Testing

@testable import ProfileExport

/// Verdicts that go through virtual threads of Java.
@Suite struct `The verdict on virtual threads` {
  private static let lock = "java.util.concurrent.locks.ReentrantLock"

  private static func wait(by owner: Int32) -> Wait {
    Wait(
      kind: .mutex,
      object: WaitObject(
        address: RemoteAddress(0x9000), flavor: LockFlavor([.java]), variable: Self.lock),
      owners: [.thread(tid: owner)])
  }

  private static func list(_ groups: [GoroutineGroup]) -> Goroutines {
    var list = Goroutines(pid: 4242, version: "JDK 25", groups: groups)
    list.kind = .virtualThread
    list.stacks = [
      ["java.util.concurrent.locks.ReentrantLock.lock", "Bank.move"].map {
        SourceLine(function: $0, file: "Bank.java", line: 7, language: .java)
      }
    ]
    return list
  }

  private static func group(_ ids: [UInt64], names: [String], _ wait: Wait?) -> GoroutineGroup {
    var group = GoroutineGroup(
      state: .waiting, reason: "PARKED", stack: 0, count: ids.count, ids: ids)
    (group.names, group.wait) = (names, wait)
    return group
  }

  @Test func `finds a ring through them and threads of the system`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "java/Bank.run java/Bank.main", .asleep(in: "futex"))
    maker.wait(4242, Self.wait(by: -17))
    maker.wait(-17, Self.wait(by: -18))
    maker.wait(-18, Self.wait(by: 4242))
    maker.maker.profile.goroutines = [
      Self.list([
        Self.group([17], names: ["journal"], Self.wait(by: -18)),
        Self.group([18], names: [], Self.wait(by: 4242)),
      ])
    ]
    #expect(maker.verdict.kind == .deadlock)
    let text = ReportHead.text(maker.profile)
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains("\"journal\" (virtual thread 17), in Bank.move (Bank.java:7), "), "\(text)")
    #expect(words.contains("held by virtual thread 18"), "\(text)")
    #expect(words.contains("virtual thread 18, in Bank.move (Bank.java:7), has been"), "\(text)")
  }

  @Test func `is no hang where many wait for work`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "java/Bank.run java/Bank.main", .asleep(in: "futex"))
    let queue = Wait(kind: .conditionVariable)
    maker.maker.profile.goroutines = [
      Self.list([Self.group(Array(20..<84), names: [], queue)])
    ]
    for thread in Int32(20)..<84 { maker.wait(-thread, queue) }
    #expect([.waiting, .idle, .inconclusive].contains(maker.verdict.kind))
    #expect(maker.verdict.goroutines == nil)
  }

  @Test func `tells of a lock that many wait for who holds it`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "java/Bank.run java/Bank.main", .asleep(in: "clock_nanosleep"))
    maker.maker.profile.goroutines = [
      Self.list([Self.group(Array(20..<84), names: [], Self.wait(by: 4242))])
    ]
    #expect(maker.verdict.kind == .waiting)
    #expect(maker.verdict.goroutines?.kind == .virtualLock)
    let text = ReportHead.text(maker.profile)
    #expect(text.contains("64 virtual threads are waiting for a ReentrantLock"), "\(text)")
    #expect(text.contains("held by"), "\(text)")
    #expect(text.contains("main thread (4242), which is sleeping"), "\(text)")
  }

  @Test func `reads what no capture should have`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "java/Bank.run java/Bank.main", .asleep(in: "futex"))
    for owner in [Int32.min, -1, 0] {
      maker.wait(owner, Self.wait(by: .min))
      var group = Self.group([0, .max], names: ["a", "b", "c"], Self.wait(by: owner))
      group.threads = [4242, 1, 2, 3]
      var running = group
      running.state = .running
      maker.maker.profile.goroutines = [Self.list([group, running])]
      #expect(!ReportHead.text(maker.profile).isEmpty)
      var text = ""
      DumpReport(maker.profile).write(to: &text)
      #expect(text.contains("virtual threads"))
    }
  }
}
