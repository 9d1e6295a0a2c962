internal import ProfileModel

/// Names of functions by which a thread at rest is known.
///
/// All names are plain ones (`FunctionName.plain`): without leading underscores and parameters.
enum IdleNames {
  /// What a function means where it stands between a wait and the thread's start.
  enum Role: Hashable {
    /// A function of the C library or of a lock that waits for whoever called it.
    case call
    /// Stands between a wait and the function that wanted it, and says nothing: an interpreter.
    case glue
    /// Rests here: the loop or pool of this name.
    case rest(Rest)
    /// Runs handlers, and does not itself wait: the loop of this name.
    case loop(String)
    /// Starts a thread or a program.
    case root
    /// Code without a name.
    case address
    case other

    /// Whether this is a loop that waits for events.
    var isLoop: Bool {
      switch self {
      case .loop: true
      case .rest(let rest): rest.kind == .eventLoop
      case .call, .glue, .root, .address, .other: false
      }
    }

    /// Whether what such a function calls are handlers, which should return soon.
    var callsHandlers: Bool {
      if case .rest(let rest) = self, IdleNames.forking.contains(rest.name) { return false }
      return isLoop
    }
  }

  struct Rest: Hashable {
    let kind: Idleness.Kind
    /// As a part of a sentence: `GLib's main loop`.
    let name: String
    /// Whether its workers are held back by a lock while there is no work.
    var parksOnLock: Bool { kind == .workerPool && IdleNames.parkedByLock.contains(name) }
  }

  /// Loops whose forked processes stay below them on the stack for as long as they live.
  private static let forking: Set<String> = ["PostgreSQL's loop", "nginx's master process"]

  private static let parkedByLock: Set<String> = ["Redis' workers", "Apache's workers"]

  /// The role of a function.
  static func role(of name: String) -> Role {
    let plain = FunctionName.plain(name)
    if FunctionName.isAddress(name) { return .address }
    if let role = roles[plain] { return role }
    if let kind = WaitNames.lock(plain), kind != .gil { return .call }
    if let match = beginnings.first(where: { plain.hasPrefix($0.text) }) { return match.role }
    if let match = endings.first(where: { plain.hasSuffix($0.text) }) { return match.role }
    if let match = parts.first(where: { plain.contains(bytesOf: $0.text) }) { return match.role }
    return .other
  }

  private static let roles: [String: Role] = {
    var roles: [String: Role] = [:]
    func add(_ role: Role, _ names: String) {
      // By bytes, which takes a tenth of the time.
      for name in names.utf8.split(separator: UInt8(ascii: " ")) {
        roles[String(Substring(name))] = role
      }
    }
    for name in WaitNames.systemCalls.keys { roles[name] = .call }
    for name in WaitNames.locks.keys { roles[name] = .call }
    add(.call, calls)
    add(.glue, glue)
    add(.root, roots)
    for (kind, name, names) in rests { add(.rest(Rest(kind: kind, name: name)), names) }
    for (name, names) in loops { add(.loop(name), names) }
    return roles
  }()

  private static let calls = """
    syscall syscall_cancel syscall_cancel_arch internal_syscall_cancel do_wait usleep sleep wait \
    libc_poll libc_select select64 pselect64 old_pselect64 clock_nanosleep_time64 g_poll gdk_poll \
    g_usleep poll_schedule_timeout thrd_sleep sigtimedwait sigwaitinfo read_nocancel \
    pthread_sigwait qt_safe_poll qt_ppoll qt_poll xcb_conn_wait \
    wait_for_event std::this_thread::sleep_for std::__condvar::wait std::thread::sleep \
    aeApiPoll pg_usleep Tcl_WaitForEvent ossl_select Monitor::wait \
    Monitor::wait_without_safepoint_check os::naked_short_sleep \
    internal/runtime/syscall.EpollWait internal/runtime/syscall.Syscall6 \
    runtime/internal/syscall.EpollWait runtime/internal/syscall.Syscall6
    """

