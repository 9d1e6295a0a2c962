internal import ProfileModel

extension `The verdict` {
  /// A program for each kind of verdict.
  static var examples: [(String, WaitMaker)] {
    var examples: [(String, WaitMaker)] = []
    func add(_ name: String, kind: CaptureInfo.Kind = .attach, _ make: (inout WaitMaker) -> Void) {
      var maker = WaitMaker(kind: kind)
      make(&maker)
      examples.append((name, maker))
    }
    for kind in [CaptureInfo.Kind.attach, .dump] {
      add("deadlock, \(kind.rawValue)", kind: kind) { maker in
        maker.thread(4242, "bank", "pthread_join main", .asleep(in: "futex"))
        maker.wait(4242, .join(4243))
        maker.locked(4243, "worker-1", by: .thread(tid: 4244), since: -12_400_000_000)
        maker.locked(4244, "worker-2", by: .thread(tid: 4243), since: -12_300_000_000)
        for tid in Int32(4250)..<4262 {
          maker.thread(
            tid, "pool-\(tid)", "pthread_cond_wait pool_thread start_thread", .asleep(in: "futex"))
        }
      }
    }
    add("cycle seen once", kind: .dump) { maker in
      maker.locked(4242, by: .thread(tid: 4243), samples: 1)
      maker.locked(4243, "b", by: .thread(tid: 4242), timed: true, samples: 1)
    }
    add("itself") { $0.locked(4242, by: .thread(tid: 4242)) }
    add("orphan") { $0.locked(4242, by: .dead(tid: 99)) }
    add("lock held by one that reads", kind: .dump) { maker in
      maker.thread(4242, "", "pthread_mutex_lock \(handler)", .asleep(in: "futex"))
      var wait = Wait.mutex(by: .thread(tid: 4243))
      wait.object?.field = "[3].lock"
      wait.object?.flavor = LockFlavor([.recursive])
      maker.wait(4242, wait, since: -12_400_000_000)
      maker.thread(4243, "loader", "recv fetch start_thread", .asleep(in: "recvfrom"))
      maker.wait(
        4243,
        Wait(
          kind: .receive, systemCall: "recvfrom",
          descriptors: [
            WaitDescriptor(
              number: 7, kind: .tcpSocket, name: "127.0.0.1:40122", peerAddress: "127.0.0.1:5432",
              peers: [.process(pid: 77, tid: nil, name: "postgres")], state: .other("established"))
          ], timeLeft: 3_200_000_000, isTimed: true))
    }
    add("long chain") { maker in
      for tid in Int32(4242)..<4290 { maker.locked(tid, by: .thread(tid: tid + 1)) }
      maker.thread(4290, "owner", "compute start_thread", .running)
    }
    add("handler reads") { $0.thread(4242, "", "read answer \(handler)", .asleep(in: "read")) }
    add("busy loop") { $0.thread(4242, "", "find_slot insert main", .running) }
    add("starved") { maker in
      let thread = maker.thread(4242, "", "compute main", .waitingForCPU)
      maker.setThread(thread, cpu: WaitMaker.second, delay: 8 * WaitMaker.second)
    }
    add("busy") { maker in
      let thread = maker.thread(4242, "", "parse main", .running, share: 0.4)
      maker.run(thread, ["read", "load", "main"], .asleep(in: "read"))
    }
    add("idle") { maker in
      maker.thread(
        4242, "", "poll g_main_context_iterate g_main_loop_run main", .asleep(in: "poll"))
      maker.thread(4243, "", "read other start_thread", .asleep(in: "read"))
    }
    add("waiting") { $0.thread(4242, "", "read line main", .asleep(in: "read")) }
    add("running", kind: .dump) { $0.thread(4242, "", "spin main", .running) }
    add("stopped") { $0.thread(4242, "", "main", .stopped) }
    add("nothing") { _ in }
    return examples
  }
}
