import CaptureFile
import Glibc
import ProfileExport

/// A file that a command writes: it appears whole or not at all.
struct OutputFile {
  /// What may have the file's name before, and is then replaced.
  enum Replaceable {
    case nothing
    /// Whatever it is, with `--force`.
    case anyFile
    case page
    case report
  }

  let path: String
  /// How the user gave it, such as `--html`.
  let option: String
  let replaceable: Replaceable

  /// Throws when the file could not be written, or would replace what it may not, as far as that is
  /// known before.
  func check() throws {
    let kind = fileType
    if kind == S_IFDIR { throw failure(EISDIR) }
    if kind == S_IFREG { try checkReplaceable() }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    guard access(kind == nil || kind == S_IFREG ? folder : path, W_OK) == 0 else {
      throw failure(errno)
    }
  }

  /// Writes what `body` writes.
  ///
  /// The file has another name until it is complete. What is not a regular file, such as a pipe, is
  /// written to directly.
  func write(_ body: (inout FileOutput) throws -> Void) throws {
    guard fileType ?? S_IFREG == S_IFREG else { return try writeDirectly(body) }
    // Another file may have come since the first check.
    try check()
    var mayReplace = true
    if case .nothing = replaceable { mayReplace = false }
    do {
      var draft = try DraftFile(path: path)
      try FileOutput.write(to: draft.descriptor, body)
      try draft.putInPlace(replacing: mayReplace, isShared: true)
    } catch CaptureFileError.exists(let path) {
      throw Diagnostic.fileExists(path)
    } catch CaptureFileError.system(let path, let reason) {
      throw Diagnostic.cannotWrite("\(path): \(reason)")
    }
  }

  /// The type of what has the name (`S_IFREG` and so on), or of that to which a link leads; nil when
  /// nothing has it.
  private var fileType: mode_t? {
    var status = stat()
    if stat(path, &status) == 0 { return status.st_mode & S_IFMT }
    // A link that leads nowhere would be replaced like a file.
    return lstat(path, &status) == 0 ? S_IFREG : nil
  }

  private func checkReplaceable() throws {
    let beginning = beginning
    switch replaceable {
    case .anyFile: return
    case .nothing: throw Diagnostic.fileExists(path)
    case .page:
      guard beginning?.isEmpty == true || beginning.map(PageExporter.isPage) == true else {
        throw Diagnostic.isOther(path, than: "page")
      }
    case .report:
      guard beginning?.isEmpty == true || beginning.map(TextReport.isReport) == true else {
        throw Diagnostic.isOther(path, than: "report")
      }
    }
  }

  /// The first bytes of the file that is there; nil when it cannot be read.
  private var beginning: [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : Array(bytes[..<count])
  }

  private func writeDirectly(_ body: (inout FileOutput) throws -> Void) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    try FileOutput.write(to: descriptor, body)
  }

  private func failure(_ code: CInt) -> Diagnostic {
    .cannotWrite("\(path): \(String(cString: strerror(code)))")
  }
}
