import ProfileModel
import Testing

@testable import CaptureFile

@Suite struct `Tasks in a capture` {
  /// As a reader finds it: one with everything, and one that says little.
  static func tasks(count: Int) -> [AsyncTasks] {
    let stacks = (0..<max(1, count / 2)).map { number in
      [
        SourceLine(function: "sleep \u{1B}", file: "/lib/a ü.py", line: number),
        SourceLine(function: "<code at 0x\(number)>"),
      ]
    }
    let tasks = (0..<count).map { number in
      AsyncTask(
        address: RemoteAddress(.max - UInt64(number)), name: "t\u{1B}\"\(number)",
        tid: number % 3 == 0 ? nil : Int32(number),
        state: AsyncTask.State.allCases[number % AsyncTask.State.allCases.count],
        stack: number % 5 == 0 ? nil : number % stacks.count,
        awaitedBy: number % 2 == 0 ? [] : [number, 0])
    }
    return [
      AsyncTasks(
        pid: 4242, tasks: tasks, stacks: stacks, tornThreads: [1, 9], movedThreads: [9],
        isCut: true),
      AsyncTasks(
        pid: 7,
        tasks: [
          AsyncTask(
            address: RemoteAddress(1), name: "", tid: 7, state: .suspended, stack: nil)
        ]),
    ]
  }

  @Test(arguments: [1, 499, 500, 1_700])
  func `come back as they were`(count: Int) throws {
    var profile = RandomCapture.profile(seed: 7)
    profile.tasks = Self.tasks(count: count)
    let read = try CaptureReader.read(messages(of: profile), name: "x")
    #expect(read.tasks == profile.tasks)
    try expectSame(read, profile)
  }

  @Test func `lose what refers to nothing`() throws {
    var profile = RandomCapture.profile(seed: 7)
    profile.tasks = Self.tasks(count: 4)
    for (stack, awaiter) in [(Int.max, Int.max), (-1, -1), (2, 4)] {
      profile.tasks[0].tasks[1] = AsyncTask(
        address: RemoteAddress(0), name: "bad", tid: nil, state: .suspended, stack: stack,
        awaitedBy: [awaiter, 3])
      let read = try CaptureReader.read(messages(of: profile), name: "x").tasks[0]
      #expect(read.tasks[1].stack == nil && read.tasks[1].awaitedBy == [3])
      #expect(read.tasks[2] == profile.tasks[0].tasks[2])
    }
  }

  @Test func `of a later version keep what is known of them`() throws {
    let line = #"""
      sprof:v1 {"tasks":{"pid":3,"new":1,"list":[{"name":"a","address":1,"state":"dreams","x":[]}]}}
      """#
    let facts = try #require(try CaptureFacts(text: line))
    var all: [AsyncTasks] = []
    facts.tasks?.add(to: &all)
    #expect(all.count == 1 && all[0].pid == 3)
    #expect(all[0].tasks.map(\.state) == [.suspended])
  }
}
