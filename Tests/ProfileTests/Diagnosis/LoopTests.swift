internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@Suite struct `A loop that a handler runs` {
  private static let second = WaitMaker.second

  /// A program whose handler `on_open` runs GLib's main loop, and what that waits for.
  private func program(
    _ descriptors: [WaitDescriptor], in functions: String = "g_main_loop_run gtk_dialog_run"
  ) -> Diagnosis {
    var maker = WaitMaker()
    maker.thread(
      4242, "app",
      "poll g_main_context_iterate \(functions) on_open g_closure_invoke g_signal_emit "
        + "g_main_context_dispatch g_main_context_iterate g_main_loop_run gtk_main main",
      .asleep(in: "poll"))
    maker.wait(
      4242, Wait(kind: .poll, systemCall: "poll", descriptors: descriptors), since: -2 * Self.second
    )
    return maker.diagnosis
  }

  private func eventfd(_ number: Int32) -> WaitDescriptor {
    WaitDescriptor(number: number, kind: .eventfd, name: "anon_inode:[eventfd]")
  }

  @Test(arguments: ["@/tmp/.X11-unix/X0", "/run/user/1000/wayland-0"])
  func `takes the user's events with the connection to the display`(address: String) {
    let display = WaitDescriptor(
      number: 4, kind: .unixSocket, name: "socket:[1]", peerAddress: address)
    let diagnosis = program([eventfd(3), display])
    #expect(diagnosis.verdict.kind == .idle)
    #expect(diagnosis.situations[0]?.handler?.line.function == "on_open")
    #expect(diagnosis.situations[0]?.loopEvidence?.userDescriptors == 1)
  }

  @Test func `hangs without it`() {
    let diagnosis = program([eventfd(3)], in: "g_main_loop_run g_dbus_connection_call_sync")
    #expect(diagnosis.verdict.kind == .hungOnIO)
    #expect(diagnosis.verdict.waitPlace?.line.function == "g_dbus_connection_call_sync")
    #expect(diagnosis.situations[0]?.handler?.line.function == "on_open")
    #expect(diagnosis.verdict.rule == .neededWait)
  }

  @Test func `of libuv is never the one that called the handler`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "node",
      "epoll_pwait uv__io_poll uv_run node::SyncProcessRunner::Run() uv__run_timers uv_run main",
      .asleep(in: "epoll_wait"))
    maker.wait(
      4242, Wait(kind: .epoll, systemCall: "epoll_wait", descriptors: [eventfd(9)]),
      since: -2 * Self.second)
    #expect(maker.verdict.kind == .hungOnIO)
    #expect(maker.diagnosis.situations[0]?.handlerOf == .libuv)
  }

  @Test func `of Tk takes all events of its thread`() {
    var maker = WaitMaker()
    maker.thread(
      4242, "wish",
      "futex_wait pthread_cond_wait libtcl8.6.so/Tcl_ConditionWait libtcl8.6.so/Tcl_WaitForEvent "
        + "libtcl8.6.so/Tcl_DoOneEvent libtk8.6.so/Tk_TkwaitObjCmd ask libtcl8.6.so/Tcl_ServiceEvent "
        + "libtcl8.6.so/Tcl_DoOneEvent libtk8.6.so/Tk_MainLoop main",
      .asleep(in: "futex"))
    #expect(maker.verdict.kind == .idle)
    #expect(maker.diagnosis.situations[0]?.handler?.line.function == "ask")
  }

  @Test func `of a poll function is at rest, and a handler that polls is not`() {
    for (functions, isIdle) in [
      ("poll libxul.so/0x4a31 0x55d1e g_main_context_iteration libxul.so/0x5000 main", true),
      ("poll libgtk-3.so.0/0x4a31 0x55d1e g_main_context_iteration main", false),
      ("poll ask on_timer g_main_context_dispatch g_main_context_iteration main", false),
    ] {
      var maker = WaitMaker()
      maker.thread(4242, "app", functions, .asleep(in: "poll"))
      #expect((maker.diagnosis.situations[0]?.idleness != nil) == isIdle, "\(functions)")
    }
  }

  @Test func `names as the handler the outermost function of the program's own`() {
    for (functions, handler) in [
      (
        "read ask Window::load() Window::event(QEvent*) libQt5Core.so.5/QWidget::event "
          + "libQt5Widgets.so.5/QApplicationPrivate::notify_helper "
          + "libQt5Core.so.5/QCoreApplication::notifyInternal2 "
          + "libQt5Core.so.5/QEventDispatcherUNIX::processEvents libQt5Core.so.5/QEventLoop::exec main",
        "Window::event(QEvent*)"
      ),
      (
        "read 0x1234 app.so/0x88 app.so/0x90 g_closure_invoke g_main_context_dispatch "
          + "g_main_loop_run main", "0x90"
      ),
      (
        "read app.py/ask app.py/handle asyncio/events.py/Handle._run "
          + "asyncio/base_events.py/BaseEventLoop._run_once app.py/<module>", "handle"
      ),
    ] {
      var maker = WaitMaker()
      maker.thread(4242, "app", functions, .asleep(in: "read"))
      #expect(maker.diagnosis.situations[0]?.handler?.line.function == handler, "\(functions)")
    }
  }
}

