internal import ProfileModel

extension SourceFrame {
  /// Whether it is a function of Python's `threading` that waits for threads to end.
  var isEndOfThread: Bool {
    guard isPython, line.file?.hasSuffix("/threading.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "join" || name == "_wait_for_tstate_lock" || name == "_shutdown"
  }

  /// Whether it is a function of Python's `threading` that each of its threads begins with.
  var isStartOfThread: Bool {
    guard isPython, line.file?.hasSuffix("/threading.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "_bootstrap" || name == "_bootstrap_inner" || name == "run"
  }

  /// Whether it is a function of Python's `multiprocessing` that each of its processes begins with: what
  /// is around it is of the process that was forked.
  var isStartOfPythonProcess: Bool {
    guard isPython, line.file?.hasSuffix("/multiprocessing/process.py") ?? false else {
      return false
    }
    return line.function.split(separator: ".").last == "_bootstrap"
  }

  /// Whether it is a function of Python's library that waits to be signalled by way of a lock which only
  /// it knows, as a condition does.
  var isSignalOfPython: Bool {
    guard isPython, let file = line.file else { return false }
    let name = line.function.split(separator: ".").last
    return file.hasSuffix("/threading.py")
      ? name != "__enter__"
      : file.hasSuffix("/queue.py") || file.contains(bytesOf: "/multiprocessing/")
        || file.contains(bytesOf: "/concurrent/futures/")
  }

  /// Whether it is a function of Python's `subprocess` that waits for a process to end: with a time
  /// limit it tries again and again, and sleeps in between.
  var isEndOfProcess: Bool {
    guard isPython, line.file?.hasSuffix("/subprocess.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "wait" || name == "_wait"
  }

  /// Whether it is a method of a lock of Python's, as C implements it.
  var isPythonLock: Bool {
    let name = FunctionName.plain(line.function)
    return name == "acquire_timed"
      || ["lock_", "rlock_", "thread_lock_", "thread_RLock_"].contains { name.hasPrefix($0) }
  }
}

extension ArraySlice<SourceFrame> {
  /// Whether these functions, between a wait and the one of Python that asked for it, take a lock of
  /// Python's `threading`; one that a queue keeps for itself is none.
  var takePythonLock: Bool {
    let names = filter { !$0.isInterpreted }.map { FunctionName.plain($0.line.function) }
    return names.contains("PyThread_acquire_lock_timed")
      && !names.contains { $0.contains(bytesOf: "ueue") }
  }
}

/// Functions of Python's library that stand between a loop and a handler of the program's own.
enum PythonFunctions {
  /// Whether a function is of Python's own loops and bindings of windows.
  static func isOfToolkit(_ frame: SourceFrame) -> Bool {
    guard frame.isPython, let file = frame.line.file else { return false }
    return toolkits.contains { file.contains(bytesOf: $0) }
  }

  private static let toolkits = [
    "/tkinter/__init__.py", "/tkinter/commondialog.py", "/asyncio/", "/gi/overrides/",
    "/gi/_ossighelper.py", "/selectors.py", "/socketserver.py", "<frozen ",
  ]
}
