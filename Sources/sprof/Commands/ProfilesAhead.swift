import LinuxProcess
import ProfileModel
import Synchronization

/// The profiles of files in their order: the next two are read while the last is used.
struct ProfilesAhead {
  private static let count = 2

  private var files: ArraySlice<String>
  private var reads: [ProfileRead] = []

  init(_ files: [String]) {
    self.files = files[...]
    readAhead()
  }

  /// The profile of the next file; to be called once for each.
  mutating func next() throws -> Profile {
    let profile = try reads.removeFirst().profile()
    readAhead()
    return profile
  }

  private mutating func readAhead() {
    while reads.count < Self.count, let file = files.popFirst() { reads.append(ProfileRead(file)) }
  }
}

/// A profile on its way from a thread that reads it.
private final class ProfileRead: Sendable {
  private let file: String
  private let result = Mutex<Result<Profile, any Error>?>(nil)
  private let thread = Mutex<OSThread.Handle?>(nil)

  init(_ file: String) {
    self.file = file
    // Without another thread the file is read when it is needed.
    thread.withLock { thread in
      thread = try? OSThread.start { [self] in
        let profile = Result { try loadProfile(file) }
        result.withLock { $0 = profile }
      }
    }
  }

  /// Waits until it is read; to be called once.
  func profile() throws -> Profile {
    thread.withLock { $0.take() }?.join()
    guard let result = result.withLock({ $0.take() }) else { return try loadProfile(file) }
    return try result.get()
  }
}
