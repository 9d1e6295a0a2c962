internal import ELFReading
internal import Glibc
package import LinuxProcess

/// Opens the debug files that others refer to; whether they are the right ones their build IDs or
/// checksums say.
package struct DebugFiles {
  /// Opens what has a name; nil for nothing, and for what is no regular file.
  package typealias Opener = (_ name: String) -> MappedFile?

  private let idOpeners: [Opener]
  private let pathOpeners: [Opener]

  /// Finds none where a closure is left out.
  package init(
    byBuildID: @escaping Opener = { _ in nil }, byPath: @escaping Opener = { _ in nil }
  ) {
    (idOpeners, pathOpeners) = ([byBuildID], [byPath])
  }

  /// Looks into file systems, the best first, by paths from the root of each, and then into folders of
  /// the debuginfod client's, which are in the last of them.
  package init(roots: [Opener], caches: [String] = []) {
    pathOpeners = roots
    idOpeners =
      roots.map { root in
        { id in root("/usr/lib/debug/.build-id/\(id.prefix(2))/\(id.dropFirst(2)).debug") }
      }
      + caches.compactMap { cache in
        roots.last.map { root in { id in root("\(cache)/\(id)/debuginfo") } }
      }
  }

  private init(idOpeners: [Opener], pathOpeners: [Opener]) {
    (self.idOpeners, self.pathOpeners) = (idOpeners, pathOpeners)
  }

  /// These, and last what `byBuildID` gives.
  package func adding(byBuildID: @escaping Opener) -> DebugFiles {
    DebugFiles(idOpeners: idOpeners + [byBuildID], pathOpeners: pathOpeners)
  }

  /// The first file for a build ID that is right.
  package func file(
    forBuildID id: String, where isRight: (MappedFile) -> Bool
  ) -> MappedFile? {
    byBuildID(id, where: isRight)
  }

  /// The first file for a build ID that is right.
  func byBuildID(_ id: String, where isRight: (MappedFile) -> Bool) -> MappedFile? {
    guard id.utf8.count > 2, id.utf8.count <= 128, id.allSatisfy(\.isHexDigit) else { return nil }
    return Self.first(id, of: idOpeners, where: isRight)
  }

  /// The first file at an absolute path that is right.
  func byPath(_ path: String, where isRight: (MappedFile) -> Bool) -> MappedFile? {
    guard path.hasPrefix("/"), path.utf8.count < 4096 else { return nil }
    return Self.first(path, of: pathOpeners, where: isRight)
  }

  private static func first(
    _ name: String, of openers: [Opener], where isRight: (MappedFile) -> Bool
  ) -> MappedFile? {
    for open in openers {
      if let file = open(name), isRight(file) { return file }
    }
    return nil
  }
}

extension DebugFiles {
  /// The folders that debuginfod clients keep what they have fetched in (debuginfod_find_debuginfo(3)).
  package static func caches(
    environment: (_ name: String) -> String?
  ) -> [String] {
    if let path = environment("DEBUGINFOD_CACHE_PATH"), path.hasPrefix("/") { return [path] }
    var result: [String] = []
    if let path = environment("XDG_CACHE_HOME"), path.hasPrefix("/") {
      result.append(path + "/debuginfod_client")
    }
    if let home = environment("HOME"), home.hasPrefix("/") {
      // The second is where versions before 0.173 kept it, if it is still there.
      result += [home + "/.cache/debuginfod_client", home + "/.debuginfod_client_cache"]
    }
    return result
  }
}

/// What tells builds of a program apart.
package enum BuildID {
  /// The build ID of an ELF file, lower-case hexadecimal; nil where it has none.
  package static func of(_ file: MappedFile) -> String? {
    (try? ELFFile(file.bytes))?.buildID(in: file.bytes)
  }
}

/// The variables that sprof was started with.
package enum Environment {
  /// Nil for one that is not set.
  package static func value(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
