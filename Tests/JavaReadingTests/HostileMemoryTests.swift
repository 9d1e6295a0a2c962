import Foundation
import LinuxProcess
import ProfileModel
import RuntimeReading
import Synchronization
import TestSupport
import Testing

@testable import JavaReading

/// The memory of a process with some of its bytes changed, anew at each read.
private final class MutatedMemory: TargetMemory {
  private let memory: ProcessMemory
  private var state: UInt64
  /// One of so many reads is changed.
  private let rarity: UInt64

  init(_ memory: ProcessMemory, seed: UInt64, rarity: UInt64) {
    self.memory = memory
    state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    self.rarity = rarity
  }

  private func next() -> UInt64 {
    // xorshift64.
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  func read(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    let count = memory.read(ranges, into: buffer)
    guard count > 0, next() % rarity == 0 else { return count }
    switch next() % 4 {
    case 0: return Int(next() % UInt64(count))
    case 1:
      // A word that looks like another address, or like a great number.
      let place = Int(next() % UInt64(count)) & ~7
      for offset in 0..<min(8, count - place) {
        buffer[place + offset] = UInt8(truncatingIfNeeded: next())
      }
    case 2:
      for _ in 0..<4 { buffer[Int(next() % UInt64(count))] = 0xff }
    default: buffer[Int(next() % UInt64(count))] ^= 1 << UInt8(next() % 8)
    }
    return count
  }
}

@Suite(.serialized, .enabled(if: JavaRelease.isThere, "needs a JDK"))
struct `Hostile memory of a Java VM` {
  private func runtime(of pid: Int32) throws -> HotSpotRuntime {
    let memory = ProcessMemory(tid: pid)
    guard case .found(let runtime) = HotSpotSearch.run(memory: memory, maps: try memory.maps())
    else { throw TestFailure("no Java VM in \(pid)") }
    return runtime
  }

  @Test(arguments: JavaRelease.all) func `is read without a trap`(java: JavaRelease) throws {
    let program = try java.start("Stacks")
    let memory = ProcessMemory(tid: program.pid)
    let runtime = try runtime(of: program.pid)
    let place = ThreadPlace()
    var frames = 0
    for seed in 1...300 {
      let mutated = MutatedMemory(memory, seed: UInt64(seed), rarity: UInt64(4 + seed % 60))
      guard let reader = JavaReader(runtime, memory: mutated, process: program.pid) else {
        continue
      }
      _ = reader.refreshThreads(from: mutated)
      for info in reader.infos.prefix(12) {
        guard let thread = reader.thread(info.tid) else { continue }
        thread.prepare()
        _ = thread.copy(
          at: place, from: mutated, reads: .max, until: .distantFuture, isStopped: false)
        frames += thread.finish().frames.count
      }
      _ = reader.waits(from: mutated)
      _ = reader.threadNames(from: mutated)
      _ = reader.refuted(from: mutated)
    }
    // Most reads are not changed: there is something to be seen.
    #expect(frames > 1000)
    program.kill()
  }

  @Test(arguments: Repository.pairs(JavaRelease.withVirtualThreads, ["locks", "monitors", "rest"]))
  func `has virtual threads that are read without a trap`(
    java: JavaRelease, kind: String
  ) throws {
    let program = try java.start("Virtual", [kind, "300"])
    let memory = ProcessMemory(tid: program.pid)
    let runtime = try runtime(of: program.pid)
    var (threads, lines) = (0, 0)
    for seed in 1...300 {
      let mutated = MutatedMemory(memory, seed: UInt64(seed), rarity: UInt64(20 + seed * 4))
      guard let reader = JavaReader(runtime, memory: mutated, process: program.pid) else {
        continue
      }
      _ = reader.refreshThreads(from: mutated)
      guard let list = reader.virtualThreads(from: mutated)?.list else { continue }
      threads += list.count
      lines += list.stacks.reduce(0) { $0 + $1.count }
    }
    #expect(threads > 200)
    #expect(lines > 1000)
    program.kill()
  }

  @Test(
    .enabled(if: Repository.isRoot && Tool.isInstalled("unshare"), "needs root and unshare"),
    arguments: JavaRelease.all)
  func `in a PID namespace has threads with the numbers of our side`(java: JavaRelease) throws {
    let program = try RunningProgram(
      ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
        + ["\(java.home)/bin/java", "-cp", JavaRelease.classes(), "Stacks"],
      deadline: .seconds(60))
    let inner = try #require(children(of: program.pid).first)
    let memory = ProcessMemory(tid: inner)
    let reader = try #require(
      JavaReader(try runtime(of: inner), memory: memory, process: inner))
    _ = reader.refreshThreads(from: memory)
    let names = reader.threadNames(from: memory)
    var compared = 0
    // The VM has given the kernel the names too, but that of the thread which it did not start.
    for (tid, name) in names where name != "main" && name.utf8.count < 16 {
      let path = "/proc/\(inner)/task/\(tid)/comm"
      let known = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first
      #expect(known.map { String($0) } == name)
      compared += 1
    }
    #expect(compared > 2)
    let main = try #require(reader.mainThread(from: memory))
    #expect(names[main] == "main" && reader.thread(main) != nil)
    program.kill()
  }

  @Test(arguments: JavaRelease.all)
  func `has tables that are read without a trap`(java: JavaRelease) throws {
    let program = try java.start("Stacks")
    let memory = ProcessMemory(tid: program.pid)
    let image = try #require(
      HotSpotImage(named: "libjvm.so", in: try memory.maps(), memory: memory))
    var known = 0
    for seed in 1...40 {
      let mutated = JavaMemory(
        MutatedMemory(memory, seed: UInt64(seed), rarity: seed % 8 == 0 ? 1 << 40 : 200))
      guard let tables = HotSpotTables(variables: image.variables, memory: mutated),
        (try? HotSpotLayout(tables, memory: mutated)) != nil
      else { continue }
      known += 1
    }
    #expect(known >= 5)
    program.kill()
  }

  @Test func `makes walks end`() throws {
    // Torn tables of lines and scopes, from random bytes alone.
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<40 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes.append(UInt8(truncatingIfNeeded: state))
      }
      let table = JavaLineTable.read(bytes, version: state & 1 == 0 ? 17 : 21)
      #expect(table.byteCount < 1 << 16)
      _ = CompiledFrameEdge(entering: bytes)
      _ = CompiledFrameEdge(leaving: bytes)
    }
  }
}