  /// CPython's way from one Python function to the next, and what waits for its `select` and locks;
  /// PostgreSQL's latches, on which it waits for all kinds of things; the barriers of OpenMP.
  private static let glue = """
    method_vectorcall vectorcall cfunction_call cfunction_vectorcall_FASTCALL \
    cfunction_vectorcall_FASTCALL_KEYWORDS cfunction_vectorcall_NOARGS cfunction_vectorcall_O \
    method_vectorcall_FASTCALL method_vectorcall_FASTCALL_KEYWORDS method_vectorcall_NOARGS \
    select_epoll_poll select_epoll_poll_impl select_poll_poll select_poll_poll_impl \
    select_select select_select_impl time_sleep pysleep acquire_timed lock_PyThread_acquire_lock \
    simplequeue_get queue_SimpleQueue_get queue_SimpleQueue_get_impl slot_tp_call object_vacall \
    EpollSelector.select PollSelector.select SelectSelector.select PollLikeSelector.select \
    SelectSelector._select Condition.wait Event.wait \
    take_gil drop_gil PyCOND_TIMEDWAIT PyCOND_WAIT PyThreadState_Attach \
    ffi_call ffi_call_int ffi_call_unix64 ffi_call_SYSV call_function_pointer ctypes_callproc \
    PyCFuncPtr_call Tkapp_Call Tkapp_CallProc PythonCmd PythonCmd_Error TimerHandler \
    pygi_closure_handle pyg_closure_marshal \
    pygi_signal_closure_marshal pyg_signal_class_closure_marshal \
    WaitEventSetWait WaitEventSetWaitBlock WaitEventSetWaitBlock WaitLatch WaitLatchOrSocket \
    secure_read pq_recvbuf pq_getbyte pq_startmsgread pq_getmessage \
    wl_display_dispatch_queue wl_display_dispatch_queue_timeout wl_display_poll \
    QWaitCondition::wait QWaitConditionPrivate::wait
    """

  private static let roots = """
    start start_thread clone clone3 thread_start libc_start_main libc_start_call_main \
    libc_start_main_impl execute_native_thread_routine thread_bootstrap g_thread_proxy \
    QThreadPrivate::start std::thread::_State_impl::_M_run thread_native_entry \
    Thread::call_run JavaThread::run JavaThread::thread_main_inner Thread._bootstrap \
    Thread._bootstrap_inner Thread.run bootstrap bootstrap_inner thread_run pythread_wrapper \
    runtime.mstart runtime.mstart0 runtime.rt0_go runtime.goexit
    """

