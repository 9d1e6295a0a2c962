package import LinuxProcess

/// The distribution of a machine, by its `os-release` (os-release(5)).
package struct OperatingSystem: Equatable, Sendable {
  /// How the distribution installs packages.
  package enum Packager: String, Sendable {
    case apt, dnf, zypper, pacman, apk
  }

  /// The name for people, such as `Debian GNU/Linux 12 (bookworm)`.
  package let name: String
  package let packager: Packager?
  /// The archive of apt that has the debug packages; nil where it is known to be among apt's sources, and
  /// where none is known.
  package let missingArchive: DebugArchive?
  /// How packages are installed, which needs root.
  private let root: RootAccess

  package init(_ files: SystemFiles) {
    let folder = "/etc/apt/sources.list.d"
    let sources =
      ["/etc/apt/sources.list"] + (files.names(in: folder) ?? []).map { "\(folder)/\($0)" }
    self.init(
      parsing: files.text("/etc/os-release") ?? files.text("/usr/lib/os-release") ?? "",
      sources: sources.compactMap(files.text).joined(separator: "\n"))
  }

  /// Reads the text of the file, and that of apt's `sources`; what they do not say stays unknown.
  package init(parsing text: String, sources: String = "", root: RootAccess = .here) {
    self.root = root
    var fields: [Substring: String] = [:]
    for line in text.split(separator: "\n") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let value = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
      fields[line[..<equals]] = value
    }
    name = fields["PRETTY_NAME"] ?? fields["NAME"] ?? "an unknown distribution"
    let families =
      [fields["ID"] ?? ""]
      + (fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init)
    packager = families.lazy.compactMap(Self.packager).first
    let codename = (fields["VERSION_CODENAME"] ?? "").filter { $0.isLetter }
    missingArchive = Self.archive(of: fields["ID"] ?? "", codename, sources)
  }

  /// Debian and Ubuntu keep the debug packages that are made automatically in archives of their own
  /// (wiki.debian.org/HowToGetABacktrace, documentation.ubuntu.com: "Debug symbol packages").
  private static func archive(
    of id: String, _ codename: String, _ sources: String
  ) -> DebugArchive? {
    guard !codename.isEmpty else { return nil }
    switch id {
    case "debian":
      return sources.contains("debian-debug")
        ? nil
        : DebugArchive(
          name: "Debian's debug archive (debian-debug)", suite: "\(codename)-debug",
          // It is beside the main archive that apt knows.
          source: mirror(in: sources).map { "deb \($0)-debug \(codename)-debug main" })
    case "ubuntu":
      return sources.contains("ddebs")
        ? nil : DebugArchive(name: "Ubuntu's debug archive (ddebs)", suite: codename, source: nil)
    default: return nil
    }
  }

  /// The address of Debian's main archive in the text of apt's sources, without a slash at its end.
  private static func mirror(in sources: String) -> String? {
    for line in sources.split(separator: "\n") where !line.hasPrefix("#") {
      for word in line.split(whereSeparator: \.isWhitespace) {
        let address = word.hasSuffix("/") ? word.dropLast() : word
        let isPlain = address.allSatisfy {
          $0.isASCII && ($0.isLetter || $0.isNumber || "-._~:/%".contains($0))
        }
        guard isPlain, address.hasPrefix("http"), address.contains("://"),
          address.hasSuffix("/debian")
        else { continue }
        return String(address)
      }
    }
    return nil
  }

  private static func packager(of family: String) -> Packager? {
    switch family {
    case "debian", "ubuntu": .apt
    case "fedora", "rhel", "centos": .dnf
    case "suse", "opensuse", "sles": .zypper
    case "arch": .pacman
    case "alpine": .apk
    default: family.hasPrefix("opensuse") ? .zypper : nil
    }
  }

  /// The command that installs the debug file of a module; `owner` is the package that the module
  /// belongs to.
  ///
  /// dnf and zypper find it by the build ID, as gdb tells its users there; zypper's archives of debug
  /// packages are disabled unless they are asked for (zypper(8): `--plus-content`). Arch has debug
  /// files on its debuginfod server alone.
  package func installDebugFile(buildID: String?, owner: String?) -> String? {
    switch packager {
    case .apt:
      return owner.map { aptCommand(Self.debianDebugPackage(of: $0)) }
    case .dnf:
      guard let path = buildID.flatMap(Self.debugPath) else { return nil }
      return root.line("dnf --enablerepo='*debug*' install \(path)")
    case .zypper:
      guard let buildID, Self.debugPath(buildID) != nil else { return nil }
      return root.line(
        "zypper --plus-content debug install -C 'debuginfo(build-id)=\(buildID)'")
    case .apk:
      return owner.map { root.line("apk add \(Self.plain($0))-dbg") }
    case .pacman:
      return buildID.flatMap(Self.debugPath).map { _ in
        "DEBUGINFOD_URLS=https://debuginfod.archlinux.org sprof symbols CAPTURE -o NAMED --debuginfod"
      }
    case nil: return nil
    }
  }

  /// The command that installs the debug file of the C library; nil where none is known.
  package func installLibraryDebugFile() -> String? {
    switch packager {
    case .apt: root.line("apt install libc6-dbg")
    case .dnf: root.line("dnf debuginfo-install glibc")
    case .zypper: root.line("zypper --plus-content debug install glibc-debuginfo")
    case .apk: root.line("apk add musl-dbg")
    case .pacman, nil: nil
    }
  }

  private func aptCommand(_ package: String) -> String {
    let install = root.line("apt install \(package)")
    guard package.hasSuffix("-dbgsym"), missingArchive != nil else { return install }
    return install + "  # after the archive above is added"
  }

  /// The command that fetches debug files for a capture, where apt does not know the archive that has them
  /// and a server for them is known; nil elsewhere.
  func fetchCommand(owner: String?, hasServers: Bool) -> String? {
    guard hasServers, needsArchive(owner) else { return nil }
    return "sprof symbols CAPTURE -o NAMED --debuginfod"
  }

  /// Whether the debug package of a package is in an archive that apt does not know.
  private func needsArchive(_ owner: String?) -> Bool {
    packager == .apt && missingArchive != nil
      && owner.map { Self.debianDebugPackage(of: $0).hasSuffix("-dbgsym") } ?? false
  }

  /// What has to be done before the commands for the debug files of these packages; nil for nothing.
  func archiveFinding(for owners: some Sequence<String>) -> Finding? {
    guard let missingArchive, owners.contains(where: { needsArchive($0) }) else { return nil }
    let text =
      "the debug packages below are in \(missingArchive.name), suite \(missingArchive.suite), which is not "
      + "among apt's sources: add it first (not every mirror has it)"
    let other =
      "Without root: set DEBUGINFOD_URLS to the debuginfod server of your distribution, and use sprof "
      + "symbols CAPTURE -o NAMED --debuginfod"
    return Finding(
      "archive", .hint, "\(text). \(other)",
      fix: missingArchive.source.map {
        "echo '\($0)' | \(root.line("tee /etc/apt/sources.list.d/debug.list")) && "
          + root.line("apt update")
      })
  }

  /// `/usr/lib/debug/.build-id/ab/cdef.debug`; nil for what is no build ID.
  static func debugPath(_ buildID: String) -> String? {
    guard buildID.count > 2, buildID.allSatisfy(\.isHexDigit) else { return nil }
    return "/usr/lib/debug/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"
  }

  /// The package without its architecture.
  private static func plain(_ owner: String) -> String {
    owner.split(separator: ":").first.map(String.init) ?? owner
  }

  /// The C library and Python have packages of their own; those of all others are made automatically, and
  /// are in an archive of their own (Debian: debian-debug, Ubuntu: ddebs).
  static func debianDebugPackage(of owner: String) -> String {
    let name = plain(owner)
    if name == "libc6" { return "libc6-dbg" }
    for python in ["libpython3.", "python3."] where name.hasPrefix(python) {
      let minor = name.dropFirst(python.count).prefix { $0.isNumber }
      if !minor.isEmpty { return "python3.\(minor)-dbg" }
    }
    return name + "-dbgsym"
  }
}

/// An archive of packages with debug files.
package struct DebugArchive: Equatable, Sendable {
  /// For people, as its distribution documents it.
  package let name: String
  package let suite: String
  /// The line that apt's sources need; nil where it is not known.
  package let source: String?
}
