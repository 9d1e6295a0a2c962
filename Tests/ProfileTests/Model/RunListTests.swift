internal import ProfileModel
internal import Testing

@Suite struct `Run list` {
  /// Runs with small, large and negative weights, some alike.
  private static func runs(_ count: Int, seed: UInt64) -> [Run] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ limit: UInt64) -> Int64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int64((state >> 33) % limit)
    }
    let activities: [Activity] = [
      .running, .blocked(WaitReason(systemCall: "futex")), .blocked(WaitReason(systemCall: nil)),
      .uninterruptible(WaitReason(systemCall: "write")), .stopped,
    ]
    let weights: [Int64] = [0, 1, 10_000_000, Int64(UInt32.max), Int64(UInt32.max) + 1, .max, -1]
    return (0..<count).map { _ in
      Run(
        thread: Int(next(9)), stack: StackID(UInt32(next(1000))),
        end: next(3) == 0 ? .inferred : .complete, activity: activities[Int(next(5))],
        start: next(50),
        weight: Weight(
          samples: next(3), ticks: weights[Int(next(7))], cpu: next(10), wall: next(1 << 20),
          delay: weights[Int(next(40)) % 7]))
    }
  }

  private static func texts(_ runs: some Sequence<Run>) -> [String] {
    runs.map { String(reflecting: $0) }
  }

  @Test(arguments: [0, 1, 100, 4096, 4097, 9000])
  func `holds what an array holds`(count: Int) {
    var array = Self.runs(count, seed: UInt64(count))
    var list = RunList(array)
    #expect(list.count == count && list.isEmpty == array.isEmpty)
    #expect(Self.texts(list) == Self.texts(array))
    for index in stride(from: 0, to: count, by: 7) {
      let other = array[count - 1 - index]
      array[index] = other
      list[index] = other
      array[index].weight += Weight(samples: 1, wall: 5_000_000_000)
      list[index].weight += Weight(samples: 1, wall: 5_000_000_000)
    }
    #expect(Self.texts(list) == Self.texts(array))
    array.removeAll { $0.thread == 3 }
    list.removeAll { $0.thread == 3 }
    #expect(Self.texts(list) == Self.texts(array))
    array.insert(contentsOf: Self.runs(5, seed: 77), at: array.count / 2)
    list.insert(contentsOf: Self.runs(5, seed: 77), at: list.count / 2)
    #expect(Self.texts(list) == Self.texts(array))
  }

  /// Runs without a sample come first.
  private static func key(_ run: Run, _ place: Int) -> (Int64, Int, Int, Int) {
    (run.start, run.thread, run.weight.samples == 0 ? 0 : 1, place)
  }

  @Test(arguments: [0, 1, 2, 5000])
  func `sorts like an array, and keeps the order of what is alike`(count: Int) {
    let array = Self.runs(count, seed: 5)
    var list = RunList(array)
    list.sortByStart()
    let sorted = array.enumerated().sorted { left, right in
      Self.key(left.element, left.offset) < Self.key(right.element, right.offset)
    }
    #expect(Self.texts(list) == Self.texts(sorted.map(\.element)))
    #expect(count < 100 || Self.texts(list) != Self.texts(array))
  }

  @Test func `shares nothing with its copies`() {
    let list = RunList(Self.runs(5000, seed: 1))
    var copy = list
    copy[4500].weight = Weight(samples: 42)
    copy.removeLast()
    #expect(list.count == 5000 && copy.count == 4999)
    #expect(list[4500].weight != Weight(samples: 42) && copy[4500].weight.samples == 42)
  }
}
