import Glibc
import Testing

@testable import LinuxProcess

@Suite struct `Cause of a refusal` {
  private static let all: UInt64 = (1 << 41) - 1
  private static let tracing: UInt64 = 1 << 19
  private static let reading: UInt64 = 1 << 2

  /// What the kernel refuses to user 1000, who wants to trace a program of user 0.
  private func facts(_ change: (inout AccessFacts) -> Void) -> AccessProblem {
    var facts = AccessFacts(
      me: 1000, capabilities: 0, user: 0, effectiveUser: 0, targetCapabilities: Self.all,
      yamaScope: nil, isPtraceAllowed: true, isDumpable: true,
      failure: SystemError("open", code: EACCES), isUnreadable: true)
    change(&facts)
    return facts.problem
  }

  @Test func `is the other user where nothing forbids it to root`() {
    #expect(facts { _ in } == .otherUser(owner: 0, me: 1000))
    #expect(facts { $0.yamaScope = 1 } == .otherUser(owner: 0, me: 1000))
    #expect(facts { $0.yamaScope = 2 } == .otherUser(owner: 0, me: 1000))
  }

  @Test func `is what root could not change either, where there is that`() {
    #expect(facts { $0.yamaScope = 3 } == .yama(scope: 3))
    #expect(facts { $0.isPtraceAllowed = false } == .seccomp)
    #expect(
      facts {
        $0.me = 0
        $0.capabilities = Self.all
        $0.yamaScope = 3
      } == .yama(scope: 3))
  }

  @Test func `is the capability to read files where that to trace is there`() {
    #expect(facts { $0.capabilities = Self.tracing } == .missingReadCapability)
    // With both the kernel has another reason.
    #expect(
      facts { $0.capabilities = Self.tracing | Self.reading } == .missingCapability)
  }

  @Test(arguments: [1, 2])
  func `is Yama for a program of one's own`(scope: Int) {
    let own = { (facts: inout AccessFacts) in
      (facts.user, facts.effectiveUser, facts.yamaScope) = (1000, 1000, scope)
    }
    #expect(facts(own) == .yama(scope: scope))
    #expect(
      facts {
        own(&$0)
        $0.isUnreadable = false
        $0.isDumpable = false
        $0.capabilities = Self.tracing
      } == .undumpable)
  }

  @Test func `of root without the capability to trace is that`() {
    #expect(
      facts {
        $0.me = 0
        $0.capabilities = Self.all & ~Self.tracing
        $0.isUnreadable = false
      } == .missingCapability)
  }
}

@Suite struct `Process that others descend from` {
  private func match(_ pid: Int32) -> ProcessSearch.Match {
    // The test's own start, so that it is still there.
    let identity = (try? ProcessIdentity(of: getpid())) ?? ProcessIdentity(pid: 0, startTicks: 0)
    return ProcessSearch.Match(
      process: pid == getpid() ? identity : ProcessIdentity(pid: pid, startTicks: 0), name: "x",
      commandLine: [])
  }

  @Test func `is found through processes of other names`() {
    let own = getpid()
    // 3 and 4 are children of 2, which has another name and is a child of this process.
    let parents: [Int32: Int32] = [3: 2, 4: 2, 2: own, own: 1]
    let matches = [match(3), match(own), match(4)]
    #expect(ProcessSearch.ancestor(of: matches) { parents[$0] }?.pid == own)
  }

  @Test func `is not one of two families, nor of a circle`() {
    let own = getpid()
    #expect(ProcessSearch.ancestor(of: [match(3), match(own)]) { _ in 1 } == nil)
    // Parents are read one after the other, while they change.
    let circle: [Int32: Int32] = [3: 4, 4: 3]
    #expect(ProcessSearch.ancestor(of: [match(3), match(4)]) { circle[$0] } == nil)
  }
}

@Suite struct `Program that was held` {
  @Test func `has an unknown end when another has collected it, and not that of success`() throws {
    let program = try HeldProgram.start(
      ["/bin/sh", "-c", "exit 3"], mask: SignalMask.block([]))
    program.release()
    var status: CInt = 0
    #expect(waitpid(program.pid, &status, 0) == program.pid)
    #expect((status >> 8) & 0xFF == 3)
    #expect(throws: SystemError("waitpid", code: ECHILD)) { try program.waitForEnd() }
  }
}
