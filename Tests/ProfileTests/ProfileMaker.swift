internal import ProfileModel

/// Builds profiles by hand, with known answers.
struct ProfileMaker {
  var profile: Profile
  private var nextAddress: UInt64 = 0x1000

  init(kind: CaptureInfo.Kind = .attach) {
    profile = Profile(
      capture: CaptureInfo(kind: kind, pid: 4242, processName: "orderd", rate: 100))
  }

  mutating func module(_ path: String) -> ModuleID {
    profile.modules.append(Module(path: path))
    return ModuleID(Int32(profile.modules.count - 1))
  }

  /// A frame at an address of its own; several lines are inlined calls, innermost first.
  mutating func frame(_ lines: SourceLine..., in module: ModuleID) -> FrameID {
    let id = unnamedFrame(in: module)
    profile.symbols.append(ResolvedFrame(lines: lines, module: module))
    return id
  }

  /// A frame of a language that an interpreter runs.
  mutating func interpretedFrame(_ line: SourceLine) -> FrameID {
    let id = profile.stacks.id(of: .interpreted(line))
    profile.symbols.append(ResolvedFrame(unknown: .interpreted(line)))
    return id
  }

  /// A frame without symbols; only after all that have some.
  mutating func unnamedFrame(in module: ModuleID) -> FrameID {
    nextAddress += 0x10
    return profile.stacks.id(
      of: .code(CodeAddress(module: module, address: FileAddress(nextAddress))))
  }

  mutating func stack(outermostFirst frames: [FrameID]) -> StackID {
    frames.reduce(.empty) { profile.stacks.stack(of: $1, calledBy: $0) }
  }

  mutating func thread(
    _ tid: Int32, _ name: String, isMain: Bool = false, cpu: Int64 = 0, delay: Int64 = 0,
    firstSeen: Int64 = 0, lastSeen: Int64 = 10_000_000_000, cpuSinceStart: Int64 = 0,
    state: Character? = "S", systemCall: SystemCall? = nil, hasEnded: Bool = false
  ) -> Int {
    profile.threads.append(
      ThreadInfo(
        tid: tid, name: name, isMain: isMain, firstSeen: firstSeen, lastSeen: lastSeen, cpu: cpu,
        delay: delay, cpuSinceStart: cpuSinceStart, state: state, systemCall: systemCall,
        hasEnded: hasEnded))
    return profile.threads.count - 1
  }

  /// A run of `ticks` ticks of 10 ms.
  mutating func run(
    _ thread: Int, _ stack: StackID, _ activity: Activity = .running, ticks: Int64 = 1,
    samples: Int64? = nil, cpu: Int64 = 0, end: StackEnd = .complete, start: Int64 = 0
  ) {
    profile.runs.append(
      Run(
        thread: thread, stack: stack, end: end, activity: activity, start: start,
        weight: Weight(
          samples: samples ?? ticks, ticks: ticks, cpu: cpu, wall: ticks * 10_000_000)))
  }
}

extension Activity {
  static func asleep(in call: String?) -> Activity { .blocked(WaitReason(systemCall: call)) }
}

/// A server with a blocked main thread, a busy worker, a waiting one, and a pool of idle ones.
enum OrderServer {
  static let source = "/home/anna/src/orderd/src/"
  static let longName =
    "std::_Function_handler<void (orders::Order const&), orders::Engine::start(std::chrono::"
    + "duration<long, std::ratio<1l, 1000l> >)::{lambda(orders::Order const&)#1}>::_M_invoke"

