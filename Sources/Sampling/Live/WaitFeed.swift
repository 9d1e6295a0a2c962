internal import ProfileModel
internal import Synchronization

/// Hands what the tracer finds of waits, tick by tick, to a recording that goes on.
final class WaitFeed: Sendable {
  /// A stretch of one thread's time in a wait.
  struct Span: Sendable {
    let tid: Int32
    let wait: Wait
    let start: Int64
    let end: Int64
  }

  /// Waits that nobody takes are dropped from here on.
  private static let limit = 1 << 16

  private let isWanted = Atomic<Bool>(true)
  private let spans = Mutex<[Span]>([])

  /// Whether the last was taken, so that it is worth the tracer's time to hand over more.
  var isDue: Bool { isWanted.load(ordering: .relaxed) }

  /// Adds what is new; the tracer's.
  func add(_ new: [Span]) {
    isWanted.store(false, ordering: .relaxed)
    spans.withLock { spans in
      if spans.count < Self.limit { spans += new }
    }
  }

  /// Takes all that has come.
  func take() -> [Span] {
    isWanted.store(true, ordering: .relaxed)
    return spans.withLock { spans in
      defer { spans = [] }
      return spans
    }
  }
}
