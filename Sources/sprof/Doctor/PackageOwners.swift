import Glibc

/// The packages that files belong to, as the system's package manager knows them.
enum PackageOwners {
  /// By path, for those of `paths` that a package holds; runs `dpkg-query` or `apk`, whichever is
  /// there, once for each path.
  static func owners(of paths: [String]) -> [String: String] {
    var owners: [String: String] = [:]
    for path in paths.prefix(32) {
      if let owner = debian(path) ?? alpine(path) { owners[path] = owner }
    }
    return owners
  }

  /// `libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6`; a merged /usr is known by the old path, too.
  private static func debian(_ path: String) -> String? {
    let other = path.hasPrefix("/usr/") ? String(path.dropFirst("/usr".count)) : "/usr" + path
    for candidate in [path, other] {
      guard let output = output("/usr/bin/dpkg-query", ["-S", "--", candidate]),
        let line = output.split(separator: "\n").first(where: { $0.hasSuffix(": " + candidate) }),
        let name = line.split(separator: ":").first, !name.contains(" ")
      else { continue }
      return name.split(separator: ",").first.map(String.init)
    }
    return nil
  }

  /// `/lib/libz.so.1 is owned by zlib-1.3.1-r0`.
  private static func alpine(_ path: String) -> String? {
    guard let output = output("/sbin/apk", ["info", "--who-owns", path]),
      let word = output.split(whereSeparator: \.isWhitespace).last
    else { return nil }
    let parts = word.split(separator: "-")
    return parts.count > 2 ? parts.dropLast(2).joined(separator: "-") : nil
  }

  /// What the program writes; nil where it is not there or fails.
  private static func output(_ program: String, _ arguments: [String]) -> String? {
    guard access(program, X_OK) == 0 else { return nil }
    let child = ChildProgram(
      words: [program] + arguments,
      environment: ["LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
    guard case .success(let output) = child.output(), output.status == 0 else { return nil }
    return output.text
  }
}
