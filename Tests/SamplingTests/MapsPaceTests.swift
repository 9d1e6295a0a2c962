import LinuxProcess
import ProfileModel
import Testing

@testable import Sampling

@Suite struct `The maps of a program` {
  private func maps(_ libraries: Int) throws -> MemoryMaps {
    let lines = (1...libraries).map { number in
      "\(String(number << 20, radix: 16))-\(String((number << 20) + 4096, radix: 16)) r-xp 00000000 "
        + "08:01 \(number)   /lib/lib\(number).so"
    }
    return try MemoryMaps(parsing: lines.joined(separator: "\n") + "\n")
  }

  /// The times of the readings until `end`, in a capture that asks every millisecond.
  private func readings(
    until end: Nanoseconds, cost: Nanoseconds, isNewProgram: Bool = false, isUrgent: Bool = false,
    isQuiet: Bool = false, _ maps: (Nanoseconds) throws -> MemoryMaps
  ) rethrows -> [Nanoseconds] {
    var pace = MapsPace()
    var times: [Nanoseconds] = []
    var time: Nanoseconds = 0
    while time < end {
      if pace.isDue(at: time, isUrgent: isUrgent, isQuiet: isQuiet) {
        pace.note(try maps(time), at: time, cost: cost, isNewProgram: isNewProgram)
        times.append(time)
      }
      time = time + .milliseconds(1)
    }
    return times
  }

  @Test func `are read once a second`() throws {
    let maps = try maps(3)
    let times = readings(until: .seconds(5), cost: .microseconds(80)) { _ in maps }
    #expect(times == [0, 1, 2, 3, 4].map { .seconds($0) })
  }

  @Test func `are read once in five seconds by a capture that is quiet`() throws {
    let maps = try maps(3)
    let times = readings(until: .seconds(11), cost: .microseconds(80), isQuiet: true) { _ in maps }
    #expect(times == [0, 5, 10].map { .seconds($0) })
  }

  @Test func `are read soon again by a quiet capture, too, when they have changed`() throws {
    let maps = [try maps(3), try maps(4)]
    let times = readings(until: .seconds(6), cost: .microseconds(80), isQuiet: true) {
      maps[$0 < .seconds(5) ? 0 : 1]
    }
    #expect(times.contains(.seconds(5)) && times.contains(.milliseconds(5010)), "\(times)")
  }

  @Test(arguments: [Int64(10), 60, 400])
  func `are read for 2 % of the time, however long it takes`(milliseconds: Int64) throws {
    let maps = try maps(3)
    let cost = Nanoseconds.milliseconds(milliseconds)
    let times = readings(until: .seconds(60), cost: cost) { _ in maps }
    #expect(times.count > 1 && times.count <= 60)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= cost * 50 })
    // An unknown stack at each tick does not make it more than a tenth.
    let urgent = readings(until: .seconds(60), cost: cost, isUrgent: true) { _ in maps }
    #expect(urgent.count > times.count)
    #expect(zip(urgent, urgent.dropFirst()).allSatisfy { $1 - $0 >= cost * 10 })
  }

  @Test func `are read often while the program loads libraries, and then no more`() throws {
    let few = try maps(3)
    let new = readings(until: .seconds(8), cost: .microseconds(10), isNewProgram: true) { _ in few }
    let first: [Nanoseconds] = [0, 1, 3, 7, 15].map { .milliseconds($0) }
    #expect(Array(new.prefix(5)) == first)
    let late = new.count { $0 >= .seconds(3) }
    #expect(late <= 5)
    let loading = try readings(until: .seconds(8), cost: .microseconds(80)) { time in
      try maps(3 + Int(min(time, .seconds(3)).count(of: .milliseconds(50))))
    }
    let during = loading.count { $0 >= .seconds(1) && $0 < .seconds(3) }
    let after = loading.count { $0 >= .seconds(5) }
    #expect(during >= 30 && after <= 3, "\(loading)")
  }
}
