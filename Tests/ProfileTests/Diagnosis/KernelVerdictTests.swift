internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// Verdicts on programs that the kernel keeps from running, works in, or lets sprof see in part only.
extension `The verdict` {
  @Test func `of a frozen program says how to thaw it, whatever its control group is called`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "poll main", .asleep(in: "poll"))
    let control = WaitDescriptor(number: -1, kind: .file, name: "/cg/it's; rm/cgroup.freeze")
    maker.wait(4242, Wait(kind: .frozen, systemCall: "poll", descriptors: [control]))
    #expect(maker.verdict.kind == .frozen)
    let text = ReportHead.text(maker.profile, ReportOptions())
    #expect(text.contains("Thaw it with: echo 0 > '/cg/it'\\''s; rm/cgroup.freeze'"), "\(text)")
    // One of its threads is in a group of its own.
    maker.thread(4243, "worker", "crunch work start_thread", .running)
    #expect(maker.verdict.kind == .hung)
    let hung = ReportHead.text(maker.profile, ReportOptions())
    #expect(hung.contains("is frozen by its control group /cg/it's; rm"), "\(hung)")
  }

  @Test func `does not hang on the kernel's workers`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "epoll_wait main", .asleep(in: "epoll_wait"))
    maker.thread(4243, "iou-wrk-4242", "", .blocked(WaitReason(systemCall: nil)))
    maker.wait(4243, Wait(kind: .kernelWork, kernelFunction: "io_wq_worker"))
    #expect(maker.verdict.kind == .idle)
    #expect(maker.diagnosis.situations[1]?.idleness == .workerPool(.ioUring))
  }

  @Test func `says what was not sampled`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "epoll_wait main", .asleep(in: "epoll_wait"))
    func words() -> String {
      ReportHead.text(maker.profile, ReportOptions()).split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
    #expect(!words().contains("not sampled"))
    maker.maker.profile.capture.unsampled = CaptureInfo.Unsampled(threads: 664)
    #expect(words().contains("). 664 threads were not sampled."), "\(words())")
    maker.maker.profile.capture.unsampled = CaptureInfo.Unsampled(threads: 1, processes: 2)
    #expect(words().contains("). 1 thread and 2 processes were not sampled."))
  }
}
