import ArgumentParser
import CaptureFile
import Glibc
import ProfileAnalysis
import ProfileExport
import ProfileModel

/// The options that write the report as a page of HTML.
struct PageArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the report as one page of HTML to this file: flame graph, time line, tables.",
      discussion: """
        Script and data are inside: it opens from disk, asks no network for anything, and can be \
        mailed. An older file gives way.
        """, valueName: "file"), completion: .file())
  var html: String?

  @Flag(
    help: ArgumentHelp(
      "Put the lines of source that were seen into the page of --html, if they are found here."))
  var source = false

  func validate() throws {
    guard html?.isEmpty != true else { throw ValidationError("--html wants a file name.") }
    guard html != nil || !source else {
      throw ValidationError("--source is for --html, which is missing.")
    }
  }

  /// Throws when the page could not be written, before work is done in vain.
  func check() throws { if let html { try OutputFile.check(html) } }

  /// Writes the page, if one was asked for; says whether it was.
  ///
  /// The thread filter makes a part of the profile of it, as the other filters did before.
  @discardableResult
  func write(_ profile: Profile, _ report: ReportArguments, isPart: Bool) throws -> Bool {
    guard let html else { return false }
    var filter = ProfileFilter()
    filter.thread = report.thread.map { ThreadFilter(glob: $0) }
    let part = filter.apply(to: profile)
    let shown = report.shown(part)
    try OutputFile.write(html, force: true) {
      PageExporter.packed(
        withSource: source, showsVerdict: !isPart && report.thread == nil,
        showsNative: report.frames.native
      ).write(shown, to: &$0)
    }
    return true
  }
}

extension PageExporter {
  /// What writes pages that are compressed, with the source that is found here if that is wanted.
  static func packed(
    withSource: Bool = false, showsVerdict: Bool = true, showsNative: Bool = true
  ) -> PageExporter {
    PageExporter(
      compress: { GzipMember.compressing($0) },
      sources: withSource ? PageSources(read: SourceFile.lines) : nil, showsVerdict: showsVerdict,
      showsNative: showsNative)
  }
}

/// Files of source, by the names that debug data gives: these may name any file at all, and what is
/// read ends up in a page that goes to strangers.
enum SourceFile {
  /// Larger files were made by programs.
  private static let sizeLimit = 4 << 20
  private static let extensions: Set = [
    "c", "h", "cc", "hh", "cpp", "hpp", "cxx", "hxx", "c++", "h++", "inc", "inl", "ipp", "tcc",
    "m", "mm", "s", "asm", "swift", "rs", "go", "py", "pyx", "pxd", "pyi", "d", "zig", "nim", "f",
    "f90", "f95", "pas", "adb", "ads", "cr", "jl", "java", "kt", "scala", "hs", "ml", "mli", "v",
    "vala", "cu", "cuh", "y", "l", "rb", "js", "ts",
  ]

  /// The lines of a file; nil when there is none, when its name is not that of a source file, or
  /// when it is no text.
  static func lines(of path: String) -> [Substring]? {
    guard path.hasPrefix("/"), let dot = path.lastIndex(of: "."),
      extensions.contains(path[path.index(after: dot)...].lowercased())
    else { return nil }
    // A FIFO of such a name must not hold sprof up, nor may a link lead to a file of another name.
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
