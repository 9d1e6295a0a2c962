internal import ProfileModel

/// Whose code a file holds: what libraries do, they do for the program that called them.
enum ModuleOwner {
  /// The C library, or the kernel's vdso.
  case library
  /// What a compiler needs of a library to run the code that it makes: of C++, and for exceptions.
  case languageLibrary
  /// Python itself, its program, its library, or an extension of its standard library; the Java machine,
  /// and the native parts of its library.
  case interpreter
  /// SQLite, which sleeps between its tries for a lock.
  case database
  /// jemalloc, which has a thread of its own, and no names where a distribution stripped it.
  case allocator
  /// Tcl, whose notifier has a thread of its own, and no names where a distribution stripped it.
  case tcl
  /// A library of an event loop, or of the windows that it serves, or what binds a language to one.
  case toolkit
  /// The program, or a library that it chose.
  case program
}

extension Module {
  /// Whether it is the C library, a part of it, or the kernel's vdso.
  package var isCLibrary: Bool { owner == .library }

  /// Whose code it holds, by the name of the file.
  var owner: ModuleOwner {
    let name = name
    let isLibrary = [
      "libc.so", "libc-", "libc.musl", "libpthread.so", "libpthread-", "librt.so", "librt-",
      "ld-linux", "ld-musl", "[vdso]",
    ].contains { name.hasPrefix($0) }
    if isLibrary { return .library }
    if Self.languageLibraries.contains(where: { name.hasPrefix($0) }) { return .languageLibrary }
    if name.hasPrefix("libjemalloc.") { return .allocator }
    if name.hasPrefix("libtcl8") || name.hasPrefix("libtcl9") { return .tcl }
    if name.hasPrefix("libsqlite3.so") || name.hasPrefix("_sqlite3.") { return .database }
    let isInterpreter =
      name.hasPrefix("libpython") || name.hasPrefix("python")
      || path.contains(bytesOf: "/lib-dynload/")
      || Self.javaLibraries.contains { name.hasPrefix($0) }
    if isInterpreter { return .interpreter }
    return Self.toolkits.contains { name.hasPrefix($0) } ? .toolkit : .program
  }
}

extension Module {
  private static let languageLibraries = ["libstdc++.", "libc++.", "libc++abi.", "libgcc_s."]

  private static let javaLibraries = [
    "libjvm.so", "libjava.so", "libnio.so", "libnet.so", "libextnet.so", "libzip.so",
    "libjimage.so", "libawt", "libinstrument.so", "libmanagement",
  ]

  /// Beginnings of the names of files whose functions are no handlers of the program's own.
  fileprivate static let toolkits = [
    "libglib-", "libgobject-", "libgio-", "libgtk-", "libgdk-", "libgdk_", "libglibmm",
    "libgtkmm", "libgdkmm", "libgiomm", "libsigc", "libQt5", "libQt6", "libqxcb", "QtCore.",
    "QtGui.", "QtWidgets.", "QtNetwork.", "QtQml.", "sip.", "libpyside", "libshiboken", "libwx_",
    "libX11", "libXt.", "libXaw", "libXm.", "libxcb", "libwayland", "libtk8", "libtk9", "_tkinter.",
    "_gi.", "_ctypes.", "libgirepository", "libpyglib", "libffi", "libuv.",
    "libevent", "libev.", "libsystemd.", "libpulse", "libdbus-", "libgjs", "libmozjs",
  ]
}

extension [ModuleOwner] {
  /// The owner of a module; of one that is not known, the program.
  func owner(of module: ModuleID) -> ModuleOwner {
    indices.contains(Int(module.rawValue)) ? self[Int(module.rawValue)] : .program
  }

  /// The position of the frame that a thread runs in: the innermost one, or the innermost function
  /// of Python where all that this called is in the C library and in Python itself, or the
  /// innermost frame has no name; of the C library or a language's standard library, its caller in the
  /// program.
  func place<Frames: RandomAccessCollection>(of frames: Frames) -> Int?
  where Frames.Element == SourceFrame, Frames.Index == Int {
    innermostPlace(of: frames).map { caller(of: $0, in: frames) }
  }

  /// The function of the C library, or of a library that compilers need, that the one at `place` called, in a
  /// stack that goes on in it; nil for none.
  func libraryCall<Frames: RandomAccessCollection>(of place: Int, in frames: Frames) -> SourceFrame?
  where Frames.Element == SourceFrame, Frames.Index == Int {
    guard let innermost = innermostPlace(of: frames), innermost < place else { return nil }
    return frames[innermost..<place].last { frame in
      guard frame.line.isNamed, frame.address != nil else { return false }
      switch owner(of: frame.module) {
      case .library, .languageLibrary, .allocator: return true
      case .interpreter, .database, .tcl, .toolkit, .program: return false
      }
    }
  }

  /// The same in a library, too.
  func innermostPlace(of frames: some Sequence<SourceFrame>) -> Int? {
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