  private static let rests: [(Idleness.Kind, String, String)] = [
    (
      .eventLoop, "GLib's main loop",
      """
      g_main_context_iterate g_main_context_iterate_unlocked g_main_context_iteration \
      g_main_context_poll g_main_context_poll_unlocked g_main_loop_run
      """
    ),
    (
      .eventLoop, "Qt's event loop",
      "QEventLoop::processEvents QEventLoop::exec QCoreApplication::exec QThread::exec"
    ),
    (
      .eventLoop, "the reader of X events",
      "xcb_wait_for_event QXcbEventQueue::run QXcbEventReader::run XNextEvent XReadEvents"
    ),
    (.eventLoop, "the reader of Wayland events", "wl_display_dispatch"),
    (.eventLoop, "libuv's event loop", "uv__io_poll uv_io_poll uv_run"),
    (
      .eventLoop, "libevent's loop",
      "event_base_loop event_base_dispatch epoll_dispatch poll_dispatch select_dispatch"
    ),
    (.eventLoop, "libev's loop", "ev_run ev_loop epoll_poll poll_poll select_poll"),
    (
      .eventLoop, "Tcl's event loop",
      "Tcl_DoOneEvent Tk_MainLoop Tcl_ServiceModeLoop NotifierThreadProc"
    ),
    (
      .eventLoop, "the run loop",
      """
      CFRunLoopRun CFRunLoopRunSpecific CFRunLoopServiceFileDescriptors dispatch_main \
      dispatch_sigsuspend dispatch_event_loop_drain dispatch_mgr_invoke dispatch_mgr_thread
      """
    ),
    (.eventLoop, "PulseAudio's loop", "pa_mainloop_poll pa_mainloop_iterate pa_mainloop_run"),
    (.eventLoop, "Python's event loop", "run_once run_forever serve_forever"),
    (.eventLoop, "Redis' event loop", "aeProcessEvents aeMain"),
    (
      .eventLoop, "nginx's event loop",
      "ngx_epoll_process_events ngx_poll_process_events ngx_process_events_and_timers"
    ),
    (
      .eventLoop, "nginx's master process",
      "ngx_master_process_cycle ngx_cache_manager_process_cycle"
    ),
    (
      .eventLoop, "PostgreSQL's loop",
      """
      ServerLoop SocketBackend ReadCommand BackgroundWriterMain CheckpointerMain WalWriterMain \
      WalSummarizerMain AutoVacLauncherMain StartAutoVacLauncher PgArchiverMain pgarch_MainLoop SysLoggerMain \
      ApplyLauncherMain PgstatCollectorMain PostgresMain PostmasterMain IoWorkerMain
      """
    ),
    (.eventLoop, "systemd's event loop", "sd_event_wait sd_event_run sd_event_loop"),
    (
      .eventLoop, "MySQL's listener",
      "Mysqld_socket_listener::listen_for_connection_event poll_listen_sockets"
    ),
    (
      .runtime, "Go's scheduler",
      """
      runtime.findRunnable runtime.findrunnable runtime.schedule runtime.sysmon runtime.stopm \
      runtime.templateThread runtime.gcBgMarkWorker runtime.stoplockedm runtime.mstart1 \
      runtime.handoffp runtime.exitsyscall0 os/signal.signal_recv runtime.bgsweep
      """
    ),
    (
      .runtime, "the Java machine's own threads",
      """
      WorkerThread::run GangWorker::loop GangWorker::run CompileQueue::get WatcherThread::sleep \
      WatcherThread::run VMThread::wait_for_vm_operations VMThread::loop VMThread::run \
      ServiceThread::service_thread_entry G1ServiceThread::wait_for_task os::signal_wait \
      signal_thread_entry MonitorDeflationThread::monitor_deflation_thread_entry \
      ConcurrentG1RefineThread::wait_for_completed_buffers G1ConcurrentMarkThread::run_service
      """
    ),
    (
      .workerPool, "GLib's thread pool",
      """
      g_async_queue_pop_intern_unlocked g_async_queue_pop g_async_queue_timeout_pop \
      g_thread_pool_wait_for_new_task g_thread_pool_thread_proxy g_thread_pool_spawn_thread
      """
    ),
    (.workerPool, "Qt's thread pool", "QThreadPoolThread::run"),
    (.workerPool, "Dispatch's workers", "dispatch_worker_thread dispatch_worker_thread2"),
    (.workerPool, "OpenMP's workers", "gomp_thread_start kmp_launch_worker kmp_launch_thread"),
    (.workerPool, "a worker pool", "worker"),
    (.workerPool, "Redis' workers", "bioProcessBackgroundJobs IOThreadMain"),
    (.workerPool, "BLAS' workers", "blas_thread_server"),
    (.workerPool, "jemalloc's own thread", "background_thread_entry"),
    (.workerPool, "Mesa's workers", "util_queue_thread_func"),
    (
      .workerPool, "TBB's workers",
      "tbb::detail::r1::rml::private_worker::run tbb::internal::rml::private_worker::run"
    ),
    (.workerPool, "Apache's workers", "ap_queue_pop_something proc_mutex_accept accept_mutex_on"),
  ]

  private static let loops: [(String, String)] = [
    (
      "GLib's main loop",
      "g_main_context_dispatch g_main_dispatch g_main_context_dispatch_unlocked gtk_main "
        + "g_application_run g_signal_emit g_signal_emit_valist g_closure_invoke"
    ),
    (
      "Qt's event loop",
      "QApplication::exec QGuiApplication::exec QMetaObject::activate QCoreApplication::notify "
        + "QCoreApplication::notifyInternal2 QApplication::notify QWidget::event"
    ),
    ("Tcl's event loop", "Tcl_ServiceEvent Tk_HandleEvent"),
    ("libevent's loop", "event_process_active event_process_active_single_queue"),
    ("libev's loop", "ev_invoke_pending"), ("the Wayland events", "wl_display_dispatch_pending"),
    ("X events", "XtDispatchEvent XtAppMainLoop"),
    ("Redis' event loop", "processCommand"), ("nginx's event loop", "ngx_worker_process_cycle"),
  ]

