internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `Freezes` {
  private static let loop = "app.py/_run_once app.py/run_forever python3/run_mod main"
  private static let save = "clock_nanosleep python3/time_sleep app.py/save_settings"
  private static let reindex = "python3/sha_update app.py/reindex"

  /// The program of an event loop of Python that saves three times and indexes twice.
  private func savingProgram() -> FreezeMaker {
    var maker = FreezeMaker()
    let rest = "epoll_wait python3/select_epoll_poll app.py/EpollSelector.select \(Self.loop)"
    for turn in 0..<5 {
      maker.run(rest, .asleep(in: "epoll_wait"), milliseconds: 1500)
      if turn % 2 == 0 {
        maker.run("\(Self.save) \(Self.loop)", .asleep(in: "clock_nanosleep"), milliseconds: 400)
      } else {
        maker.run("\(Self.reindex) \(Self.loop)", milliseconds: 250)
      }
    }
    maker.run(rest, .asleep(in: "epoll_wait"), milliseconds: 800)
    return maker
  }

  @Test func `are what the verdict speaks of, by handler and cause`() {
    let maker = savingProgram()
    #expect(maker.diagnosis().verdict.kind == .froze)
    #expect(
      maker.words()
        == "Froze 5 times in 10.0 s, 0.25 to 0.40 s each: 3 × save_settings (app.py:1) slept 0.40 s "
        + "in a handler of Python's event loop; 2 × reindex (app.py:1) computed 0.25 s.")
    #expect(maker.freezes.map(\.start) == [1500, 3400, 5150, 7050, 8800].map { $0 * 1_000_000 })
    #expect(maker.freezes.map(\.length) == [400, 250, 400, 250, 400].map { $0 * 1_000_000 })
    #expect(maker.freezes.allSatisfy { !$0.isAtLeast && $0.loop == .python })
    let responses = maker.diagnosis().freezes.threads
    #expect(responses.first?.betweenRests(0.5) == 400_000_000)
  }

  @Test func `have a view whose times choose their time`() {
    let maker = savingProgram()
    let view = maker.view()
    #expect(
      view.contains("3.400s to 3.650s · 0.25 s · the main thread (4242) · reindex (app.py:1)"))
    #expect(
      view.contains("3 × · 1.20 s in total · longest 0.40 s · save_settings (app.py:1) slept"))
    // What was before and after is not known of a part.
    #expect(lengths(of: maker, from: 5_300, to: 8_000) == [250, 250])
    #expect(lengths(of: maker, from: 3_400, to: 8_000) == [250, 400, 250])
    #expect(lengths(of: maker, from: 5_150, to: 5_550) == [400])
  }

  /// A capture that begins within the first of three freezes by one handler.
  private func cutProgram() -> FreezeMaker {
    var maker = FreezeMaker()
    for length in [150, 450, 300] as [Int64] {
      maker.run(
        "compute lookupCommand processCommand \(FreezeMaker.rest.withoutCall)",
        milliseconds: length)
      maker.rest(milliseconds: 1000)
    }
    return maker
  }

  @Test
  func `of one cause have the range of their lengths, and one that was cut is at least so long`() {
    let words = cutProgram().words()
    #expect(
      words.contains("at least 0.15 to 0.45 s each: 3 × lookupCommand computed at least 0.15"))
    #expect(words.contains("0.15 to 0.45 s, in compute"), "\(words)")
    #expect(cutProgram().view().contains("computed at least 0.15 to 0.45 s, in compute"))
  }

  @Test func `of one stack are shown below one`() {
    var maker = FreezeMaker()
    let handler = "lookupCommand processCommand \(FreezeMaker.rest.withoutCall)"
    maker.rest(milliseconds: 1000)
    for turn in 0..<5 {
      maker.run(handler, turn == 4 ? .waitingForCPU : .running, milliseconds: 300)
      maker.rest(milliseconds: 1000)
    }
    var text = ""
    TextReport(maker.maker.maker.profile).write(to: &text)
    #expect(text.contains("4 × lookupCommand") && text.contains("1 × lookupCommand"), "\(text)")
    #expect(text.contains("\nWhere it is\nThread 4242 \"server\" (main): 5 freezes, 1.50 s\n"))
  }

  /// In milliseconds, of a part of the capture.
  private func lengths(of maker: FreezeMaker, from: Int64, to: Int64) -> [Int64] {
    var filter = ProfileFilter()
    filter.from = from * 1_000_000
    filter.to = to * 1_000_000
    let part = Diagnosis(filter.apply(to: maker.maker.maker.profile))
    return part.freezes.freezes.map { $0.length / 1_000_000 }
  }

  @Test func `below the threshold are none`() {
    let maker = savingProgram()
    let long = maker.diagnosis(FreezeRule(threshold: 300_000_000))
    #expect(long.freezes.freezes.map(\.length) == [400_000_000, 400_000_000, 400_000_000])
    let longest = maker.diagnosis(FreezeRule(threshold: 500_000_000))
    #expect(longest.freezes.freezes.isEmpty)
    #expect(longest.verdict.kind != .froze)
  }

  @Test func `are not a server under load that hardly rests`() {
    var maker = FreezeMaker()
    var random: UInt64 = 7
    for _ in 0..<3000 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Nine of ten samples are in the same command: a row of 30 is nothing special.
      let isCommand = (random >> 33) % 10 != 0
      maker.run(
        (isCommand ? "lookup getCommand processCommand " : "") + FreezeMaker.rest.withoutCall,
        milliseconds: 10)
    }
    #expect(maker.freezes.isEmpty)
    // A command as long as that is told from the many short ones by its own functions.
    maker.run(
      "luaV_execute evalCommand processCommand " + FreezeMaker.rest.withoutCall, milliseconds: 300)
    maker.rest(milliseconds: 100)
    #expect(maker.freezes.map(\.handler?.line.function) == ["evalCommand"])
  }

  @Test func `are all told of a handler that calls now one function and now another`() {
    var maker = FreezeMaker()
    let handler = "reindexCommand processCommand \(FreezeMaker.rest.withoutCall)"
    for turn in 0..<5 {
      maker.rest(milliseconds: 1000)
      for sample in 0..<25 {
        // By chance no sample of the last one met the second function.
        let isSecond = turn < 4 && sample % 5 == 4
        maker.run("\(isSecond ? "readClock" : "hash") \(handler)", milliseconds: 10)
      }
    }
    maker.rest(milliseconds: 1000)
    #expect(maker.freezes.map(\.length) == Array(repeating: 250_000_000, count: 5))
  }

  /// Of handlers that compute 10 ms each one sample in hundreds finds the loop in between.
  @Test func `are not claimed of a handler that the loop calls again at once`() {
    var maker = FreezeMaker()
    let small = "compute smallCommand processCommand " + FreezeMaker.rest.withoutCall
    for turn in 0..<4 {
      maker.rest(milliseconds: 1000)
      maker.run(small, milliseconds: turn == 1 ? 700 : 1500)
      guard turn == 1 else { continue }
      maker.run(FreezeMaker.rest.withoutCall, milliseconds: 10)
      maker.run(small, milliseconds: 790)
    }
    maker.rest(milliseconds: 1000)
    #expect(maker.freezes.isEmpty)
    #expect(maker.diagnosis().freezes.threads.first?.unclear.count == 5)
    // A wait is one all the same.
    maker.run("pthread_mutex_lock " + small, .asleep(in: "futex"), milliseconds: 400)
    maker.rest(milliseconds: 100)
    #expect(maker.freezes.map(\.length) == [400_000_000])
  }

  @Test func `are not the same as one handler after the other`() {
    var maker = FreezeMaker()
    maker.rest(milliseconds: 500)
    for number in 0..<20 {
      maker.run(
        "work command\(number % 3) processCommand " + FreezeMaker.rest.withoutCall, milliseconds: 50
      )
    }
    maker.rest(milliseconds: 500)
    #expect(maker.freezes.isEmpty)
  }

  /// A window of GTK without debug data: it opens a file, and then lays out its lines.
  @Test func `end where the loop calls a handler without a name`() {
    var maker = FreezeMaker()
    let loop =
      "g_main_context_dispatch g_main_context_iteration libgio-2.0.so.0/g_application_run main"
    maker.run(
      "poll g_main_context_iteration libgio-2.0.so.0/g_application_run main", .asleep(in: "poll"),
      milliseconds: 1000)
    for (part, length) in [("read_all", 1000), ("insert", 1400)] as [(String, Int64)] {
      maker.run(
        "libpad.so.0/\(part) libpad.so.0/open_files libgio-2.0.so.0/0x108a97 \(loop)",
        milliseconds: length)
    }
    maker.run(
      "inotify_add_watch libgio-2.0.so.0/g_file_monitor_file libpad.so.0/0x27322 \(loop)",
      milliseconds: 10)
    for turn in 0..<600 {
      maker.run(
        "libpango-1.0.so.0/shape\(turn % 9) libgtk-3.so.0/validate libgdk-3.so.0/0x317e6 \(loop)",
        milliseconds: 10)
    }
    #expect(maker.freezes.map(\.length) == [2_400_000_000])
    #expect(maker.freezes.first?.handler?.line.function == "open_files")
    maker.maker.setThread(0, cpu: 8_410 * FreezeMaker.millisecond)
    let words = maker.words()
    #expect(words.hasPrefix("Froze once in 9.4 s, for 2.40 s: open_files computed 2.40 s"))
    // Which were many short handlers: that it was busy with them is not lost.
    let rest =
      "In all the main thread (4242) was on a CPU for 89.4 %, mostly in validate and what it "
      + "calls (71.3 % of 841 samples); the busiest single function is insert (16.6 ±0.2 %)."
    #expect(words.hasSuffix(rest), "\(words)")
  }

  /// A page of Chromium that computes: all names but one are stripped, and the pump waits with a time limit
  /// and without.
  @Test func `are found by what the main thread of Chromium returns to`() {
    let pump = "0x1 0x2 0x3 ChromeMain __libc_start_main"
    let rests = ["pthread_cond_wait 0x10", "pthread_cond_timedwait 0x11 0x12"]
    func page(_ freeze: String, _ activity: Activity = .running) -> FreezeMaker {
      var maker = FreezeMaker()
      for turn in 0..<4 {
        maker.run("\(rests[turn % 2]) \(pump)", .asleep(in: "futex"), milliseconds: 900)
        maker.run("0x30 0x31 0x20 \(pump)", milliseconds: 20)
        maker.run("\(rests[1]) \(pump)", .asleep(in: "futex"), milliseconds: 400)
        if turn == 2 { maker.run("\(freeze) \(pump)", activity, milliseconds: 700) }
      }
      return maker
    }
    let computing = page("clock_gettime 0x42 0x41 0x40 0x21 0x20")
    #expect(computing.freezes.map(\.length) == [700_000_000])
    #expect(computing.words().hasSuffix("in a handler of Chromium's message loop."))
    // One that waits in a handler waits deeper than the pump.
    let waiting = page("pthread_cond_wait 0x44 0x43 0x42 0x21 0x20", .asleep(in: "futex"))
    #expect(waiting.freezes.map(\.length) == [700_000_000])
    // One that never comes back has no habit.
    var hung = FreezeMaker()
    hung.run("\(rests[0]) \(pump)", .asleep(in: "futex"), milliseconds: 900)
    hung.run("clock_gettime 0x42 0x20 \(pump)", milliseconds: 3000)
    #expect(hung.freezes.isEmpty)
  }

  /// Reads of a disk sleep many times in one call.
  @Test func `of a disk are those of one call`() {
    var maker = FreezeMaker()
    for _ in 0..<3 {
      maker.rest(milliseconds: 1000)
      maker.run(
        "read load debugCommand processCommand " + FreezeMaker.rest.withoutCall,
        .uninterruptible(WaitReason(systemCall: "read")), milliseconds: 900, slept: .renewed)
    }
    maker.rest(milliseconds: 1000)
    #expect(maker.freezes.map(\.cause.kind) == [.disk, .disk, .disk])
  }

  @Test func `at the beginning and the end last at least as long as they were seen`() {
    var maker = FreezeMaker()
    let work = "work debugCommand processCommand " + FreezeMaker.rest.withoutCall
    maker.run(work, milliseconds: 300)
    maker.rest(milliseconds: 2000)
    maker.run(work, milliseconds: 200)
    #expect(maker.freezes.map(\.beganBefore) == [true, false])
    #expect(maker.freezes.map(\.goesOn) == [false, true])
    #expect(maker.words().contains("at least 0.20 to 0.30 s each"))
    // Never back: that is no news about how it responds now and then.
    var hung = FreezeMaker()
    hung.run(work, milliseconds: 3000)
    #expect(hung.diagnosis().verdict.kind != .froze)
  }

  @Test func `for a lock name its owner and what that did`() throws {
    var maker = FreezeMaker()
    maker.rest(milliseconds: 1000)
    maker.run(
      "pthread_mutex_lock update debugCommand processCommand " + FreezeMaker.rest.withoutCall,
      .asleep(in: "futex"), milliseconds: 600)
    maker.rest(milliseconds: 8400)
    maker.maker.wait(
      4242, .mutex(by: .thread(tid: 4243)), from: 1_200_000_000, to: 1_500_000_000)
    let owner = maker.maker.thread(4243, "loader", "crunch start_thread", .running)
    let freeze = try #require(maker.freezes.first)
    #expect(freeze.cause.kind == .lock)
    #expect(freeze.cause.owner?.thread == owner)
    #expect(maker.words().contains("held by \"loader\" (4243), which computed in crunch"))
  }

  @Test func `of a program without a loop are the long waits of its main thread`() {
    var maker = FreezeMaker()
    maker.run("work main", milliseconds: 1000)
    maker.run("pthread_mutex_lock update main", .asleep(in: "futex"), milliseconds: 1200)
    maker.run("work main", milliseconds: 1000)
    #expect(maker.freezes.map(\.length) == [1_200_000_000])
    #expect(
      maker.words().hasPrefix("Froze once in 3.2 s, for 1.20 s: it waited 1.20 s for a mutex"))
    // A wait for its threads, or for work, is its business.
    var waiting = FreezeMaker()
    waiting.run("work main", milliseconds: 1000)
    waiting.run("pthread_join main", .asleep(in: "futex"), milliseconds: 2200)
    waiting.run("read main", .asleep(in: "read"), milliseconds: 2200)
    waiting.run("work main", milliseconds: 1000)
    #expect(waiting.freezes.isEmpty)
    // One that tries for a lock again and again has not waited for as long as all its tries took.
    for slept in [.renewed, .within] as [UnseenSleeps] {
      var trying = FreezeMaker()
      trying.run("work main", milliseconds: 1000)
      trying.run(
        "pthread_mutex_timedlock update main", .asleep(in: "futex"), milliseconds: 2200,
        slept: slept)
      #expect(trying.freezes.isEmpty)
      #expect(trying.words().hasPrefix("Mostly waiting"))
    }
  }

  @Test func `are marked for the Firefox Profiler`() {
    var text = ""
    FirefoxExporter().write(savingProgram().maker.maker.profile, to: &text)
    #expect(text.contains("\"type\":\"Freeze\",\"what\":\"save_settings (app.py:1) slept 0.40 s"))
  }

  @Test func `are not known of a capture that does not tell of sleeps between samples`() {
    var maker = savingProgram()
    maker.maker.maker.profile.capture.knowsUnseenSleeps = false
    #expect(!maker.diagnosis().freezes.isKnown)
    #expect(maker.diagnosis().verdict.kind == .idle)
    #expect(maker.view().contains("Not known"))
  }
}
