import Glibc

/// Source files, by the names in debug data: these may name any file, and what is read ends up in a
/// page that may be shared.
enum SourceFile {
  /// Larger files are generated ones.
  private static let sizeLimit = 4 << 20
  private static let extensions: Set = [
    "c", "h", "cc", "hh", "cpp", "hpp", "cxx", "hxx", "c++", "h++", "inc", "inl", "ipp", "tcc",
    "m", "mm", "s", "asm", "swift", "rs", "go", "py", "pyx", "pxd", "pyi", "d", "zig", "nim", "f",
    "f90", "f95", "pas", "adb", "ads", "cr", "jl", "java", "kt", "scala", "hs", "ml", "mli", "v",
    "vala", "cu", "cuh", "y", "l", "rb", "js", "ts",
  ]

  /// The lines of a file that is not newer than the program that was built from it, or than the capture;
  /// nil also when `lines(of:)` is.
  @Sendable
  static func lines(
    of path: String, builtInto binary: String?, before captured: Double
  ) -> [Substring]? {
    guard let written = modificationTime(of: path) else { return nil }
    let built = binary.flatMap(modificationTime) ?? .infinity
    guard written <= min(built, captured) else { return nil }
    return lines(of: path)
  }

  /// In seconds since 1970.
  private static func modificationTime(of path: String) -> Double? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
  }

  /// The lines of a file; nil when it does not exist, is not named like a source file, or is not text.
  static func lines(of path: String) -> [Substring]? {
    guard path.hasPrefix("/"), let dot = path.lastIndex(of: "."),
      extensions.contains(path[path.index(after: dot)...].lowercased())
    else { return nil }
    // A FIFO of such a name must not block sprof, nor may a link lead to a file of another name.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size > 0, status.st_size <= sizeLimit
    else { return nil }
    guard let bytes = read(descriptor, count: Int(status.st_size)), !bytes.contains(0) else {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
      .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  }

  private static func read(_ descriptor: CInt, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { break }
      filled += got
    }
    return filled > 0 ? Array(bytes[..<filled]) : nil
  }
}
