import LinuxProcess
import ProfileModel
import Testing

@testable import PythonReading

@Suite struct `The plan of the next copy` {
  private func range(_ start: UInt64, _ count: Int = 64) -> MemoryRange {
    MemoryRange(start: RemoteAddress(start), count: count)
  }

  @Test func `grows by what a sample needed besides`() {
    var plan = PythonCopyPlan([range(0x1000)])
    let isDone = plan.grow(by: [])
    #expect(isDone && plan.ranges == [range(0x1000)])
    let hasGrown = plan.grow(by: [range(0x9000), range(0x5000)])
    #expect(hasGrown)
    #expect(plan.ranges == [range(0x1000), range(0x5000), range(0x9000)])
  }

  @Test func `is one piece where ranges lie close together in a page`() {
    let plan = PythonCopyPlan([range(0x1100), range(0x1000), range(0x2000)])
    #expect(plan.ranges == [range(0x1000, 0x140), range(0x2000)])
  }

  @Test func `forgets in time what no sample needs any more`() {
    var plan = PythonCopyPlan([range(0x1000)])
    let hasGrown = plan.grow(by: [range(0x5000)])
    #expect(hasGrown)
    for _ in 0..<2 {
      var samples = 0
      while plan.grow(by: []) { samples += 1 }
      #expect(samples < 64)
      plan.remember([range(0x1000)])
    }
    #expect(plan.ranges == [range(0x1000)])
  }

  @Test func `keeps what samples went back to, once more`() {
    var plan = PythonCopyPlan([range(0x1000)])
    let hasGrown = plan.grow(by: [range(0x5000)])
    #expect(hasGrown)
    while plan.grow(by: []) {}
    plan.remember([range(0x1000)])
    #expect(plan.ranges == [range(0x1000), range(0x5000)])
  }

  @Test func `does not grow without end`() {
    var plan = PythonCopyPlan([range(0x1000)])
    var next: UInt64 = 0x10000
    while plan.grow(by: (0..<8).map { range(next + $0 * 0x1000) }) { next += 0x8000 }
    #expect(plan.ranges.count < 64)
    plan.remember([range(0x1000)])
    #expect(plan.ranges == [range(0x1000)])
  }
}
