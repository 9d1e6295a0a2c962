import CaptureFile
import LinuxProcess
import ProfileModel
import Synchronization

/// The profiles of files in their order: the next two are read while the last is used.
struct ProfilesAhead {
  private static let count = 2

  private var files: ArraySlice<String>
  private let limits: ReadingLimits
  private var reads: [ProfileRead] = []

  init(_ files: [String], _ limits: ReadingLimits) {
    self.files = files[...]
    self.limits = limits
    readAhead()
  }

  /// The profile of the next file, and the bytes of that; to be called once for each.
  mutating func next() throws -> (profile: Profile, fileBytes: Int) {
    let profile = try reads.removeFirst().profile()
    readAhead()
    return profile
  }

  private mutating func readAhead() {
    while reads.count < Self.count, let file = files.popFirst() {
      reads.append(ProfileRead(file, limits))
    }
  }
}

/// A profile on its way from a thread that reads it.
private final class ProfileRead: Sendable {
  private let file: String
  private let limits: ReadingLimits
  private let result = Mutex<Result<(Profile, Int), any Error>?>(nil)
  private let thread = Mutex<OSThread.Handle?>(nil)

  init(_ file: String, _ limits: ReadingLimits) {
    self.file = file
    self.limits = limits
    // Without another thread the file is read when it is needed.
    thread.withLock { thread in
      thread = try? OSThread.start { [self] in
        let profile = Result { try load() }
        result.withLock { $0 = profile }
      }
    }
  }

  /// Waits until it is read; to be called once.
  func profile() throws -> (Profile, Int) {
    thread.withLock { $0.take() }?.join()
    guard let result = result.withLock({ $0.take() }) else { return try load() }
    return try result.get()
  }

  private func load() throws -> (Profile, Int) {
    let budget = ReadingBudget(limits)
    let profile = try loadProfile(file, budget)
    return (profile, budget.fileBytes)
  }
}
