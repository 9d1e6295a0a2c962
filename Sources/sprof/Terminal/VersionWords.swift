import Checkup
import LinuxProcess
import ProfileModel

/// What `--version` says: the version, how it was built, and the libraries that it runs with.
enum VersionWords {
  static var text: String {
    let maps = (try? ProcFile.read("/proc/self/maps")) ?? ""
    let libraries = LoadedLibrary.names(in: maps).joined(separator: ", ")
    return """
      sprof \(SprofVersion.current)
      \(build), Swift \(swift), x86-64
      \(libraries.isEmpty ? "libraries not known" : libraries)
      """
  }

  private static var build: String {
    #if DEBUG
      "debug build"
    #else
      "release build"
    #endif
  }

  private static var swift: String {
    #if swift(>=6.4)
      "6.4 or later"
    #elseif swift(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
