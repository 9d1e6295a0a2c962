internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import TestSupport
internal import Testing

@testable internal import PythonReading

@Suite(.enabled(if: !Interpreter.all.isEmpty, "no Python on this machine"))
struct `A lock of Python's threading` {
  @Test(
    arguments: Interpreter.onePerVersion, ["with", "nested", "condition", "rlock", "main"])
  func `is held by the thread in its block, or the one that it notes`(
    interpreter: Interpreter, way: String
  ) throws {
    let program = try interpreter.start("locked.py", [way, "sleep"])
    let target = try PythonTarget(pid: program.pid)
    let waits = try target.waits(of: 8)
    let holders = Set(waits.values.map(\.owner))
    #expect(holders.count == 1 && Set(waits.values.map(\.object)).count == 1)
    #expect(waits.values.allSatisfy { $0.kind == .mutex && $0.flavor == .python })
    let holder = try #require(holders.first ?? nil)
    #expect(waits[holder] == nil)
    #expect((holder == program.pid) == (way == "main"))
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `that was taken outside of any block has no known owner`(interpreter: Interpreter) throws {
    let program = try interpreter.start("locked.py", ["acquired", "sleep"])
    let waits = try PythonTarget(pid: program.pid).waits(of: 8)
    #expect(Set(waits.values.map(\.object)).count == 1)
    #expect(waits.values.allSatisfy { $0.kind == .semaphore && $0.owner == nil })
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion)
  func `that two threads take crosswise is held by the other`(interpreter: Interpreter) throws {
    let program = try interpreter.start("locked.py", ["crossed", "sleep"])
    let waits = try PythonTarget(pid: program.pid).waits(of: 2)
    for (tid, wait) in waits { #expect(waits[try #require(wait.owner)]?.owner == tid) }
    try program.assertUntouched()
  }

  @Test(arguments: Interpreter.onePerVersion, ["queue", "executor", "barrier"])
  func `that a pool waits at is none that is held`(interpreter: Interpreter, kind: String) throws {
    let program = try interpreter.start("locked.py", [kind])
    let target = try PythonTarget(pid: program.pid)
    #expect(target.reader.waits(from: target.memory).values.allSatisfy { $0.owner == nil })
    try program.assertUntouched()
  }

  @Test func `has no handler where the table says so, or is cut`() {
    // Units 2 to 5 keep 3 of the stack, 5 to 70 keep 1 and want the instruction.
    let bytes: [UInt8] = [0x82, 3, 20, 3 << 1, 0x85, 0x41, 1, 30, 1 << 1 | 1]
    let table = PythonHandlerTable(bytes: bytes[...])
    #expect(
      (0...71).map { table.depth(at: $0) ?? -1 } == [-1, -1, 3, 3, 3]
        + Array(repeating: 1, count: 65) + [-1, -1])
    for count in 0..<bytes.count {
      let cut = PythonHandlerTable(bytes: bytes.prefix(count))
      #expect(cut.depth(at: 9) == nil)
    }
    let endless = PythonHandlerTable(bytes: Array(repeating: 0x7f, count: 99)[...])
    #expect(endless.depth(at: 9) == nil)
  }
}

extension PythonTarget {
  /// What threads wait for, once `count` do.
  fileprivate func waits(of count: Int) throws -> [Int32: RuntimeWait] {
    var waits: [Int32: RuntimeWait] = [:]
    try waitUntil("\(count) threads wait") {
      _ = reader.refreshThreads(from: memory)
      waits = reader.waits(from: memory)
      return waits.count >= count
    }
    return waits
  }
}
