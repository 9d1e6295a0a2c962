import Foundation
import Glibc
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

/// What the threads of the fixture `waits locks` wait for.
struct LockRow: Sendable, CustomTestStringConvertible {
  let thread: String
  let kind: WaitKind
  var variable: String?
  var field: String?
  var flavor: String?
  /// The thread that holds it; nil for no claim.
  var holder: String?

  var testDescription: String { thread }

  static let glibc = [
    LockRow(thread: "normal", kind: .mutex, variable: "normal_lock", holder: "holder"),
    LockRow(
      thread: "recursive", kind: .mutex, variable: "recursive_lock", flavor: "recursive",
      holder: "holder"),
    LockRow(
      thread: "checked", kind: .mutex, variable: "checked_lock", flavor: "error-checking",
      holder: "holder"),
    LockRow(
      thread: "adaptive", kind: .mutex, variable: "adaptive_lock", flavor: "adaptive",
      holder: "holder"),
    LockRow(
      thread: "inheriting", kind: .mutex, variable: "inheriting_lock",
      flavor: "priority-inheriting", holder: "holder"),
    LockRow(
      thread: "robust", kind: .mutex, variable: "robust_lock", flavor: "robust", holder: "holder"),
    LockRow(
      thread: "inherited", kind: .mutex, variable: "inherited_lock", flavor: "robust",
      holder: "heir"),
    LockRow(thread: "heap", kind: .mutex, holder: "holder"),
    LockRow(
      thread: "array", kind: .mutex, variable: "ledger", field: ".accounts[3].lock",
      holder: "holder"),
    LockRow(thread: "timed", kind: .mutex, variable: "timed_lock", holder: "holder"),
    LockRow(thread: "self", kind: .mutex, variable: "self_lock", holder: "self"),
    LockRow(thread: "relock", kind: .mutex, variable: "relocked_lock", holder: "holder"),
    LockRow(thread: "read_lock", kind: .readLock, variable: "written_lock", holder: "holder"),
    LockRow(thread: "write_lock", kind: .writeLock, variable: "written_lock", holder: "holder"),
    LockRow(thread: "condition", kind: .conditionVariable, variable: "condition"),
    LockRow(thread: "cond_timed", kind: .conditionVariable, variable: "condition"),
    LockRow(thread: "semaphore", kind: .semaphore, variable: "semaphore"),
    LockRow(thread: "barrier", kind: .barrier, variable: "barrier"),
    LockRow(thread: "once", kind: .onceInitializer, variable: "once"),
    LockRow(thread: "join", kind: .join, holder: "holder"),
    LockRow(thread: "futex", kind: .futex, variable: "raw_futex"),
    LockRow(thread: "initializer", kind: .signal),
  ]

  /// musl records no owner of plain mutexes and read-write locks, and lets threads wait for
  /// conditions and barriers on their own stacks.
  static let musl = glibc.map { row in
    var row = row
    switch row.thread {
    case "normal", "adaptive", "heap", "array", "timed", "self", "relock", "read_lock",
      "write_lock":
      row.holder = nil
      row.flavor = nil
    case "condition", "cond_timed", "barrier": row.variable = nil
    default: break
    }
    return row
  }
}

extension Waits {
  @Suite struct `Threads that wait for locks` {
    private func expect(
      _ rows: [LockRow], of waiters: Waiters, namesVariables: Bool = true,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for row in rows {
        let wait = try waiters.wait(row.thread)
        let words: Comment = "\(row.thread): \(wait)"
        #expect(wait.kind == row.kind, words, sourceLocation: sourceLocation)
        #expect(wait.object?.flavor?.rawName == row.flavor, words, sourceLocation: sourceLocation)
        if namesVariables {
          #expect(wait.object?.variable == row.variable, words, sourceLocation: sourceLocation)
          #expect(wait.object?.field == row.field, words, sourceLocation: sourceLocation)
          let isInFile = wait.object?.file?.hasSuffix("Fixtures/waits.c") ?? false
          #expect(isInFile == (row.variable != nil), words, sourceLocation: sourceLocation)
        }
        let holder = try row.holder.map { [try waiters.owner($0)] } ?? []
        #expect(wait.owners == holder, words, sourceLocation: sourceLocation)
      }
      let readers = try waiters.wait("readers")
      #expect(readers.kind == .writeLock && readers.owners == [.readers(count: 2)])
      let known = Set(rows.filter { $0.holder != nil }.map(\.thread) + ["readers", "orphan"])
      #expect(waiters.claims(besides: known) == [], sourceLocation: sourceLocation)
    }

