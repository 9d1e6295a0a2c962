internal import ProfileModel

/// Whose code a file holds: what libraries do, they do for the program that called them.
enum ModuleOwner {
  /// The C library, or the kernel's vdso.
  case library
  /// Python itself: its program, its library, or an extension of its standard library.
  case interpreter
  /// SQLite, which sleeps between its tries for a lock.
  case database
  /// The program, or a library that it chose.
  case program
}

extension Module {
  /// Whose code it holds, by the name of the file.
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
  /// The owner of a module; of one that is not known, the program.
  func owner(of module: ModuleID) -> ModuleOwner {
    indices.contains(Int(module.rawValue)) ? self[Int(module.rawValue)] : .program
  }

  /// The position of the frame that a thread runs in: the innermost one, or the innermost function
  /// of Python where all that this called is in the C library and in Python itself, or the
  /// innermost frame has no name.
  func place(of frames: some Sequence<SourceFrame>) -> Int? {
    var count = 0
    var isNameless = false
    for frame in frames {
      if frame.isInterpreted { return count }
      let hasName = frame.line.isNamed
      if count == 0 { isNameless = !hasName }
      let owner = owner(of: frame.module)
      let isOfOthers = owner == .library || owner == .interpreter || !hasName
      guard isNameless || isOfOthers else { return 0 }
      count += 1
    }
    return count > 0 ? 0 : nil
  }
}
