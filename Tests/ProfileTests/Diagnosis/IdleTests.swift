internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

/// Stacks as real programs show them, innermost first.
enum RealStacks {
  typealias Entry = (name: String, call: String, functions: String)

  static let mainLoops: [Entry] = [
    ("GTK", "poll", "__poll g_main_context_iterate.isra.0 g_main_loop_run gtk_main main"),
    ("GTK stripped", "poll", "poll 0x55d1e 0x55e30 g_main_loop_run gtk_main main _start"),
    (
      "GApplication", "poll",
      "poll g_main_context_poll_unlocked g_main_context_iterate_unlocked g_main_context_iteration "
        + "g_application_run main"
    ),
    (
      "Qt with GLib", "poll",
      "poll 0x1234 g_main_context_iteration QEventDispatcherGlib::processEvents(QFlags<QEventLoop::"
        + "ProcessEventsFlag>) QEventLoop::exec(QFlags<QEventLoop::ProcessEventsFlag>) "
        + "QCoreApplication::exec() main"
    ),
    (
      "Qt", "ppoll",
      "ppoll qt_safe_poll(pollfd*,unsigned_long,timespec_const*) "
        + "QEventDispatcherUNIX::processEvents(QFlags<QEventLoop::ProcessEventsFlag>) "
        + "QEventLoop::exec(QFlags<QEventLoop::ProcessEventsFlag>) QCoreApplication::exec() main"
    ),
    (
      "node", "epoll_wait",
      "epoll_pwait uv__io_poll uv_run node::SpinEventLoopInternal(node::Environment*) "
        + "node::NodeMainInstance::Run() node::Start(int,char**) main __libc_start_call_main"
    ),
    ("redis", "epoll_wait", "epoll_wait aeApiPoll aeProcessEvents aeMain main _start"),
    (
      "nginx worker", "epoll_wait",
      "epoll_wait ngx_epoll_process_events ngx_process_events_and_timers ngx_worker_process_cycle "
        + "ngx_spawn_process ngx_start_worker_processes ngx_master_process_cycle main"
    ),
    ("nginx master", "rt_sigsuspend", "__GI___sigsuspend ngx_master_process_cycle main"),
    (
      "postmaster", "epoll_wait",
      "epoll_wait WaitEventSetWaitBlock WaitEventSetWait ServerLoop PostmasterMain main"
    ),
    (
      "PostgreSQL's backend", "epoll_wait",
      "epoll_wait WaitEventSetWait secure_read pq_recvbuf pq_getbyte SocketBackend ReadCommand "
        + "PostgresMain BackendRun ServerLoop PostmasterMain main"
    ),
    (
      "checkpointer", "epoll_wait",
      "epoll_wait WaitEventSetWaitBlock WaitEventSetWait WaitLatch CheckpointerMain "
        + "AuxiliaryProcessMain main"
    ),
    (
      "Go", "futex",
      "runtime.futex runtime.futexsleep runtime.notesleep runtime.mPark runtime.stopm "
        + "runtime.findRunnable runtime.schedule runtime.park_m runtime.mcall"
    ),
    (
      "Go netpoll", "epoll_wait",
      "internal/runtime/syscall.EpollWait runtime.netpoll runtime.findRunnable runtime.schedule"
    ),
    ("Go sysmon", "nanosleep", "runtime.usleep runtime.sysmon runtime.mstart1 runtime.mstart"),
    (
      "Asio", "epoll_wait",
      "epoll_wait boost::asio::detail::epoll_reactor::run(long,boost::asio::detail::op_queue<"
        + "boost::asio::detail::scheduler_operation>&) boost::asio::detail::scheduler::run("
        + "boost::system::error_code&) main"
    ),
    ("libevent", "epoll_wait", "epoll_wait epoll_dispatch event_base_loop main"),
    ("libev", "epoll_wait", "epoll_wait epoll_poll ev_run main"),
    (
      "Tk with threads", "futex",
      "__futex_abstimed_wait_common pthread_cond_timedwait Tcl_WaitForEvent Tcl_DoOneEvent "
        + "_tkinter_tkapp_mainloop main"
    ),
    ("Tk", "select", "__select Tcl_WaitForEvent Tcl_DoOneEvent Tk_MainLoop main"),
    ("xterm", "poll", "poll _xcb_conn_wait xcb_wait_for_event _XReadEvents XNextEvent main"),
    ("systemd", "epoll_wait", "epoll_wait sd_event_wait sd_event_run sd_event_loop main"),
    (
      "asyncio", "epoll_wait",
      "epoll_wait select_epoll_poll_impl _PyEval_EvalFrameDefault EpollSelector.select "
        + "BaseEventLoop._run_once BaseEventLoop.run_forever main"
    ),
    (
      "asyncio with a stripped C library", "epoll_wait",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/epoll_wait python3.14/select_epoll_poll "
        + "selectors.py/EpollSelector.select base_events.py/BaseEventLoop._run_once "
        + "base_events.py/BaseEventLoop.run_forever app.py/<module>"
    ),
    (
      "asyncio with an interpreter of new names", "epoll_wait",
      "libc.so.6/epoll_wait python3.15/select_new_poll python3.15/_PyCallMethod_StackRef "
        + "selectors.py/EpollSelector.select base_events.py/BaseEventLoop._run_once app.py/<module>"
    ),
    (
      "GTK with a stripped C library", "poll",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/poll 0x55d1e 0x55e30 g_main_loop_run main"
    ),
    (
      "Qt with a stripped C library", "ppoll",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/ppoll QEventDispatcherUNIX::processEvents() "
        + "QEventLoop::exec() main"
    ),
    (
      "node with a stripped C library", "epoll_wait",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/epoll_pwait uv__io_poll uv_run main"
    ),
    (
      "Tk with a stripped C library", "select",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/__select Tcl_WaitForEvent Tcl_DoOneEvent main"
    ),
    (
      "sleep with a stripped C library", "clock_nanosleep",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/clock_nanosleep libc.so.6/nanosleep main"
    ),
    (
      "epoll in main with a stripped C library", "epoll_wait",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/epoll_wait main libc.so.6/0x2a1c9"
    ),
    ("daemon", "accept", "accept main __libc_start_call_main"),
    ("epoll in main", "epoll_wait", "epoll_wait main __libc_start_call_main"),
    ("sigwait", "rt_sigtimedwait", "__GI___sigtimedwait sigwait main"),
    ("pause", "pause", "pause main"),
    ("sleep", "clock_nanosleep", "clock_nanosleep nanosleep sleep main"),
    ("mio", "epoll_wait", "epoll_wait <mio::poll::Poll>::poll server::main main"),
  ]

