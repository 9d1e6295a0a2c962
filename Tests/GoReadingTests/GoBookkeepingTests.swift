import ByteReading
import ELFReading
import Foundation
import LinuxProcess
import ProfileModel
import RuntimeReading
import TestSupport
import Testing

@testable import GoReading

/// Words of memory at addresses that are multiples of eight; counts the reads.
private final class WordMemory: TargetMemory {
  var words: [UInt64: UInt64] = [:]
  private(set) var reads = 0

  func read(
    _ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    reads += 1
    var filled = 0
    for range in ranges {
      for offset in stride(from: 0, to: range.count, by: 8) {
        let word = words[range.start.rawValue + UInt64(offset)] ?? 0
        buffer.storeBytes(of: word, toByteOffset: filled, as: UInt64.self)
        filled += 8
      }
    }
    return filled
  }
}

@Suite struct `What is known of goroutines that wait` {
  private let offsets = GoOffsets.all[0]

  private func record(_ number: UInt64, stackPointer: UInt64 = 0x1000, runs: UInt8 = 7) -> GoRecord
  {
    var bytes = [UInt8](repeating: 0, count: offsets.size)
    func put(_ value: UInt64, at offset: Int) {
      for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    put(number, at: offsets.number)
    put(stackPointer, at: GoOffsets.savedStackPointer)
    bytes[offsets.status] = UInt8(GoRecord.waiting)
    bytes[offsets.runs] = runs
    return GoRecord(bytes.span.bytes, at: 0, offsets)
  }

  @Test func `is certain after readings that are some time apart`() {
    var history = GoWaitHistory()
    history.beginPass()
    let first = history.note(record(1), at: 0)
    #expect(first == nil)
    for time in 1...50 {
      let rest = history.note(record(1), at: Int64(time) * 1_000_000)
      #expect(rest?.readings == 0 && rest?.isLikely == (time >= 2) && rest?.isCertain == false)
    }
    for turn in 1...3 {
      let rest = history.note(record(1), at: Int64(turn) * 100_000_000)
      #expect(rest?.readings == turn && rest?.time == Int64(turn) * 100_000_000)
      #expect(rest?.isCertain == (turn == 3))
    }
    let hasRun = history.note(record(1, runs: 8), at: 400_000_000)
    #expect(hasRun == nil)
    let soon = history.note(record(1, runs: 8), at: 450_000_000)
    #expect(soon?.readings == 0)
  }

  @Test func `is forgotten when they have ended`() {
    var history = GoWaitHistory()
    for pass in 0..<10 {
      history.beginPass()
      _ = history.note(record(1), at: Int64(pass) * 250_000_000)
      for number in 0..<100 {
        _ = history.note(record(UInt64(100 + pass * 100 + number)), at: Int64(pass) * 250_000_000)
      }
      history.endPass()
      #expect(history.count == 101)
    }
    // Other readings between two passes forget nothing.
    let new = history.note(record(2), at: 2_300_000_000)
    let old = history.note(record(1), at: 2_500_000_000)
    #expect(new == nil && old?.isCertain == true)
    #expect(history.count == 102)
  }

  @Test func `of threads costs one read for a spare one`() {
    let memory = WordMemory()
    func add(_ machine: UInt64, thread: UInt64, next: UInt64) {
      memory.words[machine + UInt64(offsets.thread)] = thread
      memory.words[machine + UInt64(offsets.nextMachine)] = next
    }
    let place = RemoteAddress(0x10000)
    memory.words[0x10000] = 0x30000
    add(0x30000, thread: 0, next: 0x40000)
    add(0x40000, thread: 11, next: 0x50000)
    add(0x50000, thread: 10, next: 0)
    var list = GoMachineList()
    var new = list.refresh(at: place, offsets, from: memory)
    #expect(new == [10, 11])
    let before = memory.reads
    new = list.refresh(at: place, offsets, from: memory)
    #expect(new.isEmpty && memory.reads == before + 2)
    add(0x30000, thread: 12, next: 0x40000)
    new = list.refresh(at: place, offsets, from: memory)
    #expect(new == [12])
    #expect(list.machines == [10: 0x50000, 11: 0x40000, 12: 0x30000])
    let after = memory.reads
    new = list.refresh(at: place, offsets, from: memory)
    #expect(new.isEmpty && memory.reads == after + 1)
  }
}

extension `Go` {
  @Suite struct `Threads` {
    @Test(.enabled(if: Repository.isRoot && Tool.isInstalled("unshare"), "needs root and unshare"))
    func `are known by the numbers of our side of a PID namespace`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try RunningProgram(
        ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
          + [toolchain.build("goroutines.go"), "mutex"])
      let inner = try #require(children(of: program.pid).first)
      let memory = ProcessMemory(tid: inner)
      let reader = GoReader(try Go.program(of: inner), process: inner)
      let changes = reader.refreshThreads(from: memory)
      let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(inner)/task")
      #expect(changes.gained == Set(names.compactMap { Int32($0) }))
      #expect(reader.thread(inner) != nil && reader.thread(1) == nil)
      program.kill()
    }

    @Test func `have the functions that a pass over all finds`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let file = try Go.file(toolchain.build("goroutines.go", .stripped))
      let table = try #require(GoFunctionTable(try ELFFile(file.bytes), bytes: file.bytes))
      let wanted = ["runtime.allgadd", "runtime.semacquire1", "runtime.mcommoninit", "main.none"]
      var truth: [String: GoFunctionTable.Function] = [:]
      for index in 0..<table.count {
        guard let function = table.function(at: index, in: file.bytes),
          let name = table.name(of: function, in: file.bytes), wanted.contains(name)
        else { continue }
        truth[name] = truth[name] ?? function
      }
      #expect(truth.count == 3)
      #expect(table.functions(named: wanted, in: file.bytes) == truth)
    }
  }
}
