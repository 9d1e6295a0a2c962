internal import ProfileModel

/// What tells the functions of a language's standard library from those of a program.
///
/// With debug data the functions of headers are inlined into the program's own file, and generic ones are
/// compiled into it: the module says nothing of them.
private enum StandardLibrary {
  /// Parts of the paths of source files, all of which a path has.
  static let sources: [[String]] = [
    // libstdc++: its headers, those of one machine, and the sources of what is compiled.
    ["/include/c++/"], ["/c++/", "/bits/"], ["/libstdc++-v3/"],
    // libc++.
    ["/c++/v1/"],
    // The headers of the C library.
    ["/usr/include/", "/bits/"],
    // Rust, as rustc names its own sources, and as a distribution or rust-src has them.
    ["/library/std/src/"], ["/library/core/src/"], ["/library/alloc/src/"],
  ]

  /// Beginnings of such paths: Rust's library, and the crates that it is made of.
  static let sourceBeginnings = ["/rustc/", "/rust/deps/"]

  /// Beginnings of the names of functions whose source file is not known.
  ///
  /// `core` and `alloc` are names that programs have too: of them these modules.
  static let names = [
    "std::", "__gthread", "__gnu_cxx::", "core::any::", "core::array::", "core::cell::",
    "core::char::", "core::clone::", "core::cmp::", "core::convert::", "core::fmt::",
    "core::future::", "core::hash::", "core::hint::", "core::intrinsics::", "core::iter::",
    "core::mem::", "core::num::", "core::ops::", "core::option::", "core::panic::",
    "core::panicking::", "core::pin::", "core::ptr::", "core::result::", "core::slice::",
    "core::str::", "core::sync::", "core::task::", "core::time::", "alloc::alloc::",
    "alloc::borrow::", "alloc::boxed::", "alloc::collections::", "alloc::fmt::",
    "alloc::raw_vec::", "alloc::rc::", "alloc::slice::", "alloc::str::", "alloc::string::",
    "alloc::sync::", "alloc::vec::",
  ]

  /// The first parts of the import paths of Go's packages.
  ///
  /// The paths of others begin with a host, or with the name of a module of the program's own.
  static let goPackages: Set<Substring> = [
    "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database",
    "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image",
    "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path",
    "reflect",
    "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "syscall", "testing",
    "text",
    "time", "unicode", "unique", "vendor", "weak",
  ]

  /// Packages of Java's.
  static let packages = ["java.", "javax.", "jdk.", "sun.", "com.sun."]

  static func hasSource(_ path: String) -> Bool {
    sourceBeginnings.contains { path.hasPrefix($0) }
      || sources.contains { $0.allSatisfy { path.contains(bytesOf: $0) } }
  }

  /// By its name alone, which may begin with the type that it returns, or as Rust writes a trait's.
  static func hasFunction(_ name: String) -> Bool {
    let head = name.drop { $0 == "<" || $0 == "&" }.prefix { $0 != "<" && $0 != "(" }
    let last = head.split(separator: " ").last ?? head
    return names.contains { last.hasPrefix($0) }
  }

  /// Whether a function of Go's, by its name, is of Go's own packages: `net/http.(*conn).serve`.
  static func hasGoFunction(_ name: String) -> Bool {
    let first = name.prefix { $0 != "/" && $0 != "." && $0 != "[" && $0 != "(" }
    return first.endIndex < name.endIndex && goPackages.contains(first)
  }

  /// Whether a file is Python's own: in `lib/python3.12`, and not in a folder of installed packages there.
  static func hasPythonSource(_ path: String) -> Bool {
    if path.hasPrefix("<frozen ") { return true }
    guard path.contains(bytesOf: "/python3.") else { return false }
    let folders = path.split(separator: "/").dropLast()
    let isPackage = folders.contains { $0 == "site-packages" || $0 == "dist-packages" }
    guard !isPackage else { return false }
    return zip(folders, folders.dropFirst()).contains { folder, version in
      folder.hasPrefix("lib") && isPythonVersion(version)
    }
  }

