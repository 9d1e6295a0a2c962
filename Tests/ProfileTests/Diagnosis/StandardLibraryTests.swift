internal import Foundation
internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A place in a standard library` {
  private static let gthread = "/usr/include/x86_64-linux-gnu/c++/13/bits/gthr-default.h"
  private static let subprocess = "lib/python3.13/subprocess.py"
  private static let futures = "lib/python3.13/concurrent/futures"

  @Test(arguments: [
    // libstdc++, whose inlined functions have short names.
    (
      "libc.so.6/pthread_mutex_lock \(gthread)/__gthread_mutex_lock "
        + "/usr/include/c++/13/bits/std_mutex.h/lock /src/dl3.cpp/two "
        + "/usr/include/c++/13/bits/invoke.h/__invoke_impl libc.so.6/start_thread", "two"
    ),
    (
      "libc.so.6/syscall /usr/lib/gcc/x/13/../../../../include/c++/13/condition_variable/wait<lambda> "
        + "/src/lost.cpp/wait_done main", "wait_done"
    ),
    // libc++, Rust, and functions without a known file.
    ("libc.so.6/syscall /usr/lib/llvm-18/include/c++/v1/mutex/lock /src/a.cpp/save main", "save"),
    (
      "libc.so.6/syscall /rustc/9fc6b43/library/std/src/thread/local.rs/try_with /src/a.rs/send",
      "send"
    ),
    ("libc.so.6/syscall std::timed_mutex::_M_clocklock try_save main", "try_save"),
    ("libc.so.6/syscall core::ops::function::impls::call_mut core::Engine::wait_all", "wait_all"),
    // Python's own library in Python.
    (
      "libc.so.6/poll \(subprocess)/Popen.communicate \(subprocess)/run app.py/run_backup app.py/go",
      "run_backup"
    ),
    ("libc.so.6/sem_wait \(futures)/_base.py/Future.result app.py/load app.py/go", "load"),
    (
      "libc.so.6/recv lib/python3.13/site-packages/redis.py/recv_into app.py/load", "recv_into"
    ),
    // Nobody else: as it is.
    ("libc.so.6/syscall std::timed_mutex::_M_clocklock libc.so.6/start_thread", "_M_clocklock"),
    // Not of what called the handler's loop, or forked the process.
    (
      "libc.so.6/recv lib/python3.13/ssl.py/SSLSocket.read lib/python3.13/asyncio/events.py/Handle._run "
        + "lib/python3.13/asyncio/base_events.py/BaseEventLoop._run_once app.py/<module>",
      "SSLSocket.read"
    ),
    (
      "libc.so.6/recv lib/python3.13/ssl.py/SSLSocket.read "
        + "lib/python3.13/multiprocessing/process.py/BaseProcess._bootstrap app.py/start",
      "SSLSocket.read"
    ),
  ])
  func `is the program's function that called it`(way: String, place: String) {
    var waiting = WaitMaker()
    waiting.thread(4242, "", way, .asleep(in: "futex"))
    #expect(waiting.diagnosis.situations[0]?.asker?.line.function.hasSuffix(place) == true)
    for kind in [CaptureInfo.Kind.attach, .dump] {
      var running = WaitMaker(kind: kind)
      running.thread(4242, "", String(way.split(separator: " ", maxSplits: 1)[1]), .running)
      #expect(running.verdict.place?.line.function.hasSuffix(place) == true)
    }
  }

  @Test func `is the program's own in all views`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "", "libc.so.6/syscall /usr/include/c++/13/mutex/lock /src/a.cpp/save main",
      .asleep(in: "futex"))
    maker.thread(
      4243, "burner", "/usr/include/c++/13/chrono/now /src/a.cpp/burn libc.so.6/start_thread",
      .running)
    for view in [ReportView.summary, .blame] {
      var text = ""
      TextReport(maker.profile, options: ReportOptions(views: [view], width: 200)).write(to: &text)
      #expect(text.contains("save") && text.contains("in burn"), "\(text)")
      #expect(!text.contains("in lock") && !text.contains("in now"), "\(text)")
    }
  }

  /// As its schema promises: the call, then the program's own functions.
  @Test func `is left out of a brief report`() {
    var maker = WaitMaker()
    let header = "/usr/include/c++/13/mutex"
    maker.thread(
      4242, "",
      "libc.so.6/syscall \(header)/one \(header)/two \(header)/three \(header)/four \(header)/five "
        + "/src/a.cpp/save \(header)/six /src/a.cpp/main", .asleep(in: "futex"))
    var text = ""
    BriefReport(maker.profile).write(asJSON: false, to: &text)
    let frames = text.split(separator: "\n").drop { !$0.hasPrefix("Thread") }.dropFirst()
    #expect(frames.map { $0.split(separator: " ")[0] } == ["syscall", "save", "main"])
  }
}
