/// The functions of an event loop, by what lies below them on a stack.
///
/// A wait right below a function that waits is the loop's own: the thread is at rest. What lies below
/// one that dispatches is a handler.
struct LoopFunctions {
  let loop: EventLoop
  /// Those that wait for events, and those that run the loop around them, as words.
  var waits = ""
  /// Those that call the handlers of events.
  var dispatchers = ""
  /// Those that call handlers whoever calls them: a signal may be emitted within a handler.
  var emitters = ""

  /// Every loop that is known by the names of its functions (`FunctionName.plain`).
  static let all: [LoopFunctions] = [
    LoopFunctions(
      loop: .glib,
      waits: """
        g_main_context_iterate g_main_context_iterate_unlocked g_main_context_iteration \
        g_main_context_poll g_main_context_poll_unlocked g_main_loop_run gtk_main \
        gtk_main_iteration gtk_main_iteration_do g_application_run
        """,
      dispatchers: "g_main_context_dispatch g_main_dispatch g_main_context_dispatch_unlocked",
      emitters: "g_signal_emit g_signal_emit_valist g_signal_emit_by_name g_closure_invoke"),
    LoopFunctions(
      loop: .qt,
      waits: """
        QEventLoop::processEvents QEventLoop::exec QCoreApplication::exec QThread::exec \
        QApplication::exec QGuiApplication::exec QCoreApplication::processEvents
        """,
      emitters: """
        QMetaObject::activate doActivate QCoreApplication::notify QCoreApplication::notifyInternal2 \
        QApplication::notify QGuiApplication::notify QWidget::event \
        QCoreApplicationPrivate::sendPostedEvents QCoreApplication::sendPostedEvents \
        QWindowSystemInterface::sendWindowSystemEvents
        """),
    LoopFunctions(
      loop: .xReader,
      waits: """
        xcb_wait_for_event QXcbEventQueue::run QXcbEventReader::run XNextEvent XReadEvents \
        XtWaitForSomething XtAppNextEvent XtAppProcessEvent XtAppMainLoop
        """),
    LoopFunctions(loop: .waylandReader, waits: "wl_display_dispatch"),
    LoopFunctions(loop: .waylandDispatch, dispatchers: "wl_display_dispatch_pending"),
    LoopFunctions(loop: .xDispatch, dispatchers: "XtDispatchEvent XtDispatchEventToWidget"),
    LoopFunctions(loop: .libuv, waits: "uv__io_poll uv_io_poll uv_run"),
    LoopFunctions(
      loop: .libevent,
      waits: "event_base_loop event_base_dispatch epoll_dispatch poll_dispatch select_dispatch",
      dispatchers: "event_process_active event_process_active_single_queue"),
    LoopFunctions(
      loop: .libev, waits: "ev_run ev_loop epoll_poll poll_poll select_poll",
      dispatchers: "ev_invoke_pending"),
    LoopFunctions(
      loop: .tcl, waits: "Tcl_DoOneEvent Tk_MainLoop Tcl_ServiceModeLoop NotifierThreadProc",
      dispatchers: "Tcl_ServiceEvent Tk_HandleEvent TclServiceIdle Tcl_ServiceAll"),
    LoopFunctions(
      loop: .runLoop,
      waits: """
        CFRunLoopRun CFRunLoopRunSpecific CFRunLoopServiceFileDescriptors dispatch_main \
        dispatch_sigsuspend dispatch_event_loop_drain dispatch_mgr_invoke dispatch_mgr_thread
        """),
    LoopFunctions(
      loop: .pulseAudio, waits: "pa_mainloop_poll pa_mainloop_iterate pa_mainloop_run"),
    LoopFunctions(loop: .python, waits: "run_once run_forever serve_forever"),
    LoopFunctions(loop: .redis, waits: "aeProcessEvents aeMain", dispatchers: "processCommand"),
    LoopFunctions(
      loop: .nginx,
      waits: "ngx_epoll_process_events ngx_poll_process_events ngx_process_events_and_timers",
      dispatchers: "ngx_worker_process_cycle"),
    LoopFunctions(
      loop: .nginxMaster, waits: "ngx_master_process_cycle ngx_cache_manager_process_cycle"),
    LoopFunctions(
      loop: .postgreSQL,
      waits: """
        ServerLoop SocketBackend ReadCommand BackgroundWriterMain CheckpointerMain WalWriterMain \
        WalSummarizerMain AutoVacLauncherMain StartAutoVacLauncher PgArchiverMain \
        pgarch_MainLoop SysLoggerMain ApplyLauncherMain PgstatCollectorMain PostgresMain \
        PostmasterMain IoWorkerMain
        """),
    LoopFunctions(loop: .systemd, waits: "sd_event_wait sd_event_run sd_event_loop"),
    LoopFunctions(
      loop: .mySQLListener,
      waits: "Mysqld_socket_listener::listen_for_connection_event poll_listen_sockets"),
  ]
}

/// Whether a loop that a handler runs takes the events of the loop that called the handler.
enum LoopNesting {
  /// All loops of a thread share its events: one in a modal dialog takes the user's.
  case shared
  /// A loop in a handler is another one, for an answer that the handler needs.
  case own
  /// Either: what it waits for tells.
  case either
}

extension EventLoop {
  /// Whether it takes the events of a loop of its kind that called the handler which runs it.
  var nesting: LoopNesting {
    switch self {
    // Their events belong to the thread (QThread's dispatcher, Tcl's notifier, the run loop), or to
    // the one connection to the display.
    case .qt, .tcl, .runLoop, .redis, .xReader, .xDispatch, .waylandReader, .waylandDispatch,
      .awt, .awtReader, .chromium:
      .shared
    // None of these may be entered again, so that a second one is of its own (libuv: uv_run is not
    // reentrant; libevent: "reentrant invocation"; asyncio: "This event loop is already running").
    case .netty, .libuv, .libevent, .libev, .python, .systemd, .pulseAudio, .asio, .mio: .own
    case .glib, .mySQLListener, .nginx, .nginxMaster, .postgreSQL, .own: .either
    }
  }

  /// Whether a program may give it a function that polls for it (`g_main_context_set_poll_func`).
  var takesPollFunction: Bool { self == .glib }
}