    @Test func `of glibc are told with lock and holder, without a stop`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["locks"])
      try program.awaitSleep()
      let waiters = try Waiters(dumping: program.pid)
      try expect(LockRow.glibc, of: waiters)
      #expect(waiters.profile.capture.cost.stops == 0)
      let orphan = try waiters.wait("orphan")
      guard case .dead(let tid) = orphan.owners.first else {
        Issue.record("\(orphan)")
        return
      }
      #expect(!waiters.profile.threads.contains { $0.tid == tid })
      #expect(try waiters.wait("heap").object?.mapping == "[heap]")
      #expect(try waiters("normal").samples == 2)
      let timed = try waiters.wait("timed")
      #expect(timed.isTimed)
      #expect((3_000_000_000_000...3_600_000_000_000).contains(timed.timeLeft ?? 0))
      #expect(try !waiters.wait("normal").isTimed)
      try program.assertUntouched()
    }

    @Test func `are told in a capture, too, with when they fell asleep`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["locks"])
      let waiters = try Waiters(attaching: program.pid, for: .milliseconds(1500))
      try expect(LockRow.glibc, of: waiters)
      let normal = try waiters("normal")
      #expect(normal.samples >= 2 && normal.firstSeen < normal.lastSeen)
      let since = try #require(normal.since)
      #expect(since < normal.firstSeen)
      #expect(waiters.profile.blockings.filter { $0.waiter.name == "normal" }.count == 1)
      try program.assertUntouched()
    }

    @Test func `of a stripped program have holders, but no names`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["locks"], flags: ["-O2", "-s"])
      let waiters = try Waiters(dumping: program.pid)
      try expect(LockRow.glibc, of: waiters, namesVariables: false)
      let object = try #require(try waiters.wait("normal").object)
      #expect(object.variable == nil && object.mapping?.hasSuffix("/waits") == true)
      try program.assertUntouched()
    }

    private static let mayAddDebugFiles =
      Repository.isRoot && Tool.isInstalled("objcopy") && Tool.isInstalled("readelf")

    @Test(.enabled(if: mayAddDebugFiles, "needs to be root, and binutils"))
    func `of a stripped program are named from its separate debug file`() throws {
      let path = try Fixture.compile(
        source: "waits.c", flags: ["-g", "-O1", "-Wl,--build-id=0x\(Self.buildID)"])
      let place = "/usr/lib/debug/.build-id/\(Self.buildID.prefix(2))"
      try FileManager.default.createDirectory(
        atPath: place, withIntermediateDirectories: true)
      let debugFile = "\(place)/\(Self.buildID.dropFirst(2)).debug"
      defer { unlink(debugFile) }
      let folder = try TemporaryFolder()
      let stripped = folder.path + "/stripped"
      for command in [
        ["objcopy", "--only-keep-debug", path, debugFile], ["strip", "-s", "-o", stripped, path],
      ] {
        let outcome = try run(command)
        try #require(outcome.status == 0, "\(outcome.stderr)")
      }
      let program = try RunningProgram([stripped, "locks"])
      let waiters = try Waiters(dumping: program.pid)
      for row in LockRow.glibc {
        let wait = try waiters.wait(row.thread)
        #expect(wait.object?.variable == row.variable, "\(row.thread): \(wait)")
        #expect(wait.owners == (try row.holder.map { [try waiters.owner($0)] } ?? []))
      }
      let array = try waiters.wait("array").object
      #expect(array?.variable == "ledger" && array?.field == ".accounts[3].lock")
      try program.assertUntouched()
    }

    /// No program's but this test's.
    private static let buildID = "5370726f66207465737420776169747300000001"

    @Test func `of an unoptimised program are told all the same`() throws {
      let program = try RunningProgram(fixture: "waits.c", ["locks"], flags: ["-O0", "-g"])
      let waiters = try Waiters(dumping: program.pid)
      try expect(LockRow.glibc, of: waiters)
      try program.assertUntouched()
    }

    @Test func `of a static program without symbols get no wrong owner`() throws {
      let program = try RunningProgram(
        fixture: "waits.c", ["locks"], flags: ["-O2", "-s", "-static"])
      let waiters = try Waiters(dumping: program.pid)
      // Only what a lock's own word proves.
      for name in ["inheriting", "robust"] {
        #expect(try waiters.wait(name).owners == [waiters.owner("holder")])
      }
      #expect(try waiters.wait("inherited").owners == [waiters.owner("heir")])
      #expect(try waiters.wait("join").owners == [waiters.owner("holder")])
      #expect(waiters.claims(besides: ["inheriting", "robust", "inherited", "join"]) == [])
      try program.assertUntouched()
    }

    @Test(
      .enabled(if: Tool.isInstalled("musl-gcc"), "needs musl"),
      arguments: [["-g", "-O1"], ["-g", "-O1", "-static"]])
    func `of musl are told, with the holders that it records`(flags: [String]) throws {
      let program = try RunningProgram(
        fixture: "waits.c", ["locks"], compiler: "musl-gcc", flags: flags)
      let waiters = try Waiters(dumping: program.pid)
      // The shared library has no symbol for the function that waits in `pthread_once`.
      let rows = LockRow.musl.filter { $0.thread != "once" || flags.contains("-static") }
      try expect(rows, of: waiters)
      try program.assertUntouched()
    }

    @Test(arguments: [2, 5])
    func `in a circle are told with the whole circle`(count: Int) throws {
      let program = try RunningProgram(fixture: "deadlock.c", ["\(count)"])
      let waiters = try Waiters(dumping: program.pid)
      for index in 0..<count {
        let blocking = try waiters("worker-\(index)")
        #expect(blocking.wait.kind == .mutex && blocking.samples >= 2)
        #expect(blocking.wait.owners == [try waiters.owner("worker-\((index + 1) % count)")])
        #expect(blocking.wait.object?.variable == "locks")
        #expect(blocking.wait.object?.field == "[\((index + 1) % count)]")
      }
      try program.assertUntouched()
    }

    @Test func `that change hands all the time are never laid to a stranger`() throws {
      let program = try RunningProgram(fixture: "contention.c")
      var claims = 0
      for _ in 0..<Repository.trials(short: 20, full: 500) {
        let waiters = try Waiters(dumping: program.pid)
        let names = Dictionary(
          waiters.profile.threads.map { ($0.tid, $0.name) }, uniquingKeysWith: { $1 })
        for blocking in waiters.profile.blockings {
          for owner in blocking.wait.owners {
            claims += 1
            guard case .thread(let tid) = owner else {
              Issue.record("\(blocking)")
              continue
            }
            // A lock's holder is one of those that fight for it, and not the one that waits.
            #expect(names[tid] == blocking.waiter.name && tid != blocking.waiter.tid, "\(blocking)")
          }
        }
      }
      #expect(claims > 0)
      try program.assertUntouched(progress: "turns")
    }

    static let mayUnshare: Bool = {
      guard Tool.isInstalled("unshare") else { return false }
      return (try? run(["unshare", "-p", "-f", "--mount-proc", "true"]))?.status == 0
    }()

    @Test(.enabled(if: mayUnshare, "needs the right to make a PID namespace"))
    func `in a PID namespace have holders by the numbers outside of it`() throws {
      let path = try Fixture.compile(source: "deadlock.c")
      let program = try RunningProgram([
        "unshare", "-p", "-f", "--mount-proc", "--kill-child", path, "2",
      ])
      let pid = try #require(TestSupport.children(of: program.pid).first)
      // The program knows its threads by small numbers.
      let inner = try #require(program.greeting.first?.split(separator: " ").last)
      let waiters = try Waiters(dumping: pid)
      let (first, second) = (try waiters("worker-0"), try waiters("worker-1"))
      #expect(first.waiter.tid != Int32(inner))
      #expect(first.wait.owners == [.thread(tid: second.waiter.tid)])
      #expect(second.wait.owners == [.thread(tid: first.waiter.tid)])
      program.kill()
    }
  }
}
