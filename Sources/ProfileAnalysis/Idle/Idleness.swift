package import ProfileModel

/// Why a thread counts as idle: where it rests, or what it waits for by its own choice.
package enum Idleness: Hashable, Sendable {
  case eventLoop(EventLoop)
  /// Waits for a connection.
  case acceptLoop(AcceptLoop)
  case workerPool(WorkerPool)
  /// Parked by the runtime of its language.
  case runtime(ParkingRuntime)
  /// Waits for a signal.
  case signals
  /// Sleeps by its own choice.
  case sleep
  /// Waits for input from a terminal.
  case terminal

  /// An idleness without its place; the raw values are words for programs.
  package enum Kind: String, Sendable, CaseIterable {
    case eventLoop = "event_loop"
    case acceptLoop = "accept_loop"
    case workerPool = "worker_pool"
    case runtime
    case signals
    case sleep
    case terminal
  }

  package var kind: Kind {
    switch self {
    case .eventLoop: .eventLoop
    case .acceptLoop: .acceptLoop
    case .workerPool: .workerPool
    case .runtime: .runtime
    case .signals: .signals
    case .sleep: .sleep
    case .terminal: .terminal
    }
  }

  /// Whether the thread goes on when there is something to do.
  var isForWork: Bool {
    switch self {
    case .eventLoop, .acceptLoop, .workerPool, .runtime: true
    case .signals, .sleep, .terminal: false
    }
  }

  /// Whether it says no more than the kind of the thread's wait.
  package func isImplied(by wait: WaitKind) -> Bool {
    switch (self, wait) {
    case (.acceptLoop, .accept), (.signals, .signal), (.sleep, .sleep): true
    case (.workerPool, .kernelWork): true
    default: false
    }
  }

  /// How a thread waits for connections.
  package enum AcceptLoop: Hashable, Sendable {
    /// In `accept` itself.
    case call
    /// In a loop of the program's own that polls a listening socket.
    case own
  }
}

/// The event loops that are known by the names of their functions (`IdleNames`).
package enum EventLoop: Hashable, Sendable, CaseIterable {
  case asio, glib, libev, libevent, libuv, mio, mySQLListener, nginx, nginxMaster, postgreSQL
  case pulseAudio, python, qt, redis, systemd, tcl
  /// AWT's event queue, and the thread that reads the display server's events for it.
  case awt, awtReader
  /// Chromium's, of its main thread.
  case chromium
  case netty
  /// Core Foundation's run loop, or Dispatch's main queue.
  case runLoop
  /// Wait for events of a display server.
  case waylandReader, xReader
  /// Call the handlers of a display server's events.
  case waylandDispatch, xDispatch
  /// A loop of the program's own.
  case own

  /// Whether several threads may run it together: they then wait for their turn, as at a lock.
  var isShared: Bool {
    switch self {
    case .asio, .mio, .runLoop: true
    default: false
    }
  }

  /// Whether a thread of its own waits for events and wakes it, as in a Tcl with threads and in AWT.
  var isWokenByThread: Bool { self == .tcl || self == .awt }

  /// Whether it waits for its events in `read`.
  var restsInRead: Bool { self == .xReader }

  /// Whether its forked processes stay below it on the stack for as long as they live: what it
  /// calls then is no handler.
  var forks: Bool { self == .postgreSQL || self == .nginxMaster }
}

/// The pools of worker threads that are known by the names of their functions.
package enum WorkerPool: Hashable, Sendable, CaseIterable {
  case apache, blas, dispatch, glib, ioUring, jemalloc, mesa, node, nodeInspector, openMP, qt, rayon
  case redis, tbb, tokio
  /// One of Java's executors or timers.
  case java
  /// The kernel's own threads in the program, other than those of io_uring.
  case kernel
  /// One that is only known to be a pool.
  case unnamed

  /// Whether its workers are held back by a lock while there is no work.
  var parksOnLock: Bool { self == .redis || self == .apache }
}

/// The runtimes that park threads without work.
package enum ParkingRuntime: Hashable, Sendable, CaseIterable {
  case go, java, tokio
}
