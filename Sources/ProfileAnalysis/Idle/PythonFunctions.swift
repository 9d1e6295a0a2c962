internal import ProfileModel

extension SourceFrame {
  /// Whether it is a function of Python's `threading` that waits for threads to end.
  var isEndOfThread: Bool {
    guard isInterpreted, line.file?.hasSuffix("/threading.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "join" || name == "_wait_for_tstate_lock" || name == "_shutdown"
  }

  /// Whether it is a function of Python's `subprocess` that waits for a process to end: with a time
  /// limit it tries again and again, and sleeps in between.
  var isEndOfProcess: Bool {
    guard isInterpreted, line.file?.hasSuffix("/subprocess.py") ?? false else { return false }
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