  /// Whether it is such as `python3.13`, or `python3.13t` without the global lock.
  private static func isPythonVersion(_ folder: Substring) -> Bool {
    guard folder.hasPrefix("python3.") else { return false }
    let number = folder.utf8.dropFirst("python3.".utf8.count)
    let digits = number.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let rest = number.dropFirst(digits.count)
    return !digits.isEmpty && (rest.isEmpty || rest.elementsEqual([UInt8(ascii: "t")]))
  }
}

extension SourceFrame {
  /// Whether its function is of a language's standard library: of C++, Rust, Go, Java or Python.
  ///
  /// What such a function does it does for the program's function that called it.
  package var isOfStandardLibrary: Bool {
    guard !isElided else { return false }
    if isPython { return line.file.map(StandardLibrary.hasPythonSource) ?? false }
    if line.language == .java {
      return StandardLibrary.packages.contains { line.function.hasPrefix($0) }
        || JavaFunctions.isHidden(self)
    }
    guard !isInterpreted else { return false }
    if line.file.map({ $0.hasSuffix(".go") || $0.hasSuffix(".s") }) ?? false,
      StandardLibrary.hasGoFunction(line.function)
    {
      return true
    }
    return line.file.map(StandardLibrary.hasSource)
      ?? StandardLibrary.hasFunction(line.function)
  }
}

extension ProfileIndex {
  /// The frame at a position in a stack or, where that is of the C library or a language's standard library,
  /// the program's that called it.
  package func programFrame(at position: Int, of frames: [SourceFrame]) -> SourceFrame {
    frames[profile.modules.map(\.owner).caller(of: position, in: frames)]
  }
}

extension [ModuleOwner] {
  /// The position of the innermost function, at `position` or further out, outside of the C library and of
  /// the language's standard library; `position` itself where there is none below the loop or the start of the
  /// thread.
  func caller<Frames: RandomAccessCollection>(of position: Int, in frames: Frames) -> Int
  where Frames.Element == SourceFrame, Frames.Index == Int {
    let isOfC = frames.indices.contains(position) && !frames[position].isOfStandardLibrary
    var nameless = 0
    var next = position
    while frames.indices.contains(next) {
      let frame = frames[next]
      // Who called much code without names that called the C library may have asked for anything.
      if isOfC, !frame.line.isNamed, owner(of: frame.module) == .program {
        nameless += 1
        if nameless > Self.mostNameless { return position }
      }
      let isOfLibrary = isOfLibrary(frame)
      guard isOfLibrary || next != position else { return position }
      let role = FunctionRole(of: frame.line.function)
      // What called a handler's loop, or started a thread, did not ask for what it does.
      let isEnd = role.loop != nil || frame.isStartOfThread || frame.isStartOfPythonProcess
      if isEnd { return position }
      if !isOfLibrary, isOfProgram(frame, role) { return next }
      next += 1
    }
    return position
  }

  /// The most functions without a name between one of the C library and one that is said to have called it.
  private static var mostNameless: Int { 2 }

  /// Whether a function is of the C library, an allocator, or a language's standard library.
  func isOfLibrary(_ frame: SourceFrame) -> Bool {
    if frame.isOfStandardLibrary { return true }
    guard !frame.isInterpreted, !frame.isElided else { return false }
    switch owner(of: frame.module) {
    case .library, .languageLibrary, .allocator: return true
    case .interpreter, .database, .tcl, .toolkit, .program: return false
    }
  }

  /// Whether a function is of no library and one to be named.
  func isOfProgram(_ frame: SourceFrame) -> Bool {
    !isOfLibrary(frame) && !frame.isStartOfThread && !frame.isStartOfPythonProcess
      && isOfProgram(frame, FunctionRole(of: frame.line.function))
  }

  /// Whether a function outside of standard libraries is one to be named: not of the C library, an
  /// interpreter's own, or one that works for its callers.
  private func isOfProgram(_ frame: SourceFrame, _ role: FunctionRole) -> Bool {
    guard frame.line.isNamed, !frame.isElided, !frame.isUnseen, !frame.line.isTaskMarker else {
      return false
    }
    if frame.isInterpreted { return true }
    guard owner(of: frame.module) != .interpreter else { return false }
    // A program's own function may be called `send`.
    let isPlain = frame.line.file != nil && !frame.line.function.contains(bytesOf: "::")
    return isPlain || role != .root && role != .call && role != .glue
  }
}
