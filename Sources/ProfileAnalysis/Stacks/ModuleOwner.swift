internal import ProfileModel

/// Whose code a file holds, as far as that says whether its functions act of their own accord.
enum ModuleOwner {
  /// The C library, or what the kernel gives it: the vdso.
  case library
  /// Python itself: its program, its library, or an extension of its standard library.
  case interpreter
  /// SQLite, which sleeps between its tries for a lock.
  case database
  /// The program, or a library that it chose.
  case program
}

extension Module {
  var owner: ModuleOwner {
    let name = name
    let isLibrary = [
      "libc.so", "libc-", "libc.musl", "libpthread.so", "libpthread-", "librt.so", "librt-",
      "ld-linux", "ld-musl", "[vdso]",
    ].contains { name.hasPrefix($0) }
    if isLibrary { return .library }
    if name.hasPrefix("libsqlite3.so") || name.hasPrefix("_sqlite3.") { return .database }
    let isInterpreter =
      name.hasPrefix("libpython") || name.hasPrefix("python")
      || path.contains(bytesOf: "/lib-dynload/")
    return isInterpreter ? .interpreter : .program
  }
}

extension [ModuleOwner] {
  /// Whose code the file of this number holds.
  func owner(of module: ModuleID) -> ModuleOwner {
    indices.contains(Int(module.rawValue)) ? self[Int(module.rawValue)] : .program
  }

  /// Where among its frames a thread runs: in the innermost; in the function that Python runs, when all
  /// that it called is the C library's and Python's own, or the innermost has no name.
  func place(of frames: some Sequence<SourceFrame>) -> Int? {
    var count = 0
    var isNameless = false
    for frame in frames {
      if frame.isInterpreted { return count }
      let hasName = !FunctionName.isAddress(frame.line.function)
      if count == 0 { isNameless = !hasName }
      let owner = owner(of: frame.module)
      let isOfOthers = owner == .library || owner == .interpreter || !hasName
      guard isNameless || isOfOthers else { return 0 }
      count += 1
    }
    return count > 0 ? 0 : nil
  }
}

extension SourceFrame {
  /// Whether it is a function of Python's `threading` that waits for threads to end.
  var isEndOfThread: Bool {
    guard isInterpreted, line.file?.hasSuffix("/threading.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "join" || name == "_wait_for_tstate_lock" || name == "_shutdown"
  }

  /// Whether it is a function of Python's `subprocess` that waits for a process to end: with a time limit
  /// it looks again and again, and sleeps in between.
  var isEndOfProcess: Bool {
    guard isInterpreted, line.file?.hasSuffix("/subprocess.py") ?? false else { return false }
    let name = line.function.split(separator: ".").last
    return name == "wait" || name == "_wait"
  }
}