  static func attached() -> Profile {
    var maker = ProfileMaker()
    let stacks = Stacks(&maker)
    let main = maker.thread(4242, "orderd", isMain: true, cpu: 12_300_000)
    maker.run(main, stacks.mainWait, .asleep(in: "futex"), ticks: 987, cpu: 3_100_000)
    maker.run(main, stacks.mainPoll, .asleep(in: "epoll_wait"), ticks: 12, cpu: 8_000_000)
    maker.run(main, stacks.parse, .running, ticks: 1, cpu: 1_200_000)
    let busy = maker.thread(
      4250, "engine", cpu: 9_412_345_678, delay: 310_000_000, state: "R")
    maker.run(busy, stacks.match, .running, ticks: 512, samples: 510, cpu: 5_012_345_678)
    maker.run(busy, stacks.matchOther, .running, ticks: 301, cpu: 2_900_000_000)
    maker.run(busy, stacks.logging, .uninterruptible(WaitReason(systemCall: "write")), ticks: 40)
    maker.run(busy, stacks.recursion, .running, ticks: 90, cpu: 900_000_000)
    maker.run(busy, stacks.branchy, .waitingForCPU, ticks: 55, cpu: 599_000_000)
    for tiny in stacks.tiny { maker.run(busy, tiny, .running, ticks: 1, cpu: 500_000) }
    let timer = maker.thread(4251, "timer", cpu: 21_000_000)
    maker.run(
      timer, stacks.cut, .asleep(in: "clock_nanosleep"), ticks: 1000, cpu: 21_000_000,
      end: .truncated(.noUnwindRule))
    for number in 0..<31 {
      let worker = maker.thread(4260 + Int32(number), "worker-\(number)", cpu: 30_000)
      maker.run(worker, stacks.idle, .asleep(in: "futex"), ticks: 1000, cpu: 30_000)
    }
    let gone = maker.thread(
      4300, "resolver", cpu: 2_000_000, lastSeen: 120_000_000, state: nil, hasEnded: true)
    maker.run(gone, .empty, .unknown, ticks: 12, cpu: 2_000_000, end: .truncated(.noStack))
    describe(&maker.profile)
    return maker.profile
  }

  static func dumped() -> Profile {
    var maker = ProfileMaker(kind: .dump)
    let stacks = Stacks(&maker)
    func add(
      _ tid: Int32, _ name: String, _ stack: StackID, _ activity: Activity, isMain: Bool = false,
      cpu: Int64, call: SystemCall?, end: StackEnd = .complete
    ) {
      let thread = maker.thread(
        tid, name, isMain: isMain, lastSeen: 0, cpuSinceStart: cpu, systemCall: call)
      maker.run(thread, stack, activity, ticks: 0, samples: 1, end: end)
    }
    add(
      4242, "orderd", stacks.mainPoll, .asleep(in: "epoll_wait"), isMain: true,
      cpu: 1_234_000_000,
      call: SystemCall(
        name: "epoll_wait", arguments: [4, 0x7ffd_1234_5670, 64, UInt64(UInt32.max)]))
    for number in 0..<31 {
      add(
        4260 + Int32(number), "worker-\(number)", stacks.idle, .asleep(in: "futex"),
        cpu: 4_000_000,
        call: SystemCall(
          name: "futex",
          arguments: [0x5555_0000_1000 + UInt64(number) * 0x100, 0x189, 0, 0, 0, .max]))
    }
    add(
      4251, "timer", stacks.cut, .asleep(in: "clock_nanosleep"), cpu: 21_000_000,
      call: SystemCall(name: "clock_nanosleep", arguments: [0, 0, 0x7f00_dead_b000, 0]),
      end: .truncated(.noUnwindRule))
    add(
      4252, "flusher", stacks.logging, .uninterruptible(WaitReason(systemCall: "write")),
      cpu: 800_000_000,
      call: SystemCall(name: "write", arguments: [7, 0x7f00_0000_1000, 131_072]))
    add(4250, "engine", stacks.match, .running, cpu: 99_412_345_678, call: nil)
    add(
      4301, "gone", .empty, .unknown, cpu: 0, call: nil, end: .truncated(.noStack))
    describe(&maker.profile)
    return maker.profile
  }

  private static func describe(_ profile: inout Profile) {
    profile.capture.executable = "/opt/orderd/bin/orderd"
    profile.capture.commandLine = ["orderd", "--config", "/etc/orderd.conf"]
    profile.capture.hostName = "build7"
    profile.capture.kernel = "6.18.0"
    profile.capture.startTime = 1_790_000_000.25
    profile.capture.notes = [.traced(by: "gdb", pid: 977)]
    var cost = CaptureCost()
    if profile.capture.kind == .dump {
      profile.capture.ending = .once
      profile.capture.rate = 0
      profile.capture.duration = 2_140_000
      (cost.samplesWithoutStop, cost.stops) = (35, 1)
      (cost.pauseMedian, cost.pause99, cost.pauseMax) = (41_200, 41_200, 41_200)
    } else {
      profile.capture.duration = 10_000_000_000
      (cost.ticksPlanned, cost.ticksTaken, cost.ticksLate) = (1000, 998, 3)
      (cost.samplesWithoutStop, cost.stops) = (33_204, 961)
      (cost.pauseMedian, cost.pause99, cost.pauseMax) = (12_400, 48_000, 112_000)
      (cost.stoppedTime, cost.ownCPU) = (14_100_000, 181_000_000)
    }
    profile.capture.cost = cost
  }

