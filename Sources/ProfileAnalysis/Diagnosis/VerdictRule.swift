/// The rule by which a verdict was found; the raw values are words for programs.
package enum VerdictRule: String, Sendable, CaseIterable {
  /// Threads wait for each other, and nobody else can end any of the waits.
  case cycle
  /// The owner of a lock has exited.
  case ownerExited = "owner_exited"
  case allFrozen = "all_frozen"
  case allStopped = "all_stopped"
  /// A thread that should go on waits for what it needs.
  case neededWait = "needed_wait"
  /// A handler did not return in any of the samples.
  case handlerNotReturned = "handler_not_returned"
  /// A thread did not return to its event loop for longer than the threshold, once or several times.
  case awayFromLoop = "away_from_loop"
  /// Nearly all samples are in one function and few that it calls.
  case oneFunction = "one_function"
  /// Runnable, but mostly without a CPU.
  case withoutCPU = "without_cpu"
  /// What the thread did most of the time.
  case mostTime = "most_time"
  case onCPU = "on_cpu"
  /// Waits outside of any place where threads are known to rest, and nothing says that it needs the wait.
  case notAtRest = "not_at_rest"
  /// Waits where threads are known to rest.
  case atRest = "at_rest"
  /// All goroutines wait for others, no thread runs, and no timer is set.
  case goroutinesAsleep = "goroutines_asleep"
  /// Goroutines wait for a lock.
  case goroutineLock = "goroutine_lock"
  /// Nobody receives what goroutines send.
  case goroutineSend = "goroutine_send"
  /// Nothing runs, and virtual threads of Java wait for a lock.
  case virtualThreadLock = "virtual_thread_lock"
  case none
}

extension Verdict {
  /// The rule by which it was found.
  package var rule: VerdictRule {
    switch goroutines?.kind {
    case .allAsleep: return .goroutinesAsleep
    case .lock: return .goroutineLock
    case .send: return .goroutineSend
    case .virtualLock: return .virtualThreadLock
    case nil: return ruleOfThreads
    }
  }

  private var ruleOfThreads: VerdictRule {
    switch kind {
    case .deadlock, .possibleDeadlock: .cycle
    case .orphanedLock: .ownerExited
    case .hungOnLock, .hungOnIO, .hung: .neededWait
    case .froze: .awayFromLoop
    case .busyLoop: overdue == nil ? .oneFunction : .handlerNotReturned
    case .starved: .withoutCPU
    case .slow: .mostTime
    case .running: .onCPU
    case .waiting: .notAtRest
    case .idle: .atRest
    case .frozen: .allFrozen
    case .stopped: .allStopped
    case .inconclusive: .none
    }
  }
}
