import Foundation
import LinuxProcess
import NativeUnwinding
import ProfileModel
import TestSupport

/// How long a frame takes to unwind when the rules of all addresses are known.
enum UnwindBench {
  static func run() throws {
    let spin = try Fixture.compile(source: "spin.c", flags: ["-O1", "-g"])
    for depth in [20, 200] {
      let program = try RunningProgram([spin, "1", "\(depth)"])
      defer { program.kill() }
      guard let tid = thread(named: "spinner-0", of: program.pid) else { continue }
      let snapshots = try (0..<200).map { _ in try StackCopy(of: tid) }
      for reuses in [false, true] { measure(snapshots, tid: tid, depth: depth, reuses: reuses) }
    }
  }

  private static func measure(_ snapshots: [StackCopy], tid: Int32, depth: Int, reuses: Bool) {
    let modules = ModuleMap(memory: ProcessMemory(tid: tid))
    _ = try? modules.refresh()
    let unwinder = NativeUnwinder(modules: modules)
    unwinder.reusesFrames = reuses
    var stacks = StackTable()
    var complete = 0
    for snapshot in snapshots {
      let result = snapshot.withSnapshot { unwinder.unwind($0, thread: 0, into: &stacks) }
      if result.end == .complete { complete += 1 }
    }
    var perFrame: [Double] = []
    var perSample: [Double] = []
    for _ in 0..<20 {
      let before = unwinder.statistics
      let start = MonotonicClock.now()
      for snapshot in snapshots {
        _ = snapshot.withSnapshot { unwinder.unwind($0, thread: 0, into: &stacks) }
      }
      let time = Double((MonotonicClock.now() - start).rawValue)
      let after = unwinder.statistics
      perFrame.append(time / Double(max(1, after.steps - before.steps)) / 1e3)
      perSample.append(time / Double(snapshots.count) / 1e3)
    }
    print(
      "depth \(depth), \(reuses ? "outer frames reused" : "every frame unwound"): "
        + "\(decimals(median(perFrame), 3)) µs a frame, \(decimals(median(perSample), 1)) µs a "
        + "sample, \(complete) of \(snapshots.count) complete")
  }
}

/// A copy of a thread's stack, taken while it was stopped.
private struct StackCopy {
  private let registers: Registers
  private let start: RemoteAddress
  private let bytes: [UInt8]

  init(of tid: Int32) throws {
    let memory = ProcessMemory(tid: tid)
    let maps = try memory.maps()
    let stops = StoppedThreads()
    guard stops.seize(tid, tag: 0, mayRestartCall: true) == .requested else {
      throw TestFailure("cannot seize \(tid)")
    }
    var taken: (registers: Registers, bytes: [UInt8])?
    stops.interruptAll().forEachStopped { stopped in
      let registers = stopped.registers
      guard let mapping = maps.mapping(containing: registers.stackPointer) else { return }
      let count = mapping.end.rawValue - registers.stackPointer.rawValue
      let bytes = memory.read(at: registers.stackPointer, count: Int(min(count, 1 << 20)))
      taken = (registers, bytes ?? [])
    }
    guard let taken else { throw TestFailure("\(tid) has ended") }
    registers = taken.registers
    start = taken.registers.stackPointer
    bytes = taken.bytes
  }

  func withSnapshot<Result>(_ body: (StackSnapshot) -> Result) -> Result {
    bytes.withUnsafeBytes {
      body(StackSnapshot(registers: registers, start: start, bytes: $0, reachesEnd: true))
    }
  }
}
