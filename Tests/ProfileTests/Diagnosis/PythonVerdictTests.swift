internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `The verdict of a Python program` {
  @Test(arguments: [
    ("libc.so.6/recv python3.13/sock_recv_impl python3.13/_PyEval_EvalFrameDefault", "ask"),
    ("libc.so.6/recv libpython3.13.so.1.0/sock_recv_impl", "ask"),
    ("libc.so.6/recv lib-dynload/_socket.cpython-313.so/sock_recv_impl", "ask"),
    ("libc.so.6/recv libc.so.6/fgets _fast.so/read_row python3.13/new_call", "read_row"),
    ("libc.so.6/recv libssl.so.3/SSL_read lib-dynload/_ssl.so/_ssl_read", "SSL_read"),
  ])
  func `names who asked for a wait, past the C library and Python itself`(
    way: String, asker: String
  ) {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "\(way) app.py/ask app.py/<module> python3.13/run_it libc.so.6/0x29ca8",
      .asleep(in: "recvfrom"))
    #expect(maker.verdict.kind == .waiting)
    #expect(maker.verdict.waitPlace?.line.function == asker)
  }

  @Test(arguments: [
    "libsqlite3.so.0/0xaa1b4 libsqlite3.so.0/sqlite3InvokeBusyHandler libsqlite3.so.0/sqlite3_step",
    "lib-dynload/_sqlite3.cpython-313.so/0x1234 lib-dynload/_sqlite3.cpython-313.so/0x1300",
  ])
  func `of a sleep within SQLite is that it waits for a locked database`(library: String) {
    var maker = WaitMaker(kind: .dump)
    let sleep = "libc.so.6/clock_nanosleep libc.so.6/usleep"
    maker.thread(
      4242, "", "\(sleep) \(library) app.py/save app.py/<module>", .asleep(in: "clock_nanosleep"))
    maker.wait(
      4242, Wait(kind: .sleep, systemCall: "clock_nanosleep", timeLeft: 50_000_000, isTimed: true))
    #expect(maker.verdict.kind == .waiting)
    #expect(maker.verdict.wait?.kind == .databaseLock)
    #expect(maker.verdict.waitPlace?.line.function == "save")
    // A function of the program that the library calls back sleeps by its own choice.
    var own = WaitMaker(kind: .dump)
    own.thread(
      4242, "", "\(sleep) app.py/on_progress \(library) app.py/save", .asleep(in: "clock_nanosleep")
    )
    #expect(own.verdict.kind == .idle)
  }

  /// What a reader meets of one wait: the verdict, and the views.
  @Test func `calls a lock of Python's by one name in all views`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "",
      "libc.so.6/sem_wait python3.11/PyThread_acquire_lock_timed python3.11/lock_acquire "
        + "threading.py/Condition.wait threading.py/Event.wait app.py/<module>",
      .asleep(in: "futex"))
    maker.wait(
      4242,
      Wait(
        kind: .semaphore, systemCall: "futex",
        object: WaitObject(address: RemoteAddress(0x5620), mapping: "[heap]")))
    for view in [ReportView.summary, .waits, .blame] {
      var text = ""
      TextReport(maker.profile, options: ReportOptions(views: [view], width: 200)).write(to: &text)
      let words = text.components(separatedBy: "\n").filter { $0.contains("waiting") }
      #expect(!words.isEmpty && words.allSatisfy { $0.contains("Python lock") }, "\(text)")
    }
    var page = ""
    PageExporter().write(maker.profile, to: &page)
    #expect(page.contains("waiting for a Python lock") && !page.contains("for semaphore"))
  }

  @Test(arguments: [
    "python3.13/PyEvent_WaitTimed threading.py/Thread.join",
    "python3.9/PyThread_acquire_lock_timed threading.py/_wait_for_tstate_lock threading.py/join",
    "python3.13/thread_shutdown threading.py/_shutdown python3.13/wait_for_thread_shutdown",
  ])
  func `of a main thread that joins Python's threads is about these`(way: String) {
    var maker = WaitMaker()
    maker.thread(4242, "", "libc.so.6/0x9cefe \(way) app.py/<module>", .asleep(in: "futex"))
    maker.wait(4242, Wait(kind: .semaphore, systemCall: "futex"))
    maker.thread(
      4243, "A", "libc.so.6/recv app.py/a threading.py/Thread.run", .asleep(in: "recvfrom"))
    maker.thread(
      4244, "B", "libc.so.6/sem_wait app.py/b threading.py/Thread.run", .asleep(in: "futex"))
    let diagnosis = maker.diagnosis
    #expect(diagnosis.situations[0]?.wait?.kind == .join)
    #expect(diagnosis.verdict.kind == .waiting)
    #expect(diagnosis.verdict.thread == 1)
    #expect(ReportHead.text(maker.profile).contains("Waiting: \"A\" (4243)"))
    // It waits for no thread in particular.
    var pipe = Wait.pipe(peers: [.process(pid: 4242, tid: nil, name: "orderd")])
    pipe.kind = .receive
    maker.wait(4243, pipe)
    maker.wait(4244, Wait(kind: .semaphore, systemCall: "futex"))
    #expect(
      ReportHead.text(maker.profile).contains(
        "the program itself could still proceed if one of its threads wakes up"))
  }

  @Test(arguments: [
    ("libc.so.6/memcpy python3.13/bytes_repeat app.py/fill", "fill"),
    ("python3.13/list_sort_impl python3.13/list_sort app.py/fill", "fill"),
    ("libc.so.6/memcpy _fast.so/copy_rows python3.13/call_it app.py/fill", "_fast.so/copy_rows"),
  ])
  func `of a thread in what Python does for a function is about that function`(
    way: String, place: String
  ) {
    for kind in [CaptureInfo.Kind.attach, .dump] {
      var maker = WaitMaker(kind: kind)
      maker.thread(4242, "", "\(way) app.py/<module> python3.13/run_it", .running)
      #expect(place.hasSuffix(maker.verdict.place?.line.function ?? "none"))
    }
    var various = WaitMaker()
    let thread = various.thread(4242, "", "\(way) app.py/<module>", .running)
    for number in 1..<10 {
      let start = Int64(number) * WaitMaker.second
      various.run(thread, ["app.py/parse_\(number)", "app.py/<module>"], .running, from: start)
    }
    #expect(various.verdict.kind == .slow)
    #expect(place.hasSuffix(various.verdict.place?.line.function ?? "none"))
  }
  @Test(arguments: [
    ("clock_nanosleep", "libc.so.6/clock_nanosleep", "Popen._wait", "Popen.wait"),
    ("pselect6", "libc.so.6/__select", "_wait", "wait"),
  ])
  func `of a sleep between checks of a child process is that it waits for its exit`(
    call: String, sleep: String, inner: String, outer: String
  ) {
    for kind in [WaitKind.sleep, nil] {
      var maker = WaitMaker(kind: .dump)
      maker.thread(
        4242, "",
        "\(sleep) python3.12/time_sleep subprocess.py/\(inner) subprocess.py/\(outer) app.py/build "
          + "app.py/<module>", .asleep(in: call))
      if let kind {
        maker.wait(
          4242, Wait(kind: kind, systemCall: call, timeLeft: 50_000_000, isTimed: true), since: -9)
      }
      #expect(maker.verdict.kind == .waiting)
      #expect(maker.verdict.wait == Wait(kind: .childProcess, systemCall: call))
      #expect(maker.verdict.waitPlace?.line.function == "build")
      #expect(maker.verdict.lasted == nil)
    }
    // A function of the program of the same name sleeps by its own choice.
    var own = WaitMaker(kind: .dump)
    own.thread(
      4242, "", "libc.so.6/clock_nanosleep app.py/Popen.wait app.py/build",
      .asleep(in: "clock_nanosleep"))
    #expect(own.verdict.kind == .idle)
  }

  @Test(arguments: [
    ("libcrypto.so.3/0x29c554 libcrypto.so.3/SHA256_Update lib-dynload/_hashlib.so/hash", "fill"),
    ("libcrypto.so.3/0x29c554 lib-dynload/_hashlib.so/hash", "fill"),
    ("0x7f4411 libc.so.6/memcpy", "fill"),
    ("[vdso]/__vdso_clock_gettime libc.so.6/clock_gettime python3.13/time_time", "fill"),
    ("[vdso]/0x9d4 libc.so.6/clock_gettime python3.13/time_time", "fill"),
    ("libcrypto.so.3/sha256_block libcrypto.so.3/0x29c554", "sha256_block"),
  ])
  func `of a thread in code without a name, or the kernel's, is about Python's function`(
    way: String, place: String
  ) {
    for kind in [CaptureInfo.Kind.attach, .dump] {
      var maker = WaitMaker(kind: kind)
      maker.thread(4242, "", "\(way) app.py/fill app.py/<module> python3.13/run_it", .running)
      #expect(maker.verdict.place?.line.function == place)
      // Without Python it is where it is, or where that was called from of what is not the C library.
      var native = WaitMaker(kind: kind)
      native.thread(4242, "", "\(way) crunch main", .running)
      let first = way.split(separator: " ")[0].split(separator: "/").last.map(String.init)
      let own = way.hasPrefix("[vdso]") ? "crunch" : first
      #expect(native.verdict.place?.line.function == own)
    }
  }

  @Test(arguments: [
    ("libc.so.6/__clock_nanosleep app.py/nap", "clock_nanosleep", Verdict.Kind.hungOnLock),
    ("libc.so.6/recv app.py/ask", "recvfrom", .hungOnLock),
    ("libc.so.6/accept app.py/serve", "accept", .hungOnLock),
  ])
  func `whose main thread rests is about those at a lock, and not idle`(
    way: String, call: String, expected: Verdict.Kind
  ) {
    let take = "libc.so.6/sem_wait python3.12/PyThread_acquire_lock_timed"
    let start = "threading.py/Thread.run threading.py/Thread._bootstrap"
    for (holder, kind) in [("hold", expected), ("work", .waiting)] {
      var maker = WaitMaker()
      maker.thread(
        4242, "", "libc.so.6/__clock_nanosleep app.py/<module>", .asleep(in: "clock_nanosleep"))
      for tid in 4243...4246 as ClosedRange<Int32> {
        maker.thread(tid, "", "\(take) app.py/work \(start)", .asleep(in: "futex"))
        maker.wait(tid, .pythonLock(by: 4250))
      }
      maker.thread(4250, "", "\(way) app.py/\(holder) \(start)", .asleep(in: call))
      // Those that take turns at accepting are all at rest.
      let isTurn = call == "accept" && kind == .waiting
      let sleeps = call == "clock_nanosleep"
      let wanted = isTurn ? .idle : sleeps ? .hungOnLock : kind
      #expect(maker.verdict.kind == wanted, "\(holder) in \(call)")
      #expect(isTurn || maker.verdict.waitPlace?.line.function == "work")
    }
  }

  @Test func `whose threads wait for a lock of unknown owner waits`() {
    let take = "libc.so.6/sem_wait python3.12/PyThread_acquire_lock_timed"
    for (asker, kind) in [
      ("app.py/work", Verdict.Kind.waiting), ("threading.py/Condition.__enter__", .waiting),
      ("threading.py/Condition.wait", .idle), ("queue.py/Queue.get", .idle),
      ("threading.py/Condition.wait threading.py/Semaphore.acquire", .idle),
    ] {
      var maker = WaitMaker()
      maker.thread(
        4242, "", "libc.so.6/__clock_nanosleep app.py/<module>", .asleep(in: "clock_nanosleep"))
      maker.thread(4243, "", "\(take) \(asker) app.py/run", .asleep(in: "futex"))
      maker.wait(4243, .pythonLock(by: nil))
      #expect(maker.verdict.kind == kind, "\(asker)")
    }
  }
}

extension Wait {
  fileprivate static func pythonLock(by owner: Int32?) -> Wait {
    Wait(
      kind: owner == nil ? .semaphore : .mutex, systemCall: "futex",
      object: WaitObject(address: RemoteAddress(0x5510), flavor: LockFlavor([.python])),
      owners: owner.map { [.thread(tid: $0)] } ?? [])
  }
}
