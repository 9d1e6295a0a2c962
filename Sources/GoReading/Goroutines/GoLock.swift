internal import LinuxProcess
internal import ProfileModel

/// A lock of `sync`, at one of whose words goroutines wait.
enum GoLock {
  /// Where the words of semaphores are in the locks that have them, by the function that waits (sync/mutex.go,
  /// sync/rwmutex.go and sync/waitgroup.go; the same from Go 1.18 to 1.27).
  private static let offsets: [String: Int64] = [
    "sync.(*Mutex).Lock": 4, "sync.(*Mutex).lockSlow": 4,
    // Since Go 1.24.
    "internal/sync.(*Mutex).Lock": 4, "internal/sync.(*Mutex).lockSlow": 4,
    // A read-write lock begins with a mutex, at which writers wait for each other.
    "sync.(*RWMutex).Lock": 8, "sync.(*RWMutex).RLock": 12, "sync.(*WaitGroup).Wait": 8,
  ]
  /// The function that waits is not further from the innermost.
  private static let depth = 10

  /// The address of the lock, or wait group; that of the word where something else waits at one.
  static func address(waitedAt word: RemoteAddress, in stack: [SourceLine]) -> RemoteAddress {
    let offset = stack.prefix(depth).lazy.compactMap { offsets[$0.function] }.first
    return word.advanced(by: -(offset ?? 0))
  }
}