  /// The stacks of the server, outermost frame first.
  struct Stacks {
    let mainWait, mainPoll, parse, match, matchOther, logging, recursion, branchy, idle,
      cut: StackID
    let tiny: [StackID]

    init(_ maker: inout ProfileMaker) {
      let app = maker.module("/opt/orderd/bin/orderd")
      let libc = maker.module("/usr/lib/x86_64-linux-gnu/libc.so.6")
      let plugin = maker.module("/opt/orderd/lib/plugins/libpricing_without_debug_data.so.2.11.0")
      func line(_ function: String, _ file: String, _ line: Int, inlined: Bool = false)
        -> SourceLine
      {
        SourceLine(
          function: function, file: OrderServer.source + file, line: line, isInlined: inlined)
      }
      func libcFrame(_ name: String) -> FrameID {
        maker.frame(SourceLine(function: name), in: libc)
      }
      let start = maker.frame(SourceLine(function: "_start"), in: app)
      let startMain = libcFrame("__libc_start_main@@GLIBC_2.34")
      let mainFrame = maker.frame(line("main", "main.cpp", 41), in: app)
      let turn = maker.frame(
        line("EventLoop::poll(int)", "loop.cpp", 88, inlined: true),
        line("EventLoop::run()", "loop.cpp", 61), in: app)
      let epoll = libcFrame("epoll_wait")
      let click = maker.frame(line("Book::onClick(Event const&)", "ui/book.cpp", 212), in: app)
      let lock = libcFrame("pthread_mutex_lock")
      let futex = libcFrame("__lll_lock_wait")
      let parse = maker.frame(line("parse_header", "wire/parse.c", 77), in: app)
      let thread = libcFrame("start_thread")
      let clone = libcFrame("clone3")
      let handler = maker.frame(line(OrderServer.longName, "engine/engine.cpp", 140), in: app)
      let engine = maker.frame(
        line("orders::Engine::loop()", "engine/engine.cpp", 118), in: app)
      let match = maker.frame(
        line("orders::Price::operator<(orders::Price) const", "engine/price.h", 19, inlined: true),
        line("orders::Book::match(orders::Order&)", "engine/book.cpp", 301), in: app)
      let matchOther = maker.frame(
        line("orders::Book::match(orders::Order&)", "engine/book.cpp", 307), in: app)
      let log = maker.frame(line("Log::flush()", "util/log.cpp", 55), in: app)
      let write = libcFrame("write")
      let walk = maker.frame(line("Tree::walk(Node*)", "util/tree.cpp", 12), in: app)
      let visit = maker.frame(line("Tree::visit(Node*)", "util/tree.cpp", 33), in: app)
      let wait = libcFrame("pthread_cond_wait")
      let pool = maker.frame(
        line("ThreadPool::work(unsigned long)", "util/thread_pool.cpp", 64), in: app)
      let nap = libcFrame("clock_nanosleep")
      let small = (0..<12).map { number in
        maker.frame(line("audit_rule_\(number)", "engine/audit.cpp", 20 + number), in: app)
      }
      let pricing = maker.unnamedFrame(in: plugin)
      let entry = [start, startMain, mainFrame]
      let worker = [clone, thread, handler, engine]
      mainWait = maker.stack(outermostFirst: entry + [turn, click, lock, futex])
      mainPoll = maker.stack(outermostFirst: entry + [turn, epoll])
      self.parse = maker.stack(outermostFirst: entry + [turn, parse])
      self.match = maker.stack(outermostFirst: worker + [match])
      self.matchOther = maker.stack(outermostFirst: worker + [matchOther])
      logging = maker.stack(outermostFirst: worker + [log, write])
      recursion = maker.stack(
        outermostFirst: worker + Array(repeating: walk, count: 40) + [visit, walk, visit])
      branchy = maker.stack(outermostFirst: worker + [match, pricing])
      idle = maker.stack(outermostFirst: [clone, thread, pool, wait])
      cut = maker.stack(outermostFirst: [pricing, nap])
      tiny = small.map { maker.stack(outermostFirst: worker + [$0]) }
    }
  }
}
