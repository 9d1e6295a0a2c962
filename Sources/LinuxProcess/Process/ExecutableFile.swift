internal import CLinux
internal import Glibc

/// The file of a program that is to be started.
enum ExecutableFile {
  /// Whether a trace changes nothing for the program.
  ///
  /// While a process without CAP_SYS_PTRACE traces, the kernel ignores the set-user-ID bits and the
  /// capabilities of the file (execve(2)), so that `sudo` would find itself without its rights.
  static func mayBeTraced(_ name: String) -> Bool {
    let own = try? ProcessStatus(of: getpid())
    // CAP_SYS_PTRACE is 19.
    if (own?.capabilities ?? 0) & 1 << 19 != 0 { return true }
    guard let path = path(of: name) else { return true }
    var status = stat()
    guard stat(path, &status) == 0 else { return true }
    guard status.st_mode & (S_ISUID | S_ISGID) == 0 else { return false }
    return sprof_attribute_size(path, "security.capability") <= 0
  }

  /// The file that execvp(3) would take.
  private static func path(of name: String) -> String? {
    if name.contains("/") { return name }
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/bin:/usr/bin"
    return folders.split(separator: ":", omittingEmptySubsequences: false).lazy
      .map { ($0.isEmpty ? "." : $0) + "/" + name }
      .first { access($0, X_OK) == 0 }
  }

  // MARK: - Why it does not start

  /// Says more closely why exec of a program failed than its error number does.
  static func explain(_ failure: HeldProgram.Failure, of name: String) -> HeldProgram.Failure {
    switch failure {
    case .notFound:
      return path(of: name).flatMap(missingInterpreter).map { .noInterpreter($0) } ?? failure
    case .notExecutable(let error, _):
      guard error.code == EACCES, let path = path(of: name) else { return failure }
      // exec says of a directory that access is denied (execve(2)).
      if isDirectory(path) { return .isDirectory }
      return .notExecutable(error, isProgram: access(path, X_OK) != 0 && isProgram(path))
    case .noInterpreter, .isDirectory, .system: return failure
    }
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether a file begins like a binary or a script.
  private static func isProgram(_ path: String) -> Bool {
    let start = beginning(of: path)
    return start.starts(with: Array("#!".utf8)) || start.starts(with: [0x7F] + Array("ELF".utf8))
  }

  /// The interpreter that is not there, of a script or of the script that is to run it.
  private static func missingInterpreter(of script: String) -> String? {
    var path = script
    // The kernel follows as many (binfmt_script, "exec: Limit the recursion").
    for _ in 0..<5 {
      guard let interpreter = interpreter(of: path) else { return nil }
      guard access(interpreter, F_OK) == 0 else { return interpreter }
      path = interpreter
    }
    return nil
  }

  /// What the first line of a script names; nil for other files.
  private static func interpreter(of path: String) -> String? {
    let start = beginning(of: path)
    guard start.starts(with: Array("#!".utf8)) else { return nil }
    let blanks = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let line = start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
    let name = line.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
    return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
  }
  /// As much of a file as the kernel reads, 256 bytes (BINPRM_BUF_SIZE); nothing where that fails.
  private static func beginning(of path: String) -> [UInt8] {
    var start = [UInt8](repeating: 0, count: 256)
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return [] }
    defer { close(file) }
    let count = start.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
    return Array(start.prefix(max(0, count)))
  }
}
