/// Why a goroutine waits, in the words of the runtime (`waitReasonStrings` in runtime/runtime2.go).
///
/// In the program they are in data that only a symbol names; stripped ones have none.
enum GoWaitReasons {
  /// By the minor versions, and then by the number.
  private static let all: [(minors: ClosedRange<Int>, reasons: [Substring])] = [
    (
      18...19,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc (idle)|semacquire|sleep|sync.Cond.Wait|timer goroutine \
        (idle)|trace reader (blocked)|wait for GC cycle|GC worker (idle)|preempted|debug \
        call
        """)
    ),
    (
      21...21,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc \
        (idle)|semacquire|sleep|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world
        """)
    ),
    (
      22...22,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc \
        (idle)|semacquire|sleep|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world|flushing proc \
        caches|trace goroutine status|trace proc status|page trace flush|coroutine
        """)
    ),
    (
      23...23,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc \
        (idle)|semacquire|sleep|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world|flushing proc \
        caches|trace goroutine status|trace proc status|page trace flush|coroutine|GC weak \
        to strong wait
        """)
    ),
    (
      24...24,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc \
        (idle)|semacquire|sleep|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|sync.WaitGroup.Wait|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world|flushing proc \
        caches|trace goroutine status|trace proc status|page trace flush|coroutine|GC weak \
        to strong wait|synctest.Run|synctest.Wait|chan receive (synctest)|chan send \
        (synctest)|select (synctest)
        """)
    ),
    (
      25...25,
      split(
        """
        |GC assist marking|IO wait|chan receive (nil chan)|chan send (nil chan)|dumping \
        heap|garbage collection|garbage collection scan|panicwait|select|select (no \
        cases)|GC assist wait|GC sweep wait|GC scavenge wait|chan receive|chan \
        send|finalizer wait|force gc (idle)|GOMAXPROCS updater \
        (idle)|semacquire|sleep|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|sync.WaitGroup.Wait|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world|flushing proc \
        caches|trace goroutine status|trace proc status|page trace flush|coroutine|GC weak \
        to strong wait|synctest.Run|synctest.Wait|chan receive (durable)|chan send \
        (durable)|select (durable)|sync.WaitGroup.Wait (durable)|cleanup wait
        """)
    ),
    (
      26...27,
      split(
        """
        |GC assist marking|IO wait|dumping heap|garbage collection|garbage collection \
        scan|panicwait|GC assist wait|GC sweep wait|GC scavenge wait|finalizer wait|force gc\
         (idle)|GOMAXPROCS updater (idle)|semacquire|sleep|chan receive (nil chan)|chan send\
         (nil chan)|select (no cases)|select|chan receive|chan \
        send|sync.Cond.Wait|sync.Mutex.Lock|sync.RWMutex.RLock|sync.RWMutex.Lock|sync.WaitGroup.Wait|trace\
         reader (blocked)|wait for GC cycle|GC worker (idle)|GC worker \
        (active)|preempted|debug call|GC mark termination|stopping the world|flushing proc \
        caches|trace goroutine status|trace proc status|page trace flush|coroutine|GC weak \
        to strong wait|synctest.Run|synctest.Wait|chan receive (durable)|chan send \
        (durable)|select (durable)|sync.WaitGroup.Wait (durable)|cleanup wait
        """)
    ),
  ]

  private static func split(_ text: String) -> [Substring] {
    text.split(separator: "|", omittingEmptySubsequences: false)
  }

  /// The words for a number in programs of a version; nil for one that it does not have, and in versions
  /// whose numbers are not known.
  static func reason(_ number: UInt8, minor: Int) -> String? {
    let known = all.first { $0.minors.contains(minor) }?.reasons ?? []
    guard known.indices.contains(Int(number)), !known[Int(number)].isEmpty else { return nil }
    return String(known[Int(number)])
  }
}
