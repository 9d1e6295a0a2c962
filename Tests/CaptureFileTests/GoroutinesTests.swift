import ProfileModel
import Testing

@testable import CaptureFile

@Suite struct `Goroutines in a capture` {
  private func goroutines(_ count: Int) -> Goroutines {
    var list = Goroutines(pid: 4242, version: "go1.27.3", isSteady: true, isCut: true)
    list.stacks = (0..<count).map { number in
      [
        SourceLine(function: "main.wait", file: "/src/a.go", line: number + 1),
        SourceLine(function: "main.(*T[...]).run"),
      ]
    }
    list.groups = (0..<count).map { number in
      GoroutineGroup(
        state: GoroutineGroup.State.allCases[number % 5], reason: number % 3 == 0 ? "select" : nil,
        stack: number % 4 == 0 ? nil : number,
        creator: number % 2 == 0 ? SourceLine(function: "main.main", file: "a.go", line: 3) : nil,
        count: number + 1, ids: [1, UInt64(number) + 2], isOfRuntime: number % 7 == 0,
        object: number % 3 == 1 ? RemoteAddress(0xc000_0000_0000) : nil,
        waited: Int64(number), longestWait: Int64(number) * 2, longWaiters: number,
        threads: number % 5 == 0 ? [4242, 0] : [])
    }
    return list
  }

  @Test(arguments: [0, 1, 700, 1203]) func `come back as they were`(count: Int) throws {
    var profile = RandomCapture.profile(seed: 7)
    profile.goroutines = [goroutines(count)]
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.goroutines == profile.goroutines)
  }

  @Test func `are told from virtual threads of the same process`() throws {
    var profile = RandomCapture.profile(seed: 7)
    var threads = Goroutines(pid: 4242, version: "JDK 25")
    threads.kind = .virtualThread
    threads.isUntracked = true
    threads.stacks = [[SourceLine(function: "A.b", file: "A.java", line: 3, language: .java)]]
    var group = GoroutineGroup(state: .waiting, reason: "PARKED", stack: 0, count: 2, ids: [3, 4])
    group.names = ["x", ""]
    group.wait = Wait(
      kind: .mutex,
      object: WaitObject(address: RemoteAddress(0x10), flavor: LockFlavor([.java]), variable: "L"),
      owners: [.thread(tid: -5)], isTimed: true)
    threads.groups = [group]
    profile.goroutines = [goroutines(3), threads]
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.goroutines == profile.goroutines)
  }

  @Test func `lose references to stacks that are not there`() throws {
    var profile = RandomCapture.profile(seed: 7)
    profile.goroutines = [goroutines(4)]
    profile.goroutines[0].groups[1].stack = 99
    profile.goroutines[0].groups[2].stack = -1
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.goroutines[0].groups[1].stack == nil)
    #expect(read.goroutines[0].groups[2].stack == nil)
    #expect(read.goroutines[0].groups[3] == profile.goroutines[0].groups[3])
  }
}
