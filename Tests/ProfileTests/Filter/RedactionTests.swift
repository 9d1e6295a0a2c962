internal import ProfileAnalysis
internal import ProfileExport
internal import ProfileModel
internal import Testing

@Suite struct `A redacted profile` {
  private func redacted() -> (Profile, String) {
    var maker = WaitMaker(kind: .dump)
    maker.locked(4242, "anna-main", by: .thread(tid: 4243))
    maker.thread(4243, "net", "recv fetch start_thread", .asleep(in: "recvfrom"))
    var wait = Wait.pipe(.receive, peers: [.process(pid: 9, tid: nil, name: "anna")])
    wait.descriptors = [
      WaitDescriptor(
        number: 4, kind: .tcpSocket, name: "10.1.2.3:5000", peerAddress: "93.184.1.2:443"),
      WaitDescriptor(
        number: 5, kind: .tcpSocket, name: "127.0.0.1:5000", peerAddress: "127.0.0.1:5432"),
      WaitDescriptor(number: 6, kind: .file, name: "/home/anna/secret/plan.txt"),
    ]
    maker.wait(4243, wait)
    var profile = maker.profile
    profile.threads[1].process = OwningProcess(pid: 4243, name: "doris-worker")
    profile.capture.hostName = "build7"
    profile.capture.executable = "/home/anna/bin/app"
    profile.capture.commandLine = [
      "/home/anna/bin/app", "--token=abc123", "-pgeheim", "--user", "bob",
    ]
    profile.capture.notes = ["held by gdb of anna on build7", "in /root/x and /rootfs/y"]
    let python = Frame.interpreted(
      SourceLine(function: "serve", file: "/home/doris/serve.py", line: 3))
    let frame = profile.stacks.id(of: python)
    profile.symbols.append(ResolvedFrame(unknown: python))
    profile.runs.append(
      Run(
        thread: 1, stack: profile.stacks.stack(of: frame, calledBy: .empty), end: .complete,
        activity: .running, start: 0, weight: Weight(samples: 9, ticks: 9)))
    // The frame of a task in a stack.
    for name in ["<task fetch carla of /srv/me/jobs>", "<task carla> (awaited by several)"] {
      let marker = Frame.interpreted(SourceLine(function: name))
      let id = profile.stacks.id(of: marker)
      profile.symbols.append(ResolvedFrame(unknown: marker))
      let stack = profile.stacks.stack(of: id, calledBy: .empty)
      profile.runs.append(
        Run(
          thread: 1, stack: stack, end: .complete, activity: .running, start: 0,
          weight: Weight(samples: 9, ticks: 9)))
    }
    let line = SourceLine(function: "poll /srv/me/x", file: "/home/carla/app.py", line: 3)
    let task = AsyncTask(
      address: RemoteAddress(1), name: "job of carla", tid: 4243, state: .suspended, stack: 0)
    profile.tasks = [AsyncTasks(pid: 4242, tasks: [task], stacks: [[line]])]
    profile.modules.append(Module(path: "/data/homes/anna/lib.so"))
    profile.modules.append(Module(path: "/srv/me/lib.so"))
    let result = Redaction(home: "/srv/me", userNames: ["bob", "root"]).apply(to: profile)
    var text = ""
    JSONReport(result).write(to: &text)
    DumpReport(result).write(to: &text)
    return (result, text)
  }

  @Test func `leaves nothing that tells who and where`() {
    let (profile, text) = redacted()
    for secret in [
      "anna", "bob", "carla", "doris", "build7", "abc123", "geheim", "93.184", "10.1.2.3",
      "/srv/me", "/root/",
    ] {
      #expect(!text.contains(secret), "\(secret)")
    }
    #expect(profile.capture.commandLine.dropFirst() == ["--token=…", "-p…", "--user", "…"])
    #expect(profile.capture.executable == "~/bin/app")
  }

  @Test func `keeps what explains`() {
    let (profile, text) = redacted()
    for part in [
      "audit_lock", "bank.c", "127.0.0.1:5432", "/rootfs/y", "pthread_mutex_lock",
      "~/secret/plan.txt", "~/app.py", "job of …", "~/serve.py", "<task fetch … of ~/jobs>",
      "<task …> (awaited by several)",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(profile.threads.map(\.name) == ["…-main", "net"])
    #expect(profile.threads[1].process?.name == "…-worker")
  }
  /// The address of a peer as a redacted profile has it.
  private func redacted(peerAddress: String) -> String? {
    var maker = WaitMaker(kind: .dump)
    maker.thread(4243, "net", "recv fetch start_thread", .asleep(in: "recvfrom"))
    var wait = Wait.pipe(.receive, peers: [])
    wait.descriptors = [
      WaitDescriptor(
        number: 4, kind: .tcpSocket, name: "127.0.0.1:5000", peerAddress: peerAddress)
    ]
    maker.wait(4243, wait)
    let result = Redaction().apply(to: maker.profile)
    return result.blockings.first?.wait.descriptors.first?.peerAddress
  }

  @Test(arguments: [
    "127.0.0.1:80", "127.8.9.10:80", "localhost:80", "0.0.0.0:80", "*:80", "[::1]:80", "[::]:80",
    "::1:80", "[::ffff:127.0.0.1]:80",
  ])
  func `keeps an address of the machine itself`(address: String) {
    #expect(redacted(peerAddress: address) == address)
  }

  @Test(arguments: [
    "localhost.evil.com:80", "127.evil.com:80", "127.0.0.1.evil.com:80", "127.0.0.1000:80",
    "::1234:80", "[::1234]:80", "[::1]evil:80", "[::ffff:127.evil]:80", "[::ffff:10.0.0.1]:80",
    "0.0.0.0.evil.com:80", "*.evil.com:80",
  ])
  func `masks an address that only begins like one of the machine itself`(address: String) {
    #expect(redacted(peerAddress: address) == "…:80")
  }
}
