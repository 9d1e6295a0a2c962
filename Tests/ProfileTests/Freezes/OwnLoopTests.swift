internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// Programs whose main thread has an event loop that no library knows.
@Suite struct `Freezes in a loop of the program's own` {
  private static let main = "main __libc_start_main"

  private static func program(
    _ kind: CaptureInfo.Kind = .attach, loop: String = main, call: String = "epoll_wait",
    turns: Int = 4, _ freeze: (inout FreezeMaker, Int) -> Void
  ) -> FreezeMaker {
    var maker = FreezeMaker(kind: kind)
    for turn in 0..<turns {
      maker.run("libc.so.6/\(call) \(loop)", .asleep(in: call), milliseconds: 500)
      maker.run("libc.so.6/read \(loop)", milliseconds: 10)
      freeze(&maker, turn)
    }
    maker.run("libc.so.6/\(call) \(loop)", .asleep(in: call), milliseconds: 500)
    return maker
  }

  @Test(arguments: [main, "event_loop start main __libc_start_main"])
  func `are what a handler computes, sleeps and waits`(loop: String) {
    let maker = Self.program(loop: loop) { maker, turn in
      switch turn {
      case 0: maker.run("now handle \(loop)", milliseconds: 400)
      case 1:
        maker.run(
          "libc.so.6/nanosleep nap handle \(loop)", .asleep(in: "clock_nanosleep"),
          milliseconds: 400)
      case 2:
        maker.run(
          "pthread_mutex_lock handle \(loop)", .asleep(in: "futex"), milliseconds: 300)
      default: maker.run("now handle \(loop)", milliseconds: 20)
      }
    }
    let freezes = maker.freezes
    #expect(freezes.map(\.length) == [400_000_000, 400_000_000, 300_000_000])
    #expect(freezes.allSatisfy { $0.loop == .own && $0.handler?.line.function == "handle" })
    #expect(maker.diagnosis().verdict.kind == .froze)
    #expect(maker.words().contains("its own event loop"), "\(maker.words())")
  }

  @Test func `are found where what it waits for shows the loop`() {
    var maker = Self.program(loop: "serve main", call: "poll") { maker, turn in
      if turn == 1 { maker.run("parse answer serve main", milliseconds: 300) }
    }
    #expect(maker.freezes.isEmpty)
    let listening = WaitDescriptor(number: 3, kind: .tcpSocket, name: "", state: .listening)
    maker.maker.wait(
      4242, Wait(kind: .poll, systemCall: "poll", descriptors: [listening]),
      to: 100_000_000)
    #expect(maker.freezes.map(\.length) == [300_000_000])
    #expect(maker.freezes.first?.handler?.line.function == "answer")
  }

  @Test func `are not what main does before the loop and after it`() {
    var maker = FreezeMaker(kind: .run)
    maker.run("load \(Self.main)", milliseconds: 900)
    for _ in 0..<4 {
      maker.run("libc.so.6/epoll_wait \(Self.main)", .asleep(in: "epoll_wait"), milliseconds: 300)
      maker.run("handle \(Self.main)", milliseconds: 20)
    }
    #expect(maker.freezes.isEmpty)
  }

  @Test func `are not claimed of one that never came back, or polls as it computes`() {
    var maker = FreezeMaker()
    maker.run("libc.so.6/epoll_wait \(Self.main)", .asleep(in: "epoll_wait"), milliseconds: 900)
    maker.run("crunch \(Self.main)", milliseconds: 3000)
    #expect(maker.freezes.isEmpty)
    var polling = FreezeMaker()
    for _ in 0..<5 {
      polling.run("crunch \(Self.main)", milliseconds: 700)
      polling.run("libc.so.6/epoll_wait \(Self.main)", milliseconds: 10)
    }
    #expect(polling.freezes.isEmpty)
  }
}
