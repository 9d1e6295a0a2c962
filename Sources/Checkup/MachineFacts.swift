internal import Glibc
package import LinuxProcess
internal import ProfileModel

/// What a machine, and the right to use it, give sprof.
package struct MachineFacts: Sendable {
  package var kernel = ""
  package var userID: UInt32 = 0
  /// How commands are run as root here.
  package var root = RootAccess.isRoot
  /// sprof's own effective capabilities, as a bit mask.
  package var capabilities: UInt64 = 0
  /// The setting of Yama; nil where it is not built in, or cannot be read.
  package var yamaScope: Int?
  /// Whether `/proc/sys` can be read.
  package var hasSysctl = true
  package var hasSeccompFilter = false
  package var isPtraceAllowed = true
  /// Whether `/proc` hides other users' processes (hidepid).
  package var hidesProcesses = false
  /// The kind of container that sprof runs in; nil for none that is known.
  package var container: String?
  package var hasSchedstat = true
  package var showsSystemCalls = true
  package var listsChildren = true
  /// How many files sprof may have open.
  package var openFiles = 1024
  /// How many `perf-PID.map` are in `/tmp`; nil where that cannot be read.
  package var perfMaps: Int?
  /// Debug files by build-id; nil without the folder.
  package var debugFiles: Int?
  package var debuginfodServers: String?
  package var system = OperatingSystem(parsing: "")
  /// The libraries that sprof runs with, by name: `libdw-0.188.so`.
  package var libraries: [String] = []

  package init() {}

  /// Reads this machine; costs some twenty small reads.
  package init(_ files: SystemFiles, debuginfod: String?) {
    kernel = Host.kernel()
    userID = geteuid()
    root = .here
    if let own = try? ProcessStatus(of: getpid()) {
      capabilities = own.capabilities
      hasSeccompFilter = own.hasSeccompFilter
    }
    isPtraceAllowed = AccessCheck.isPtraceAllowed()
    hasSysctl = files.exists("/proc/sys/kernel")
    yamaScope = files.text("/proc/sys/kernel/yama/ptrace_scope").flatMap {
      Int($0.filter(\.isNumber))
    }
    hidesProcesses = AccessCheck.hidesProcesses
    container = Self.container(files)
    hasSchedstat = Self.hasSchedstat(files.text("/proc/self/schedstat"))
    showsSystemCalls = files.exists("/proc/self/syscall")
    listsChildren = files.exists("/proc/thread-self/children")
    openFiles = Self.largestOpenFileLimit
    perfMaps =
      files.isReadableFolder("/tmp")
      ? files.names(in: "/tmp")?.count { $0.hasPrefix("perf-") && $0.hasSuffix(".map") } : nil
    debugFiles = Self.debugFiles(files)
    debuginfodServers = debuginfod ?? Self.debuginfod(files)
    system = OperatingSystem(files)
    libraries = LoadedLibrary.names(in: files.text("/proc/self/maps") ?? "")
  }

  /// Whether the effective capabilities have one, by its number (linux/capability.h).
  func has(_ capability: UInt64) -> Bool { capabilities & 1 << capability != 0 }

  /// CAP_SYS_PTRACE.
  package var mayTraceAll: Bool { has(19) }
  /// CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH.
  package var mayReadAll: Bool { has(1) || has(2) }

  /// A kernel without CONFIG_SCHED_INFO has no such file, or one of zeros.
  static func hasSchedstat(_ text: String?) -> Bool {
    guard let text else { return false }
    let words = text.split(whereSeparator: \.isWhitespace)
    return words.count >= 3 && words[2] != "0"
  }

  /// Docker and podman leave marks; others name themselves in the environment of their first process, or in
  /// its control group.
  static func container(_ files: SystemFiles) -> String? {
    if files.exists("/.dockerenv") { return "Docker" }
    if files.exists("/run/.containerenv") { return "Podman" }
    let environment = files.text("/proc/1/environ") ?? ""
    for variable in environment.split(separator: "\0") where variable.hasPrefix("container=") {
      return String(variable.dropFirst("container=".count).prefix(40))
    }
    let groups = files.text("/proc/1/cgroup") ?? ""
    for (mark, name) in [("kubepods", "Kubernetes"), ("/docker", "Docker"), ("/lxc", "LXC")]
    where groups.contains(mark) {
      return name
    }
    return nil
  }

  /// sprof raises its limit to the highest that may be had without rights.
  private static var largestOpenFileLimit: Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_max) : 1024
  }

  private static func debugFiles(_ files: SystemFiles) -> Int? {
    let folder = "/usr/lib/debug/.build-id"
    return files.names(in: folder)?.reduce(0) { count, name in
      count + (files.names(in: "\(folder)/\(name)")?.count { $0.hasSuffix(".debug") } ?? 0)
    }
  }

  /// The servers that the distribution names; elfutils' profile script puts them into the environment.
  private static func debuginfod(_ files: SystemFiles) -> String? {
    let folder = "/etc/debuginfod"
    let names = files.names(in: folder)?.filter { $0.hasSuffix(".urls") }.sorted() ?? []
    let text = names.compactMap { files.text("\(folder)/\($0)") }.joined(separator: " ")
    let words = text.split(whereSeparator: \.isWhitespace)
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

/// The shared libraries that a process runs with.
package enum LoadedLibrary {
  /// The file names of the libraries that matter to sprof, as the loader found them, from the text of a
  /// maps file: the version is a part of them.
  package static func names(in maps: String) -> [String] {
    let wanted = [
      "libdeflate", "libdw", "libelf", "liblzma", "libunwind", "libz", "libzstd", "libncurses",
      "libtinfo",
    ]
    var names: Set<String> = []
    for line in maps.split(separator: "\n") {
      guard let slash = line.lastIndex(of: "/") else { continue }
      let name = String(line[line.index(after: slash)...])
      // libunwind-x86_64.so.8.0.1 is a part of libunwind.
      guard name.contains(".so"), !name.contains("x86_64"),
        wanted.contains(where: { name.hasPrefix($0 + "-") || name.hasPrefix($0 + ".") })
          || name.hasPrefix("libncursesw")
      else { continue }
      names.insert(name)
    }
    return names.sorted()
  }
}
