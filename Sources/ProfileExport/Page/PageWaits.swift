internal import ProfileAnalysis
internal import ProfileModel

extension WaitKind {
  /// What a thread waits for, as the page colours it.
  enum PageGroup: String {
    case lock, inputOutput = "io", sleep
    /// Another thread or process, or a signal.
    case event
    case other
  }

  var pageGroup: PageGroup {
    switch self {
    case .mutex, .readLock, .writeLock, .onceInitializer, .futex, .gil, .fileLock, .databaseLock:
      .lock
    case .poll, .select, .epoll, .read, .write, .open, .connect, .accept, .receive, .send,
      .asynchronousIO, .pageFault, .disk:
      .inputOutput
    case .sleep: .sleep
    case .conditionVariable, .semaphore, .barrier, .join, .parking, .childProcess, .signal,
      .messageQueue, .systemVSemaphore:
      .event
    case .kernelWork, .stoppedBySignal, .stoppedByDebugger, .frozen, .otherCall, .unknown: .other
    }
  }
}
