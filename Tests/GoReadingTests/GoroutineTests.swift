import Foundation
import GoReading
import LinuxProcess
import ProfileModel
import RuntimeReading
import TestSupport
import Testing

extension `Go` {
  @Suite struct `Goroutines` {
    @Test(arguments: GoToolchain.all, ["mutex", "receive", "send", "select", "deadlock", "timer"])
    func `are those that the program itself prints when it is killed`(
      toolchain: GoToolchain, mode: String
    ) throws {
      for form in GoToolchain.Form.allCases {
        let program = try Go.start(mode, toolchain, form)
        let found = try Go.program(of: program.pid)
        let list = try #require(
          GoReader(found, process: program.pid).goroutines(from: ProcessMemory(tid: program.pid)))
        try program.assertUntouched()
        // What it prints at SIGQUIT is the truth, which nobody here wrote.
        let trace = try GoTrace(of: program)
        let own = list.groups.filter { !$0.isOfRuntime }
        let count = trace.goroutines.values.count { goroutine in
          goroutine.functions.contains { $0.hasPrefix("main.") }
        }
        #expect(count == own.reduce(0) { $0 + $1.count })
        for group in own {
          let functions = list.stacks[try #require(group.stack)].map(\.function)
          for id in group.ids {
            let truth = try #require(trace.goroutines[id], "goroutine \(id)")
            #expect(truth.functions == functions, "\(form) goroutine \(id)")
            #expect(group.reason == truth.reason)
            #expect(group.creator?.function == truth.creator)
            #expect(group.creator?.line ?? 0 == truth.creatorLine)
          }
        }
      }
    }

    @Test func `know since when they have not run`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try Go.start("mutex", toolchain)
      let memory = ProcessMemory(tid: program.pid)
      let reader = GoReader(try Go.program(of: program.pid), process: program.pid)
      var found: ProfileModel.Goroutines?
      // The last of them may only just have begun to wait.
      try waitUntil("all wait for long") {
        Thread.sleep(forTimeInterval: 0.26)
        _ = reader.refreshThreads(from: memory)
        let list = try #require(reader.goroutines(from: memory))
        guard list.groups.contains(where: { $0.longWaiters == 1000 && $0.waited >= 1_000_000_000 })
        else { return false }
        found = list
        return true
      }
      let list = try #require(found)
      let waiting = try #require(list.groups.first { $0.count == 1000 })
      #expect(list.isSteady)
      #expect(waiting.waited >= 1_000_000_000 && waiting.waited < 60_000_000_000)
      #expect(waiting.object != nil)
    }

    @Test func `that run are not taken for waiting ones`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try RunningProgram([toolchain.build("handlers.go")])
      let memory = ProcessMemory(tid: program.pid)
      let reader = GoReader(try Go.program(of: program.pid), process: program.pid)
      for _ in 0..<20 {
        let list = try #require(reader.goroutines(from: memory))
        // A handler waits for a lock for milliseconds.
        for group in list.groups where group.reason == "sync.Mutex.Lock" {
          #expect(group.longWaiters == 0)
        }
        Thread.sleep(forTimeInterval: 0.06)
      }
      try program.assertUntouched()
    }

    @Test func `of a hundred thousand are read with bounded memory`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try Go.start("many", toolchain)
      let list = try #require(
        GoReader(try Go.program(of: program.pid), process: program.pid)
          .goroutines(from: ProcessMemory(tid: program.pid)))
      #expect(list.groups.contains { $0.count == 100_000 && $0.ids.count <= 64 })
      #expect(list.stacks.count < 50 && !list.isCut)
      try program.assertUntouched()
    }

    @Test func `in hostile memory end the reading`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let program = try Go.start("select", toolchain)
      let found = try Go.program(of: program.pid)
      let memory = ProcessMemory(tid: program.pid)
      var whole = 0
      for seed in UInt64(1)...400 {
        let mutated = MutatedMemory(memory, seed: seed, oneIn: [7, 60, 900, 40_000][Int(seed % 4)])
        let reader = GoReader(found, process: program.pid)
        _ = reader.refreshThreads(from: mutated)
        if let list = reader.goroutines(from: mutated) {
          whole += 1
          #expect(list.stacks.allSatisfy { $0.count < 20_000 })
        }
      }
      // Otherwise nothing but the first read was tested.
      #expect(whole > 50)
      try program.assertUntouched()
    }
  }
}

/// A process's memory, some words of which are other than they are.
private struct MutatedMemory: TargetMemory {
  private let memory: ProcessMemory
  private let seed: UInt64
  private let rarity: UInt64

  init(_ memory: ProcessMemory, seed: UInt64, oneIn rarity: UInt64) {
    self.memory = memory
    self.seed = seed
    self.rarity = rarity
  }

  func read(_ ranges: ArraySlice<MemoryRange>, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = memory.read(ranges, into: buffer)
    guard count > 0, let first = ranges.first else { return count }
    for word in stride(from: 0, to: count - 7, by: 8) {
      var hash = (first.start.rawValue &+ UInt64(word)) &* 0x9e37_79b9_7f4a_7c15 ^ seed
      hash = (hash ^ hash >> 29) &* 0xbf58_476d_1ce4_e5b9
      guard (hash >> 32) % rarity == 0 else { continue }
      let old = buffer.loadUnaligned(fromByteOffset: word, as: UInt64.self)
      let new: UInt64 =
        switch hash % 5 {
        case 0: .max
        case 1: 0
        case 2: old &+ (hash >> 60)
        case 3: old ^ 1 << (hash >> 58)
        default: hash
        }
      buffer.storeBytes(of: new, toByteOffset: word, as: UInt64.self)
    }
    return count
  }
}
