internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `Freezes with sleeps between samples` {
  @Test func `are not an animation that rests between samples`() {
    var maker = FreezeMaker()
    for turn in 0..<20 {
      if turn % 5 == 4 { maker.rest(milliseconds: 10, slept: .before) }
      // 400 ms in which no sample met a rest, though there was one between any two.
      let draw = "paint draw processCommand \(FreezeMaker.rest.withoutCall)"
      maker.run(draw, milliseconds: 10, slept: .before)
      maker.run(draw, milliseconds: 390, slept: [.before, .within])
    }
    #expect(maker.freezes.isEmpty)
    #expect(maker.diagnosis().verdict.kind != .froze)
    #expect(maker.diagnosis().freezes.threads.first?.unclear.isEmpty == false)
  }

  /// The program waits for its memory map while another thread changes it, say.
  @Test func `stay whole when they sleep for a moment that no loop could have rested in`() {
    func lengths(milliseconds asleep: Int64) -> [Int64] {
      var maker = FreezeMaker()
      let handler = "work debugCommand processCommand \(FreezeMaker.rest.withoutCall)"
      for _ in 0..<2 {
        maker.rest(milliseconds: 1000)
        maker.run(handler, milliseconds: 120)
        maker.run("sub \(handler)", milliseconds: 160, slept: .before)
        let last = maker.maker.maker.profile.runs.count - 1
        maker.maker.maker.profile.runs[last].weight.cpu -= asleep * FreezeMaker.millisecond
      }
      maker.rest(milliseconds: 1000)
      return maker.freezes.map { $0.length / FreezeMaker.millisecond }
    }
    #expect(lengths(milliseconds: 1) == [280, 280])
    // One that did may have called it twice.
    #expect(lengths(milliseconds: 40) == [120, 160, 120, 160])
  }

  /// Of handlers that sleep 10 ms each, or of one that looks again and again whether something has come.
  @Test func `are not claimed of many short sleeps in a row`() {
    let loop = "app.py/_run_once app.py/run_forever python3/run_mod main"
    let save = "clock_nanosleep python3/time_sleep app.py/save_settings \(loop)"
    func program(_ slept: UnseenSleeps, length: Int64) -> FreezeMaker {
      var maker = FreezeMaker()
      for _ in 0..<3 {
        maker.run(
          "epoll_wait python3/select_epoll_poll app.py/EpollSelector.select \(loop)",
          .asleep(in: "epoll_wait"), milliseconds: 1000)
        maker.run(save, .asleep(in: "clock_nanosleep"), milliseconds: length, slept: slept)
      }
      maker.run(
        "epoll_wait python3/select_epoll_poll app.py/EpollSelector.select \(loop)",
        .asleep(in: "epoll_wait"), milliseconds: 500)
      return maker
    }
    #expect(program([], length: 1500).freezes.count == 3)
    for slept in [.renewed, .within, [.within, .renewed]] as [UnseenSleeps] {
      let maker = program(slept, length: 1500)
      #expect(maker.freezes.isEmpty)
      let unclear = maker.diagnosis().freezes.threads.first?.unclear ?? []
      #expect(unclear.map(\.length) == [1_500_000_000, 1_500_000_000, 1_500_000_000])
      #expect(
        maker.words().hasSuffix(
          "It may have frozen 3 times, 1.50 s each: 3 × save_settings (app.py:1) slept 1.50 s in "
            + "one long handler of Python's event loop or many short ones."))
      #expect(maker.view().contains("3 stretches of up to 1.50 s without a rest"))
    }
  }

  @Test func `of one sleep among many short ones are certain`() {
    var maker = FreezeMaker()
    let handler = "clock_nanosleep save debugCommand processCommand " + FreezeMaker.rest.withoutCall
    let poll = "poll fetch debugCommand processCommand " + FreezeMaker.rest.withoutCall
    maker.rest(milliseconds: 1000)
    maker.run(poll, .asleep(in: "poll"), milliseconds: 700, slept: .renewed)
    maker.run(handler, .asleep(in: "clock_nanosleep"), milliseconds: 400)
    maker.rest(milliseconds: 1000)
    #expect(maker.freezes.map(\.length) == [400_000_000])
    #expect(maker.freezes.map(\.isUnclear) == [false])
  }
}
