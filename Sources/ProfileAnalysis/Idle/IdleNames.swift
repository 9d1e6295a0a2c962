/// Names of functions by which a thread at rest is known.
///
/// All names are plain ones (`FunctionName.plain`): without leading underscores and parameters.
enum IdleNames {
  /// Roles of functions by their whole names.
  static let roles: [String: FunctionRole] = {
    var roles: [String: FunctionRole] = [:]
    func add(_ role: FunctionRole, _ names: String) {
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
    add(.call, JavaFunctions.calls)
    add(.glue, JavaFunctions.glue)
    add(.root, JavaFunctions.roots)
    for (rest, names) in rests + JavaFunctions.rests { add(.rest(rest), names) }
    for functions in LoopFunctions.all + JavaFunctions.loops {
      add(.rest(.loop(functions.loop)), functions.waits)
      add(.dispatch(functions.loop), functions.dispatchers)
      add(.emission(functions.loop), functions.emitters)
    }
    add(.reply, replies)
    return roles
  }()

  private static let calls = """
    syscall syscall_cancel syscall_cancel_arch internal_syscall_cancel do_wait usleep sleep wait \
    libc_poll libc_select select64 pselect64 old_pselect64 clock_nanosleep_time64 g_poll gdk_poll \
    g_usleep poll_schedule_timeout thrd_sleep sigtimedwait sigwaitinfo read_nocancel \
    pthread_sigwait qt_safe_poll qt_ppoll qt_poll xcb_conn_wait \
    wait_for_event std::this_thread::sleep_for std::__condvar::wait std::thread::sleep \
    aeApiPoll pg_usleep Tcl_WaitForEvent Tcl_ConditionWait ossl_select Monitor::wait \
    Monitor::wait_without_safepoint_check os::naked_short_sleep \
    internal/runtime/syscall.EpollWait internal/runtime/syscall.Syscall6 \
    internal/runtime/syscall/linux.EpollWait internal/runtime/syscall/linux.Syscall6 \
    runtime/internal/syscall.EpollWait runtime/internal/syscall.Syscall6
    """

  /// CPython's calls from one Python function to the next, and its waits for `select` and locks;
  /// PostgreSQL's latches, which serve waits of all kinds; OpenMP's barriers.
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

  /// Waits for the answer of a display server, in which no event is taken.
  private static let replies = """
    xcb_wait_for_reply xcb_wait_for_reply64 xcb_request_check wait_for_reply XReply XSync \
    wl_display_roundtrip wl_display_roundtrip_queue dbus_connection_send_with_reply_and_block \
    dbus_pending_call_block g_dbus_connection_send_message_with_reply_sync
    """

  private static let roots = """
    start start_thread clone clone3 thread_start libc_start_main libc_start_call_main \
    libc_start_main_impl execute_native_thread_routine thread_bootstrap g_thread_proxy \
    QThreadPrivate::start std::thread::_State_impl::_M_run thread_native_entry \
    Thread::call_run JavaThread::run JavaThread::thread_main_inner Thread._bootstrap \
    Thread._bootstrap_inner Thread.run bootstrap bootstrap_inner thread_run pythread_wrapper \
    runtime.mstart runtime.mstart0 runtime.rt0_go runtime.goexit
    """

  private static let rests: [(FunctionRole.Rest, String)] = [
    (
      .runtime(.go),
      """
      runtime.findRunnable runtime.findrunnable runtime.schedule runtime.sysmon runtime.stopm \
      runtime.templateThread runtime.gcBgMarkWorker runtime.stoplockedm runtime.mstart1 \
      runtime.handoffp runtime.exitsyscall0 os/signal.signal_recv runtime.bgsweep
      """
    ),
    (
      .runtime(.java),
      """
      WorkerThread::run GangWorker::loop GangWorker::run CompileQueue::get WatcherThread::sleep \
      WatcherThread::run VMThread::wait_for_vm_operations VMThread::loop VMThread::run \
      ServiceThread::service_thread_entry G1ServiceThread::wait_for_task os::signal_wait \
      signal_thread_entry MonitorDeflationThread::monitor_deflation_thread_entry \
      ConcurrentG1RefineThread::wait_for_completed_buffers G1ConcurrentMarkThread::run_service \
      NMethodSweeper::sweeper_loop
      """
    ),
    (
      .pool(.glib),
      """
      g_async_queue_pop_intern_unlocked g_async_queue_pop g_async_queue_timeout_pop \
      g_thread_pool_wait_for_new_task g_thread_pool_thread_proxy g_thread_pool_spawn_thread
      """
    ),
    (.pool(.qt), "QThreadPoolThread::run"),
    (.pool(.dispatch), "dispatch_worker_thread dispatch_worker_thread2"),
    (.pool(.openMP), "gomp_thread_start kmp_launch_worker kmp_launch_thread"),
    (.pool(.unnamed), "worker"),
    (.pool(.redis), "bioProcessBackgroundJobs IOThreadMain"),
    (.pool(.blas), "blas_thread_server"),
    (
      .pool(.jemalloc),
      "background_thread_entry background_thread_sleep background_work_sleep_once"
    ),
    (.pool(.mesa), "util_queue_thread_func"),
    (
      .pool(.tbb),
      "tbb::detail::r1::rml::private_worker::run tbb::internal::rml::private_worker::run"
    ),
    (.pool(.apache), "ap_queue_pop_something proc_mutex_accept accept_mutex_on"),
  ]

  /// Roles of functions by the beginnings of their names.
  static let beginnings: [(text: String, role: FunctionRole)] = [
    ("java.lang.ref.ReferenceQueue$", .call),
    ("futex_", .call), ("libc_", .call), ("runtime.note", .call), ("runtime.futex", .call),
    ("runtime.usleep", .call), ("runtime.netpoll", .call), ("runtime.epollwait", .call),
    ("PyEval_", .glue), ("PyObject_", .glue), ("PyFunction_", .glue), ("PyVectorcall_", .glue),
    ("PyThread_", .glue), ("PyCFunction", .glue), ("Py_", .glue), ("pymain_", .glue),
    ("pyrun_", .glue), ("run_eval_code", .glue),
    ("run_mod", .glue), ("builtin_exec", .glue), ("builtin_eval", .glue), ("gomp_", .glue),
    ("kmp_", .glue), ("std::condition_variable::wait", .call), ("std::this_thread::sleep_", .call),
    ("std::_V2::condition_variable_any::wait", .call), ("std::__invoke", .root),
    ("greenlet::", .glue), ("green_switch", .glue),
    ("std::thread::", .root), ("std::sys::thread", .root), ("std::sys_common::backtrace", .root),
    ("std::sys::backtrace", .root), ("std::panicking::", .root), ("std::panic::", .root),
    ("core::ops::function::FnOnce", .root), ("<std::sys::", .call), ("<std::sync::", .call),
    ("<std::thread::", .call), ("<parking_lot", .call), ("<lock_api::", .call),
    ("lock_api::", .call), ("<alloc::boxed::Box", .root), ("<core::", .root),
    ("std::sys::", .call), ("std::sync::", .call),
    ("parking_lot::", .call), ("parking_lot_core::", .call), ("mio::sys::", .call),
    ("QEventDispatcher", .rest(.loop(.qt))),
    ("QXcbUnixEventDispatcher", .rest(.loop(.qt))),
    ("QXcbGlibEventDispatcher", .rest(.loop(.qt))), ("QPAEventDispatcher", .rest(.loop(.qt))),
  ]

  /// Roles of functions by the endings of their names.
  static let endings: [(text: String, role: FunctionRole)] = [
    ("._run_once", .rest(.loop(.python))),
    (".run_forever", .rest(.loop(.python))),
    (".serve_forever", .rest(.loop(.python))),
    ("::BlockingPop", .rest(.pool(.node))),
    ("node::PlatformWorkerThread", .rest(.pool(.node))),
    ("StartIoThreadMain", .rest(.pool(.nodeInspector))),
    ("::WaitForWork", .rest(.pool(.unnamed))),
  ]

  /// Roles of functions by a part of their names.
  static let parts: [(text: String, role: FunctionRole)] = [
    ("asio::detail::posix_event::wait", .call),
    ("asio::detail::conditionally_enabled_event::wait", .call),
    ("asio::detail::epoll_reactor::run", .rest(.loop(.asio))),
    ("asio::detail::scheduler::", .rest(.loop(.asio))),
    ("asio::io_context::run", .rest(.loop(.asio))),
    ("mio::poll::Poll", .rest(.loop(.mio))),
    ("rayon_core::sleep::", .glue), ("::wait_until_cold", .glue),
    ("::wait_until_out_of_work", .rest(.pool(.rayon))),
    ("rayon_core::registry::main_loop", .rest(.pool(.rayon))),
    ("rayon_core::registry::ThreadBuilder", .rest(.pool(.rayon))),
    ("tokio::runtime::blocking::pool::Inner", .rest(.pool(.tokio))),
    ("multi_thread::park::", .call), ("tokio::runtime::io::driver", .call),
    ("tokio::runtime::driver", .call), ("tokio::runtime::time::", .call),
    ("tokio::runtime::park::CachedParkThread::block_on", .rest(.runtime(.tokio))),
    ("tokio::runtime::park::", .call),
    ("multi_thread::worker::Context::park", .rest(.runtime(.tokio))),
    ("multi_thread::worker::run", .rest(.runtime(.tokio))),
    ("current_thread::Context::park", .rest(.runtime(.tokio))),
  ]
}
