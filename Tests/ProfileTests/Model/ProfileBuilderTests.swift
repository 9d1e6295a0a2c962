import ProfileModel
import Testing

/// How samples of sleeping threads become runs.
@Suite("A profile's builder") struct ProfileBuilderTests {
  private static let wait = Activity.blocked(WaitReason(systemCall: "futex"))

  private struct Sleeper {
    var builder = ProfileBuilder()
    let thread: Int
    let stack: StackID
    var time: Int64 = 0

    init() {
      thread = builder.add(ThreadInfo(tid: 1, name: "sleeper", isMain: true))
      let frame = builder.stacks.id(of: .interpreted(SourceLine(function: "main")))
      stack = builder.stacks.stack(of: frame, calledBy: .empty)
    }

    /// One sample of a period of 10 ms for each word: `n` is of a new sleep, `s` of the same; `e` is a tick
    /// without a sample.
    mutating func take(_ samples: String, _ activity: Activity = wait) {
      for sample in samples {
        time += 10_000_000
        let weight = Weight(samples: 1, ticks: 1, wall: 10_000_000)
        if sample == "e" {
          builder.extend(thread: thread, by: weight)
        } else {
          builder.sample(
            thread: thread, stack: stack, end: .complete, activity: activity, time: time,
            weight: weight, isNewSleep: sample == "n")
        }
      }
    }

    consuming func runs() -> [String] {
      builder.finish(capture: CaptureInfo(kind: .attach, pid: 1, processName: "p"), modules: [])
        .runs.map {
          "\($0.start / 1_000_000)+\($0.weight.wall / 1_000_000) \($0.unseenSleeps.rawValue)"
        }
    }
  }

  private func runs(_ samples: String, _ activity: Activity = wait) -> [String] {
    var sleeper = Sleeper()
    sleeper.take(samples, activity)
    return sleeper.runs()
  }

  @Test func `keeps each sleep of two samples as a run of its own`() {
    #expect(runs("ssss") == ["0+40 0"])
    #expect(runs("sssnssnee") == ["0+30 0", "30+30 8", "60+30 8"])
  }

  @Test func `takes shorter sleeps in one stack together`() {
    #expect(runs("snnnn") == ["0+50 4"])
    // The third is the first of a long one.
    #expect(runs("snnss") == ["0+30 4", "30+20 16"])
    #expect(runs("snneen") == ["0+30 4", "30+20 16", "50+10 8"])
  }

  /// One call begins many of them.
  @Test func `takes waits for disks and for an interpreter's lock for one`() {
    #expect(runs("ssnss", .uninterruptible(WaitReason(systemCall: "read"))) == ["0+50 4"])
    let lock = WaitReason(systemCall: "futex", isInterpreterLock: true)
    #expect(runs("ssnss", .blocked(lock)) == ["0+50 4"])
  }

  /// What a file that grows has of a sleep that goes on is in the run in which it is in the end.
  @Test func `gives a file that grows the runs that it has in the end`() {
    var sleeper = Sleeper()
    sleeper.take("snn")
    let unseen = Weight(samples: 2, ticks: 2, wall: 20_000_000)
    let first = sleeper.builder.takeGrowth { _, _ in unseen }
    sleeper.take("een")
    let second = sleeper.builder.takeGrowth { _, _ in Weight() }
    var sums: [Int64: Int64] = [:]
    for run in first.runs + second.runs {
      sums[run.start / 1_000_000, default: 0] += run.weight.wall
    }
    #expect(sums == [0: 30_000_000, 30: 20_000_000, 50: 10_000_000])
  }
}