  private static let beginnings: [(text: String, role: Role)] = [
    ("futex_", .call), ("libc_", .call), ("runtime.note", .call), ("runtime.futex", .call),
    ("runtime.usleep", .call), ("runtime.netpoll", .call), ("runtime.epollwait", .call),
    ("PyEval_", .glue), ("PyObject_", .glue), ("PyFunction_", .glue), ("PyVectorcall_", .glue),
    ("PyThread_", .glue), ("PyCFunction", .glue), ("Py_", .glue), ("pymain_", .glue),
    ("pyrun_", .glue), ("run_eval_code", .glue),
    ("run_mod", .glue), ("builtin_exec", .glue), ("builtin_eval", .glue), ("gomp_", .glue),
    ("kmp_", .glue), ("std::condition_variable::wait", .call), ("std::this_thread::sleep_", .call),
    ("std::_V2::condition_variable_any::wait", .call), ("std::__invoke", .root),
    ("std::thread::", .root), ("std::sys::thread", .root), ("std::sys_common::backtrace", .root),
    ("std::sys::backtrace", .root), ("std::panicking::", .root), ("std::panic::", .root),
    ("core::ops::function::FnOnce", .root), ("std::sys::", .call), ("std::sync::", .call),
    ("parking_lot::", .call), ("parking_lot_core::", .call), ("mio::sys::", .call),
    ("QEventDispatcher", .rest(Rest(kind: .eventLoop, name: "Qt's event loop"))),
    ("QXcbUnixEventDispatcher", .rest(Rest(kind: .eventLoop, name: "Qt's event loop"))),
    ("QXcbGlibEventDispatcher", .rest(Rest(kind: .eventLoop, name: "Qt's event loop"))),
    ("QPAEventDispatcher", .rest(Rest(kind: .eventLoop, name: "Qt's event loop"))),
  ]

  private static let endings: [(text: String, role: Role)] = [
    ("._run_once", .rest(Rest(kind: .eventLoop, name: "Python's event loop"))),
    (".run_forever", .rest(Rest(kind: .eventLoop, name: "Python's event loop"))),
    (".serve_forever", .rest(Rest(kind: .eventLoop, name: "Python's event loop"))),
    ("::BlockingPop", .rest(Rest(kind: .workerPool, name: "Node's workers"))),
    ("node::PlatformWorkerThread", .rest(Rest(kind: .workerPool, name: "Node's workers"))),
    ("StartIoThreadMain", .rest(Rest(kind: .workerPool, name: "Node's inspector"))),
    ("::WaitForWork", .rest(Rest(kind: .workerPool, name: "a worker pool"))),
  ]

  private static let parts: [(text: String, role: Role)] = [
    ("asio::detail::posix_event::wait", .call),
    ("asio::detail::conditionally_enabled_event::wait", .call),
    ("asio::detail::epoll_reactor::run", .rest(Rest(kind: .eventLoop, name: "Asio's loop"))),
    ("asio::detail::scheduler::", .rest(Rest(kind: .eventLoop, name: "Asio's loop"))),
    ("asio::io_context::run", .rest(Rest(kind: .eventLoop, name: "Asio's loop"))),
    ("mio::poll::Poll", .rest(Rest(kind: .eventLoop, name: "mio's event loop"))),
    ("rayon_core::sleep::", .glue), ("::wait_until_cold", .glue),
    ("::wait_until_out_of_work", .rest(Rest(kind: .workerPool, name: "rayon's workers"))),
    (
      "rayon_core::registry::main_loop",
      .rest(Rest(kind: .workerPool, name: "rayon's workers"))
    ),
    (
      "rayon_core::registry::ThreadBuilder",
      .rest(Rest(kind: .workerPool, name: "rayon's workers"))
    ),
    (
      "tokio::runtime::blocking::pool::Inner",
      .rest(Rest(kind: .workerPool, name: "tokio's workers"))
    ),
    ("multi_thread::park::", .call), ("tokio::runtime::io::driver", .call),
    ("tokio::runtime::driver", .call), ("tokio::runtime::time::", .call),
    ("tokio::runtime::park::CachedParkThread::block_on", .rest(tokio)),
    ("tokio::runtime::park::", .call), ("multi_thread::worker::Context::park", .rest(tokio)),
    ("multi_thread::worker::run", .rest(tokio)), ("current_thread::Context::park", .rest(tokio)),
  ]

  private static let tokio = Rest(kind: .runtime, name: "tokio's runtime")
}