@Suite struct `A handler that does much` {
  /// A window whose handler runs native code in ten functions, or ten handlers that do.
  private func program(handlers: Int) -> WaitMaker {
    var maker = WaitMaker(seconds: 3)
    let thread = maker.thread(
      4242, "app", "work0 on_draw0 g_main_context_dispatch g_main_loop_run main", .running)
    maker.maker.profile.runs.removeLast()
    for number in 0..<10 {
      let time = 3 * WaitMaker.second / 10
      maker.run(
        thread,
        [
          "work\(number)", "on_draw\(number % handlers)", "g_main_context_dispatch",
          "g_main_loop_run", "main",
        ], .running, from: Int64(number) * time, to: Int64(number + 1) * time)
    }
    return maker
  }

  @Test func `is named when it did not return`() {
    let verdict = program(handlers: 1).verdict
    #expect(verdict.kind == .busyLoop)
    #expect(verdict.overdue?.line.function == "on_draw0")
    #expect(verdict.rule == .handlerNotReturned)
    #expect(verdict.place?.line.function.hasPrefix("work") == true)
  }

  @Test func `is not one of several that took turns`() {
    let verdict = program(handlers: 2).verdict
    #expect(verdict.kind == .slow)
    #expect(verdict.overdue == nil)
  }
}

@Suite struct `A server that serves many` {
  private func socket(_ number: Int32, to pid: Int32, _ name: String) -> WaitDescriptor {
    WaitDescriptor(
      number: number, kind: .unixSocket, name: "socket:[\(number)]",
      peers: [.process(pid: pid, tid: nil, name: name)])
  }

  /// A client that waits for the answer of a server, which waits for any of its clients.
  private var maker: WaitMaker {
    var maker = WaitMaker()
    maker.thread(
      4242, "app", "recv ask on_clicked g_main_context_dispatch g_main_loop_run main",
      .asleep(in: "recvfrom"))
    maker.wait(
      4242,
      Wait(kind: .receive, systemCall: "recvfrom", descriptors: [socket(4, to: 700, "Xvfb")]),
      since: -2 * WaitMaker.second)
    maker.wait(
      700,
      Wait(
        kind: .epoll, systemCall: "epoll_wait",
        descriptors: [
          WaitDescriptor(
            number: 3, kind: .unixSocket, name: "/tmp/.X11-unix/X0", state: .listening),
          socket(5, to: 4242, "orderd"), socket(6, to: 701, "gvim"),
        ]),
      pid: 700, threadCount: 1)
    maker.wait(
      701, Wait(kind: .poll, systemCall: "poll", descriptors: [socket(7, to: 700, "Xvfb")]),
      pid: 701, threadCount: 1)
    return maker
  }

  @Test func `ends the chain, and is not held up by its clients`() {
    let diagnosis = maker.diagnosis
    #expect(diagnosis.verdict.kind == .hungOnIO)
    let names = diagnosis.verdict.chain.map { diagnosis.graph.nodes[$0].pid }
    #expect(names.last == 700 && !names.contains(701), "\(names)")
    #expect(diagnosis.verdict.behind == 0)
  }
}

@Suite struct `The verdict of a session of PostgreSQL` {
  @Test func `at another's row is that it hangs on a lock in the database`() {
    let stack =
      "libc.so.6/epoll_wait WaitEventSetWait WaitLatch ProcSleep LockAcquireExtended heap_update main"
    var maker = WaitMaker()
    maker.thread(4242, "postgres", stack, .asleep(in: "epoll_wait"))
    maker.wait(
      4242,
      Wait(
        kind: .epoll, systemCall: "epoll_wait",
        descriptors: [WaitDescriptor(number: 7, kind: .signalfd, name: "signalfd")]))
    #expect(maker.verdict.kind == .hungOnLock)
    #expect(maker.verdict.wait == Wait(kind: .databaseLock, systemCall: "epoll_wait"))
    let text = ReportHead.text(maker.profile).split(whereSeparator: \.isWhitespace)
    #expect(text.joined(separator: " ").contains("for a lock in the database that"))
    // Where it waits for its client it does not.
    var other = WaitMaker()
    let rest = "libc.so.6/epoll_wait WaitEventSetWait secure_read PostgresMain main"
    other.thread(4242, "postgres", rest, .asleep(in: "epoll_wait"))
    #expect(other.verdict.wait?.kind == .epoll)
  }
}
