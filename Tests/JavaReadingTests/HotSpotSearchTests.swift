import LinuxProcess
import ProfileModel
import TestSupport
import Testing

@testable import JavaReading

@Suite struct `The search for a Java VM` {
  private func search(_ paths: [String], in memory: ProcessMemory) throws -> HotSpotSearch {
    let text = paths.enumerated().map { number, path in
      let start = String(0x7f00_0000_0000 + number * 0x10000, radix: 16)
      let end = String(0x7f00_0000_1000 + number * 0x10000, radix: 16)
      return "\(start)-\(end) r-xp 00000000 08:01 \(1000 + number) \(path)\n"
    }
    return HotSpotSearch.run(memory: memory, maps: try MemoryMaps(parsing: text.joined()))
  }

  @Test func `finds none in a program of C`() throws {
    let program = try RunningProgram(fixture: "cycles.c", ["mutex"])
    let memory = ProcessMemory(tid: program.pid)
    let found = HotSpotSearch.run(memory: memory, maps: try memory.maps())
    guard case .none = found else {
      Issue.record("found \(found)")
      return
    }
    program.kill()
  }

  @Test func `knows OpenJ9 by its library`() throws {
    let program = try RunningProgram(fixture: "cycles.c", ["mutex"])
    let found = try search(
      ["/opt/java/lib/server/libjvm.so", "/opt/java/lib/default/libj9vm29.so"],
      in: ProcessMemory(tid: program.pid))
    guard case .unknown("Java on OpenJ9") = found else {
      Issue.record("found \(found)")
      return
    }
    program.kill()
  }

  @Test func `says of a library that is gone that it cannot be read`() throws {
    let program = try RunningProgram(fixture: "cycles.c", ["mutex"])
    let found = try search(
      ["/nowhere/libjvm.so"], in: ProcessMemory(tid: program.pid))
    guard case .unreadable = found else {
      Issue.record("found \(found)")
      return
    }
    program.kill()
  }
}
