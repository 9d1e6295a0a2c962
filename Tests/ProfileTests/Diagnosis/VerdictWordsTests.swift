internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

/// What the verdict says.
extension `The verdict` {
  @Test func `comes first and is read as it was`() throws {
    var all = ""
    for (name, maker) in Self.examples {
      var text = ""
      DumpReport(maker.profile).write(to: &text)
      if maker.kind != .dump {
        text = ""
        TextReport(maker.profile, options: ReportOptions(views: [])).write(to: &text)
      }
      all += "== \(name) ==\n\(text)\n"
      for line in text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    }
    try Goldens.expect(all, toEqual: "verdicts.txt")
  }

  @Test func `says of the others at rest what is true of them`() {
    var maker = WaitMaker()
    maker.thread(4242, "", "poll g_main_context_iterate g_main_loop_run main", .asleep(in: "poll"))
    maker.thread(4243, "", "poll g_main_context_iterate start_thread", .asleep(in: "poll"))
    #expect(ReportHead.text(maker.profile).contains("GLib's main loop; so is 1 other thread"))
    maker.thread(4244, "", "clock_nanosleep job start_thread", .asleep(in: "clock_nanosleep"))
    #expect(ReportHead.text(maker.profile).contains("; 2 other threads are also idle"))
  }

  @Test func `names children of which any may end the wait`() {
    func words(_ count: Int32) -> String {
      var maker = WaitMaker()
      let call = "wait4"
      maker.thread(4242, "", "wait4 supervise main", .asleep(in: call))
      let children = (0..<count).map { WaitOwner.process(pid: 5000 + $0, tid: nil, name: "job") }
      maker.wait(4242, Wait(kind: .childProcess, systemCall: call, owners: children))
      return ReportHead.text(maker.profile).split { $0 == " " || $0 == "\n" }
        .joined(separator: " ")
    }
    let first = "for \"job\" (pid 5000)"
    #expect(words(1).contains(first + " to exit"))
    #expect(words(2).contains(first + " or \"job\" (pid 5001) to exit"))
    #expect(words(5).contains(", \"job\" (pid 5002) or 2 more to exit"))
  }

  @Test func `says nothing of a part or of another tool's profile`() {
    var maker = WaitMaker()
    maker.locked(4242, by: .thread(tid: 4242))
    var options = ReportOptions(views: [])
    options.showsVerdict = false
    #expect(!ReportHead.text(maker.profile, options).contains("Deadlock"))
    var imported = maker.profile
    imported.capture.kind = .imported
    #expect(!ReportHead.text(imported).contains("Deadlock"))
  }

  @Test func `lets no name out of its line`() {
    var maker = WaitMaker(kind: .dump)
    let evil = "a\u{1B}[31m\n\"x\"\u{202E}"
    maker.locked(4242, by: .thread(tid: 4243))
    maker.thread(
      4243, evil, "read \(String(repeating: "f", count: 3000)) start_thread", .asleep(in: "read"))
    var wait = Wait.pipe(peers: [.process(pid: 7, tid: nil, name: evil)])
    wait.descriptors[0].kind = .file
    wait.descriptors[0].name = String(repeating: "/deep", count: 400) + evil
    wait.descriptors[0].peerAddress = evil + String(repeating: "9", count: 500)
    wait.descriptors[0].state = .other(evil)
    wait.object = WaitObject(
      address: RemoteAddress(1), flavor: LockFlavor(rawName: evil), variable: evil, field: evil,
      file: evil)
    maker.wait(4243, wait)
    var text = ""
    DumpReport(maker.profile).write(to: &text)
    #expect(text.contains("Hung") || text.contains("Waiting"))
    for scalar in text.unicodeScalars {
      #expect(scalar == "\n" || scalar.value >= 0x20 && scalar != "\u{202E}")
    }
    for line in text.split(separator: "\n") { #expect(line.unicodeScalars.count <= 100) }
  }
}

/// The top of reports.
enum ReportHead {
  static func text(
    _ profile: Profile, _ options: ReportOptions = ReportOptions(views: [])
  ) -> String {
    var text = ""
    TextReport(profile, options: options).write(to: &text)
    return text
  }
}
