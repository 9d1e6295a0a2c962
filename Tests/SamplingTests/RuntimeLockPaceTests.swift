internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading
internal import TestSupport
internal import Testing

@testable internal import Sampling

@Suite struct `The pace of looks at the locks of runtimes` {
  private static let start = MonotonicClock.now()

  /// CPU time that looks take within `seconds`, each of `cost`, where `isNew` says of each whether it finds
  /// anything new.
  private func used(
    in seconds: Int64, each cost: Nanoseconds = .milliseconds(1), findsOwner: Bool,
    hasNewSleeps: Bool, from first: Int64 = 0, isNew: (Int) -> Bool = { _ in false }
  ) -> Nanoseconds {
    var pace = RuntimeLockPace()
    var (now, sum, number) = (Self.start, Nanoseconds(0), 0)
    while now < Self.start + .seconds(seconds) {
      pace.note(findsOwner: findsOwner, isNew: isNew(number), at: now, cost: cost)
      number += 1
      if now >= Self.start + .seconds(first) { sum = sum + cost }
      now = max(now + cost, pace.next(hasNewSleeps: hasNewSleeps))
    }
    return sum
  }

  @Test func `is slow where threads only wait for work`() {
    // A thousandth of the time, where all sleep on; a quarter of a percent, where they wake up now and then.
    #expect(used(in: 110, findsOwner: false, hasNewSleeps: false, from: 10) < .milliseconds(100))
    #expect(used(in: 130, findsOwner: false, hasNewSleeps: true, from: 30) < .milliseconds(260))
    let changing = used(in: 130, findsOwner: false, hasNewSleeps: true, from: 30) { _ in true }
    #expect(changing < .milliseconds(260))
    // Not even where a look takes long.
    let long = used(
      in: 130, each: .milliseconds(40), findsOwner: false, hasNewSleeps: true, from: 30)
    #expect(long < .milliseconds(320))
  }

  @Test func `is quick where threads take turns at a lock`() {
    let turns = used(in: 10, findsOwner: true, hasNewSleeps: true) { $0 % 3 == 0 }
    #expect((.milliseconds(250))...(.milliseconds(310)) ~= turns)
  }

  @Test func `is slow where threads wait for one owner for ever`() {
    #expect(used(in: 110, findsOwner: true, hasNewSleeps: false, from: 10) < .milliseconds(410))
  }

  @Test func `is quick at what is new after a quiet time`() {
    var pace = RuntimeLockPace()
    let cost = Nanoseconds.milliseconds(8)
    pace.note(findsOwner: false, isNew: false, at: Self.start, cost: cost)
    let later = Self.start + .seconds(100)
    pace.note(findsOwner: false, isNew: false, at: later, cost: cost)
    #expect(pace.next(hasNewSleeps: true) <= later + .milliseconds(80))
    pace.note(findsOwner: true, isNew: true, at: later + .milliseconds(80), cost: cost)
    #expect(pace.next(hasNewSleeps: false) <= later + .milliseconds(80 + 8 * 33))
  }

  @Test func `says nothing of a sleep that was found after the look began`() {
    let begin = MonotonicClock.now()
    let finding = RuntimeLockLookups.Finding(
      wait: RuntimeWait(
        kind: .mutex, flavor: .python, object: RemoteAddress(1), type: nil, owner: 7),
      switches: 5, begin: begin)
    #expect(finding.isOfSleep(foundAt: begin - .milliseconds(3), switches: 5))
    #expect(!finding.isOfSleep(foundAt: begin - .milliseconds(3), switches: 4))
    #expect(!finding.isOfSleep(foundAt: begin + .milliseconds(1), switches: 5))
  }
}