  /// Main threads that wait within a handler, or for what they need.
  static let notIdle: [Entry] = [
    (
      "GTK's handler reads", "read",
      "read read_answer on_clicked g_closure_invoke g_signal_emit_valist g_signal_emit "
        + "g_main_context_dispatch g_main_context_iterate g_main_loop_run gtk_main main"
    ),
    (
      "GTK's handler polls", "poll",
      "poll wait_answer on_timeout g_timeout_dispatch g_main_context_dispatch "
        + "g_main_context_iterate g_main_loop_run main"
    ),
    (
      "stripped handler polls", "poll",
      "poll 0x55d1e 0x55e30 0x55e40 0x55e50 g_main_loop_run gtk_main main"
    ),
    (
      "Qt's handler joins", "futex",
      "pthread_join Worker::stop() QMetaObject::activate(QObject*,int,int,void**) "
        + "QCoreApplication::notifyInternal2(QObject*,QEvent*) QEventDispatcherUNIX::"
        + "processEvents(QFlags<QEventLoop::ProcessEventsFlag>) QEventLoop::exec() main"
    ),
    (
      "GTK's handler sleeps", "clock_nanosleep",
      "clock_nanosleep usleep on_clicked g_closure_invoke g_main_context_dispatch g_main_loop_run main"
    ),
    ("node's synchronous read", "read", "read uv_fs_read node::fs::Read uv__io_poll uv_run main"),
    (
      "nginx's handler reads a file", "pread64",
      "pread64 ngx_read_file ngx_http_handler ngx_epoll_process_events ngx_process_events_and_timers main"
    ),
    (
      "PostgreSQL's lock", "epoll_wait",
      "epoll_wait WaitEventSetWait WaitLatch ProcSleep WaitOnLock LockAcquireExtended PostgresMain ServerLoop main"
    ),
    ("X reply", "poll", "poll _xcb_conn_wait wait_for_reply xcb_wait_for_reply _XReply XSync main"),
    (
      "Wayland roundtrip", "poll",
      "poll wl_display_poll wl_display_dispatch_queue wl_display_roundtrip_queue main"
    ),
    ("client", "recvfrom", "recv ask_server main"),
    (
      "a client with a stripped C library", "poll",
      "libc.so.6/0x91a02 libc.so.6/0x91a1c libc.so.6/poll ask_server main"
    ),
    (
      "asyncio's handler polls", "poll",
      "libc.so.6/poll python3.14/select_poll_poll app.py/ask app.py/handle "
        + "base_events.py/BaseEventLoop._run_once app.py/<module>"
    ),
    (
      "Python without its frames", "epoll_wait",
      "epoll_wait select_epoll_poll_impl _PyEval_EvalFrameDefault run_eval_code_obj run_mod "
        + "pymain_run_python Py_RunMain main"
    ),
    ("poll for one answer", "poll", "poll main"),
    ("lock", "futex", "__lll_lock_wait pthread_mutex_lock worker"),
  ]
}

