internal import ProfileAnalysis

extension Idleness {
  /// Where an idle thread rests, as a part of a sentence and for `idle_in` of the JSON report.
  var name: String {
    switch self {
    case .eventLoop(let loop): loop.name
    case .acceptLoop(.call): "accept"
    case .acceptLoop(.own): EventLoop.own.name
    case .workerPool(let pool): pool.name
    case .runtime(let runtime): runtime.name
    case .signals: "signals"
    case .sleep: "sleep"
    case .terminal: "terminal"
    }
  }
}

extension EventLoop {
  /// As a part of a sentence.
  var name: String {
    switch self {
    case .asio: "Asio's loop"
    case .awt: "AWT's event queue"
    case .awtReader: "the reader of AWT's events"
    case .glib: "GLib's main loop"
    case .libev: "libev's loop"
    case .libevent: "libevent's loop"
    case .libuv: "libuv's event loop"
    case .mio: "mio's event loop"
    case .mySQLListener: "MySQL's listener"
    case .netty: "Netty's event loop"
    case .nginx: "nginx's event loop"
    case .nginxMaster: "nginx's master process"
    case .own: "its own event loop"
    case .postgreSQL: "PostgreSQL's loop"
    case .pulseAudio: "PulseAudio's loop"
    case .python: "Python's event loop"
    case .qt: "Qt's event loop"
    case .redis: "Redis' event loop"
    case .runLoop: "the run loop"
    case .systemd: "systemd's event loop"
    case .tcl: "Tcl's event loop"
    case .waylandDispatch: "the Wayland events"
    case .waylandReader: "the reader of Wayland events"
    case .xDispatch: "X events"
    case .xReader: "the reader of X events"
    }
  }
}

extension WorkerPool {
  /// As a part of a sentence.
  var name: String {
    switch self {
    case .apache: "Apache's workers"
    case .blas: "BLAS' workers"
    case .dispatch: "Dispatch's workers"
    case .glib: "GLib's thread pool"
    case .ioUring: "io_uring's workers"
    case .java: "a Java executor"
    case .jemalloc: "jemalloc's own thread"
    case .kernel: "the kernel's workers"
    case .mesa: "Mesa's workers"
    case .node: "Node's workers"
    case .nodeInspector: "Node's inspector"
    case .openMP: "OpenMP's workers"
    case .qt: "Qt's thread pool"
    case .rayon: "rayon's workers"
    case .redis: "Redis' workers"
    case .tbb: "TBB's workers"
    case .tokio: "tokio's workers"
    case .unnamed: "a worker pool"
    }
  }
}

extension ParkingRuntime {
  /// As a part of a sentence.
  var name: String {
    switch self {
    case .go: "Go's scheduler"
    case .java: "the Java VM's own threads"
    case .tokio: "tokio's runtime"
    }
  }
}
