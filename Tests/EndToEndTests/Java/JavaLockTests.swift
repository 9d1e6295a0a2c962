import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: JavaRelease.isThere, "needs a JDK")) struct `Locks of Java` {
    @Test(
      arguments: Repository.pairs(
        JavaRelease.all, ["monitors", "mixed", "locks", "readwrite", "classes"]))
    func `that wait for each other are a deadlock, with names and lines`(
      java: JavaRelease, kind: String
    ) throws {
      let program = try java.start("Locks", [kind])
      for arguments in [["dump"], ["attach", "--duration", "800ms"]] {
        let command = [arguments[0], "\(program.pid)"] + arguments.dropFirst()
        let outcome = try SprofCommand.run(command)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let text = outcome.plainWords
        #expect(text.hasPrefix("Deadlock: "), "\(java) \(kind) \(arguments): \(text.prefix(900))")
        for name in ["\"transfer\"", "\"journal\""] { #expect(text.contains(name)) }
        #expect(text.contains("Locks.java:"), "\(text.prefix(900))")
        for name in Self.locks(of: kind) { #expect(text.contains(name), "\(kind): \(name)") }
        if kind == "monitors" {
          let found = try lines(of: "java/Locks.java", containing: "takes ledger")
          #expect(text.contains("Locks.takeLedger (Locks.java:\(found.first ?? 0))"))
        }
      }
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      // Threads of the VM wake up now and then, and may be met running.
      #expect(report.cost.stops < 4)
      try program.assertUntouched()
      program.kill()
    }

    private static func locks(of kind: String) -> [String] {
      switch kind {
      case "monitors": ["Locks$Account", "Locks$Ledger"]
      case "mixed": ["Locks$Account", "ReentrantLock"]
      case "locks": ["ReentrantLock"]
      case "classes":
        ["initialisation of class Locks$First", "initialisation of class Locks$Second", "run by"]
      default: ["Locks$Account", "ReentrantReadWriteLock"]
      }
    }

    @Test(arguments: JavaRelease.all.filter(\.hasHeaders))
    func `and a mutex of C make one deadlock`(java: JavaRelease) throws {
      let program = try java.start("Native", [try java.nativeLibrary()])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)"])
      let text = outcome.plainWords
      #expect(text.hasPrefix("Deadlock: "), "\(java): \(text.prefix(900))")
      for name in ["\"transfer\"", "\"journal\"", "Native$Account", "ledger", "take_ledger"] {
        #expect(text.contains(name), "\(name): \(text.prefix(900))")
      }
      let found = try lines(of: "java/Native.java", containing: "takes the account")
      let line = try #require(found.first)
      #expect(text.contains("Native.java:\(line)"))
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Repository.pairs(JavaRelease.all, ["hung-monitor", "hung-lock"]))
    func `that a sleeping thread holds hang the main thread`(
      java: JavaRelease, kind: String
    ) throws {
      let program = try java.start("Locks", [kind])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1600ms"])
      let text = outcome.plainWords
      #expect(text.hasPrefix("Hung: "), "\(java) \(kind): \(text.prefix(900))")
      #expect(text.contains("held by \"holder\""), "\(text.prefix(900))")
      #expect(text.contains("Locks.java:"))
      #expect(text.contains(kind == "hung-monitor" ? "Locks$Account" : "ReentrantLock"))
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.all)
    func `that are taken again and again are no deadlock`(java: JavaRelease) throws {
      let program = try java.start("Locks", ["healthy"])
      for _ in 0..<5 {
        let dump = try SprofCommand.run(["dump", "\(program.pid)"])
        #expect(!dump.stdout.contains("eadlock"), "\(java): \(dump.stdout.prefix(900))")
        #expect(!dump.stdout.hasPrefix("Hung"), "\(java): \(dump.stdout.prefix(900))")
      }
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1500ms"])
      #expect(!outcome.stdout.contains("eadlock"), "\(java): \(outcome.stdout.prefix(900))")
      #expect(!outcome.stdout.hasPrefix("Hung"), "\(java): \(outcome.stdout.prefix(900))")
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: Repository.pairs(JavaRelease.all, ["turns-monitor", "turns-lock"]))
    func `that threads take in turn are told, with who holds them`(
      java: JavaRelease, kind: String
    ) throws {
      let program = try java.start("Locks", [kind])
      let lock = kind == "turns-monitor" ? "the monitor of a java.lang.Class" : "a ReentrantLock"
      let holder = kind == "turns-monitor" ? "Locks.balance" : "Locks.book"
      // One sample may meet a thread on a CPU, but not a program at rest.
      let dumps = try (0..<6).map { _ in
        try SprofCommand.run(["dump", "\(program.pid)"]).plainWords
      }
      #expect(!dumps.contains { $0.hasPrefix("Idle") }, "\(java): \(dumps[0].prefix(1500))")
      let waiting = dumps.filter { $0.hasPrefix("Waiting: \"clerk-") && $0.contains(lock) }
      #expect(!waiting.isEmpty, "\(java): \(dumps[0].prefix(1500))")
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "3s", "--view", "blockers", "-o", file])
      let text = outcome.plainWords
      #expect(text.contains(lock) && text.contains("\"clerk-"), "\(java): \(text.prefix(2500))")
      #expect(text.contains(holder), "\(java): \(text.prefix(2500))")
      let verdict = try SprofCommand.run(["report", file])
      #expect(verdict.plainWords.hasPrefix("Waiting: "), "\(verdict.stdout.prefix(2500))")
      #expect(verdict.plainWords.contains(lock), "\(verdict.stdout.prefix(2500))")
      try program.assertUntouched()
      program.kill()
    }

    // A main thread that has nothing to do may wait for its own end, which never comes.
    @Test(arguments: JavaRelease.all, ["rest", "rest-joining"])
    func `of pools without work are a program at rest`(java: JavaRelease, kind: String) throws {
      let program = try java.start("Locks", [kind])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1500ms"])
      #expect(outcome.stdout.hasPrefix("Idle: "), "\(java): \(outcome.stdout.prefix(1500))")
      try program.assertUntouched()
      program.kill()
    }
  }
}

extension CommandOutcome {
  /// What it printed, in one line with single spaces.
  var plainWords: String { stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
