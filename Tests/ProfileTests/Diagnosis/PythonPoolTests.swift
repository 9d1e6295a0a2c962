internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@Suite struct `Threads of Python's pools` {
  private static let lock =
    "libc.so.6/sem_wait python3.12/PyThread_acquire_lock_timed python3.12/acquire_timed "
    + "python3.12/lock_PyThread_acquire_lock "
  private static let simpleQueue =
    "libc.so.6/sem_wait python3.12/PyThread_acquire_lock_timed "
    + "python3.12/_queue_SimpleQueue_get_impl python3.12/_queue_SimpleQueue_get "
  private static let condition = lock + "threading.py/Condition.wait "
  private static let thread =
    " threading.py/Thread.run threading.py/Thread._bootstrap_inner threading.py/Thread._bootstrap"
  private static let oldThread = " threading.py/run threading.py/_bootstrap_inner"
  private static let job =
    " concurrent/futures/thread.py/_WorkItem.run concurrent/futures/thread.py/_worker"

  private func situations(
    _ functions: String, _ activity: Activity = .asleep(in: "futex"), isMain: Bool = false,
    count: Int = 2
  ) -> [ThreadSituation] {
    var maker = WaitMaker()
    maker.thread(
      4242, "", isMain ? functions : "pause main", isMain ? activity : .asleep(in: "pause"))
    for tid in 0..<Int32(isMain ? 0 : count) { maker.thread(5000 + tid, "", functions, activity) }
    return maker.diagnosis.situations.dropFirst(isMain ? 0 : 1).compactMap { $0 }
  }

  @Test(arguments: [
    simpleQueue + "concurrent/futures/thread.py/_worker" + thread,
    simpleQueue + "concurrent/futures/thread.py/_worker" + oldThread,
    "libc.so.6/0x9cefe python3.14/0x1234 concurrent/futures/thread.py/_worker" + thread,
    condition + "queue.py/Queue.get concurrent/futures/thread.py/_worker" + thread,
    lock + "threading.py/wait queue.py/get concurrent/futures/thread.py/_worker" + oldThread,
    simpleQueue + "python3.12/calliter_iternext multiprocessing/pool.py/Pool._handle_tasks"
      + thread,
    simpleQueue + "multiprocessing/pool.py/worker" + thread,
  ])
  func `are idle where the pool itself takes its next piece of work`(functions: String) {
    for situation in situations(functions, count: 1) {
      #expect(situation.idleness == .workerPool(.unnamed))
    }
  }

  @Test(arguments: [
    (
      "read", false,
      "libc.so.6/read python3.12/os_read multiprocessing/connection.py/Connection._recv "
        + "multiprocessing/connection.py/_ConnectionBase.recv "
        + "multiprocessing/pool.py/Pool._handle_results" + thread
    ),
    (
      "poll", false,
      "libc.so.6/poll python3.12/select_poll_poll selectors.py/_PollLikeSelector.select "
        + "multiprocessing/connection.py/wait multiprocessing/pool.py/Pool._wait_for_updates "
        + "multiprocessing/pool.py/Pool._handle_workers" + thread
    ),
    (
      "read", true,
      "libc.so.6/read multiprocessing/connection.py/Connection._recv "
        + "multiprocessing/queues.py/SimpleQueue.get multiprocessing/pool.py/worker "
        + "multiprocessing/process.py/BaseProcess.run app.py/<module>"
    ),
    (
      "futex", true,
      "libc.so.6/sem_wait lib-dynload/_multiprocessing.so/_multiprocessing_SemLock_acquire "
        + "multiprocessing/synchronize.py/SemLock.__enter__ multiprocessing/queues.py/Queue.get "
        + "concurrent/futures/process.py/_process_worker app.py/<module>"
    ),
  ])
  func `are idle where processes exchange their work`(call: String, isMain: Bool, functions: String)
  {
    let situations = situations(functions, .asleep(in: call), isMain: isMain, count: 1)
    #expect(situations.map(\.idleness?.kind) == [.workerPool])
  }

  @Test func `are idle where the program's own threads take what comes in a queue`() {
    for queue in [
      Self.condition + "queue.py/Queue.get", Self.lock + "threading.py/wait queue.py/get",
    ] {
      let idle = situations(queue + " app.py/serve" + Self.thread)
      #expect(idle.count == 2 && idle.allSatisfy { $0.idleness?.kind == .workerPool })
      // A job that waits for an answer does not rest.
      let job = situations(queue + Self.job + Self.thread)
      #expect(job.count == 2 && job.allSatisfy { $0.idleness == nil })
    }
  }

  @Test(arguments: [
    lock + "app.py/worker", lock + "app.py/_worker", lock + "app.py/consumer",
    lock + "app.py/pool_size", lock + "app.py/wait_for_work", lock + "app.py/WorkerThread.work",
    condition + "app.py/worker_loop",
    condition + "threading.py/Event.wait app.py/Pool.do app.py/Pool._worker",
    lock + "app.py/query app.py/handle" + job, lock + "threading.py/wait app.py/get" + job,
    condition + "concurrent/futures/_base.py/Future.result app.py/outer" + job,
    condition + "threading.py/Event.wait multiprocessing/pool.py/worker",
    lock + "multiprocessing/pool.py/worker",
    simpleQueue + "app.py/pool.py/worker",
  ])
  func `are not idle in what a job or the program's own function waits for`(functions: String) {
    let situations = situations(functions + Self.thread)
    #expect(situations.count == 2)
    for situation in situations {
      #expect(situation.wait?.kind == .semaphore)
      #expect(situation.idleness == nil)
    }
  }

  @Test func `are idle by their names where these are of machine code`() {
    let way = "libc.so.6/pthread_cond_wait _fast.so/rd_queue_pop python3.12/call_it app.py/serve"
    #expect(situations(way + Self.thread, count: 1).allSatisfy { $0.idleness?.kind == .workerPool })
  }
}