@Suite struct `Idle threads` {
  private func verdict(_ entry: RealStacks.Entry) -> Diagnosis {
    var maker = WaitMaker()
    maker.thread(4242, "app", entry.functions, .asleep(in: entry.call))
    return maker.diagnosis
  }

  @Test(arguments: RealStacks.mainLoops.map(\.name)) func `are known by their loop`(name: String)
    throws
  {
    let entry = try #require(RealStacks.mainLoops.first { $0.name == name })
    let diagnosis = verdict(entry)
    #expect(diagnosis.situations.first??.idleness != nil)
    #expect(diagnosis.verdict.kind == .idle)
  }

  @Test(arguments: RealStacks.notIdle.map(\.name)) func `are not those in a handler`(name: String)
    throws
  {
    let entry = try #require(RealStacks.notIdle.first { $0.name == name })
    let diagnosis = verdict(entry)
    #expect(diagnosis.situations.first != nil && diagnosis.situations[0] != nil)
    #expect(diagnosis.situations.first??.idleness == nil)
    #expect(diagnosis.verdict.kind != .idle)
  }

  @Test func `are workers that wait for work in one and the same flat stack`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "accept main", .asleep(in: "accept"))
    for tid in Int32(5000)..<5012 {
      maker.thread(
        tid, "crew-\(tid)", "futex_wait pthread_cond_wait next_one crew start_thread clone3",
        .asleep(in: "futex"))
    }
    // Deep in a job two threads may well wait for the same thing and need it.
    for tid in Int32(6000)..<6003 {
      maker.thread(
        tid, "req-\(tid)",
        "pthread_cond_wait acquire_connection query load_user handle serve crew start_thread",
        .asleep(in: "futex"))
    }
    maker.thread(7000, "lone", "pthread_cond_wait next_one lone start_thread", .asleep(in: "futex"))
    maker.thread(
      7001, "log", "pthread_cond_wait logger_queue_pop start_thread", .asleep(in: "futex"))
    let situations = maker.diagnosis.situations.compactMap { $0 }
    let idle = Set(
      situations.filter { $0.idleness != nil }.map { maker.profile.threads[$0.thread].tid })
    #expect(idle == Set([4242, 7001] + (5000..<5012)))
  }

  @Test(arguments: [
    "libc.so.6/0x8a3b2 libc.so.6/pthread_cond_timedwait libjemalloc.so.2/0x39a46 "
      + "libjemalloc.so.2/0x3a0ea libc.so.6/start_thread libc.so.6/clone3",
    "pthread_cond_wait background_thread_sleep background_work_sleep_once "
      + "background_thread_entry start_thread clone3",
  ])
  func `are jemalloc's own, also where it has no names`(functions: String) {
    var maker = WaitMaker()
    maker.thread(4242, "", "accept main", .asleep(in: "accept"))
    maker.thread(4243, "jemalloc_bg_thd", functions, .asleep(in: "futex"))
    #expect(maker.diagnosis.situations[1]?.idleness == .workerPool(.jemalloc))
  }

  @Test func `are none of the program's that wait within jemalloc`() {
    for functions in [
      "libc.so.6/pthread_cond_wait libjemalloc.so.2/0x39a46 libjemalloc.so.2/malloc app/load "
        + "libc.so.6/start_thread",
      "libc.so.6/__lll_lock_wait libc.so.6/pthread_mutex_lock libjemalloc.so.2/0x39a46 "
        + "libc.so.6/start_thread",
    ] {
      var maker = WaitMaker()
      maker.thread(4242, "", "accept main", .asleep(in: "accept"))
      maker.thread(4243, "loader", functions, .asleep(in: "futex"))
      #expect(maker.diagnosis.situations[1]?.idleness == nil, "\(functions)")
    }
  }

  @Test func `are the notifier of Tcl, also where its library has no names`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "busy main", .running)
    maker.thread(
      4243, "tclsh",
      "libc.so.6/__select libtcl8.6.so/0x154c56 libc.so.6/start_thread libc.so.6/clone3",
      .asleep(in: "pselect6"))
    // A thread of the program's own that Tcl runs for.
    maker.thread(
      4244, "worker", "libc.so.6/__select libtcl8.6.so/0x154c56 load libc.so.6/start_thread",
      .asleep(in: "pselect6"))
    #expect(maker.diagnosis.situations[1]?.idleness == .eventLoop(.tcl))
    #expect(maker.diagnosis.situations[2]?.idleness == nil)
  }

  @Test func `are those that wait for their turn at waiting for work`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "pthread_join main", .asleep(in: "futex"))
    maker.wait(4242, .join(5000))
    maker.thread(5000, "", "accept serve start_thread clone3", .asleep(in: "accept"))
    for tid in Int32(5001)..<5004 { maker.locked(tid, by: .thread(tid: 5000), in: "serve") }
    #expect(maker.diagnosis.situations.dropFirst().allSatisfy { $0?.idleness != nil })
    #expect(!([.hung, .hungOnLock, .deadlock] as [Verdict.Kind]).contains(maker.verdict.kind))
  }

  @Test func `tell kinds of wait by call and function`() {
    func kind(_ call: String?, _ functions: String) -> WaitKind {
      WaitKind.of(systemCall: call, functions: functions.split(separator: " ").map(String.init))
    }
    for call in ["futex", "futex_wait", "futex_waitv"] {
      #expect(kind(call, "__lll_lock_wait ___pthread_mutex_lock f") == .mutex)
      #expect(kind(call, "syscall f") == .futex)
    }
    #expect(
      kind("futex", "futex_wait __futex_abstimed_wait_common64 ___pthread_cond_wait@@GLIBC_2.3.2 g")
        == .conditionVariable)
    #expect(kind("futex", "pthread_cond_timedwait take_gil PyEval_RestoreThread") == .gil)
    #expect(
      kind("futex", "do_futex_wait.constprop.0 __new_sem_wait_slow64.constprop.1 sem_wait")
        == .semaphore)
    #expect(kind("futex", "0x9cefe 0x9ce27 _PySemaphore_Wait PyEvent_WaitTimed") == .semaphore)
    #expect(kind("futex", "__pthread_clockjoin_ex main") == .join)
    #expect(
      kind("futex", "std::sys::sync::mutex::futex::Mutex::lock_contended::h0123456789abcdef f")
        == .mutex)
    #expect(kind("futex", "__pthread_rwlock_wrlock_full64 f") == .writeLock)
    #expect(kind("futex", "runtime.futex runtime.futexsleep runtime.notesleep") == .parking)
    #expect(kind("futex", "0x1234 main") == .futex)
    #expect(kind("restart_syscall", "clock_nanosleep sleep main") == .sleep)
    #expect(kind("restart_syscall", "pthread_cond_timedwait main") == .conditionVariable)
    #expect(kind("pselect6", "__select pysleep time_sleep nap <module>") == .sleep)
    #expect(kind("pselect6", "0x91a02 0x91a1c __select time_sleep nap <module>") == .sleep)
    #expect(kind("pselect6", "__select select_select_impl time_sleep <module>") == .select)
    #expect(kind("recvfrom", "recv main") == .receive)
    #expect(kind("syscall_1234", "main") == .otherCall)
    #expect(kind(nil, "main") == .unknown)
    let all = [
      "accept4": WaitKind.accept, "wait4": .childProcess, "flock": .fileLock, "openat": .open,
      "epoll_pwait2": .epoll, "semtimedop": .systemVSemaphore, "io_uring_enter": .asynchronousIO,
      "mq_timedreceive": .messageQueue, "pselect6": .select, "connect": .connect,
      "sendmsg": .send, "writev": .write, "rt_sigsuspend": .signal,
    ]
    for (call, expected) in all { #expect(kind(call, "f main") == expected) }
  }
}
