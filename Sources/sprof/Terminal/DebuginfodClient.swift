import Glibc
import LinuxProcess
import ProfileModel
import Synchronization

/// Fetches debug files with elfutils' client library, which keeps them in its cache
/// (debuginfod_find_debuginfo(3)).
///
/// The library is loaded only here, so that sprof needs neither it nor libcurl otherwise. There is one
/// client at a time.
final class DebuginfodClient {
  private typealias Progress =
    @convention(c) (_ client: OpaquePointer?, _ done: CLong, _ total: CLong) -> CInt
  private typealias Begin = @convention(c) () -> OpaquePointer?
  private typealias End = @convention(c) (OpaquePointer?) -> Void
  private typealias SetProgress = @convention(c) (OpaquePointer?, Progress?) -> Void
  private typealias Find =
    @convention(c) (
      OpaquePointer?, UnsafePointer<CChar>?, CInt,
      UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> CInt

  /// What the library's callback, which can capture nothing, needs.
  private struct State {
    var deadline = MonotonicClock.Instant.distantFuture
    var module = ""
    var lastReport = MonotonicClock.Instant.distantPast
    var report: (@Sendable (String) -> Void)?
  }

  private static let state = Mutex(State())

  private let library: UnsafeMutableRawPointer
  private let client: OpaquePointer
  private let find: Find
  private let end: End
  private let timeout: Nanoseconds
  private var deadline: MonotonicClock.Instant?
  /// Why nothing more is fetched.
  private(set) var problem: String?
  /// What was asked for, so that nothing is asked for twice.
  private var answers: [String: MappedFile?] = [:]
  /// What is being fetched, for the progress line.
  var module = ""

  /// Whether the environment names a server.
  static var hasServers: Bool {
    getenv("DEBUGINFOD_URLS").map { String(cString: $0).contains { $0 != " " } } ?? false
  }

  /// Nil where the library is not installed; the time for all that is fetched counts from the first.
  init?(timeout: Nanoseconds, progress: @escaping @Sendable (String) -> Void) {
    guard let library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL) else { return nil }
    func symbol<Function>(_ name: String, _ type: Function.Type) -> Function? {
      dlsym(library, name).map { unsafeBitCast($0, to: type) }
    }
    // Names and types are those of elfutils/debuginfod.h, from version 0.178 on.
    guard let begin = symbol("debuginfod_begin", Begin.self),
      let find = symbol("debuginfod_find_debuginfo", Find.self),
      let end = symbol("debuginfod_end", End.self),
      let setProgress = symbol("debuginfod_set_progressfn", SetProgress.self), let client = begin()
    else {
      dlclose(library)
      return nil
    }
    (self.library, self.client, self.find, self.end) = (library, client, find, end)
    self.timeout = timeout
    Self.state.withLock { $0 = State(report: progress) }
    setProgress(client, Self.progress)
  }

  deinit { end(client) }

  /// Called about once a second, and for each piece that arrives; anything but 0 gives up.
  private static let progress: Progress = { _, done, total in
    state.withLock { state in
      let now = MonotonicClock.now()
      guard now < state.deadline else { return 1 }
      guard now - state.lastReport >= .seconds(1), total > 0 || done > 1 else { return 0 }
      state.lastReport = now
      let amount =
        total > 0 ? "\(megabytes(done)) of \(megabytes(total)) MB" : "waiting for the server"
      state.report?("fetching debug data of \(state.module): \(amount)")
      return 0
    }
  }

  private static func megabytes(_ bytes: CLong) -> String {
    let tenths = bytes / 100_000
    return "\(tenths / 10).\(abs(tenths % 10))"
  }

  /// The debug file for a build ID; nil where no server has it, or there is no time left.
  func fetch(_ buildID: String) -> MappedFile? {
    if let known = answers[buildID] { return known }
    guard problem == nil else { return nil }
    let limit = deadline ?? MonotonicClock.now() + timeout
    deadline = limit
    let left = limit - MonotonicClock.now()
    guard left > Nanoseconds(0) else {
      problem = "the time for fetching debug data is over (--fetch-timeout)"
      return nil
    }
    let file = fetch(buildID, left)
    answers[buildID] = .some(file)
    return file
  }

  private func fetch(_ buildID: String, _ left: Nanoseconds) -> MappedFile? {
    let module = module
    Self.state.withLock {
      $0.deadline = MonotonicClock.now() + left
      $0.module = module
    }
    let seconds = String(max(1, left.rawValue / 1_000_000_000))
    setenv("DEBUGINFOD_TIMEOUT", seconds, 1)
    setenv("DEBUGINFOD_MAXTIME", seconds, 1)
    // A length of 0 says that the ID is text.
    let result = find(client, buildID, 0, nil)
    if result >= 0 { return try? MappedFile(descriptor: result) }
    // A query that is given up ends like one that all servers have answered in the negative.
    if Self.state.withLock({ MonotonicClock.now() >= $0.deadline }) {
      problem = "the time for fetching debug data is over (--fetch-timeout)"
    } else if result != -ENOENT {
      // It would only come again.
      problem = "no more debug data was fetched: \(String(cString: strerror(-result)))"
    }
    return nil
  }
}
