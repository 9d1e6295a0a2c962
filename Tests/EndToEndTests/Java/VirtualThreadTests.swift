import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.enabled(if: JavaRelease.isThere, "needs a JDK")) struct `Virtual threads` {
    @Test(
      arguments: Repository.pairs(
        JavaRelease.withVirtualThreads, ["locks", "monitors", "mixed", "timed"]))
    func `that wait for each other are a deadlock, with names and lines`(
      java: JavaRelease, kind: String
    ) throws {
      // Of JDK 21 to 23 a virtual thread keeps the thread that runs it while it waits for a monitor.
      let program = try java.start(
        "Virtual", [kind], flags: ["-Djdk.virtualThreadScheduler.parallelism=4"])
      for arguments in [["dump"], ["attach", "--duration", "800ms"]] {
        let command = [arguments[0], "\(program.pid)"] + arguments.dropFirst()
        let outcome = try SprofCommand.run(command)
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let text = outcome.plainWords
        #expect(text.hasPrefix("Deadlock: "), "\(java) \(kind) \(arguments): \(text.prefix(900))")
        for name in ["\"transfer\" (", "\"journal\" (virtual thread ", "closing the cycle"] {
          #expect(text.contains(name), "\(java) \(kind): \(text.prefix(900))")
        }
        let waiting = try lines(of: "java/Virtual.java", containing: Self.mark(of: kind))
        let place = "\(Self.function(of: kind)) (Virtual.java:\(waiting.first ?? 0))"
        #expect(text.contains(place), "\(java) \(kind): \(text.prefix(900))")
        #expect(text.contains("with a timeout") == (kind == "timed"))
      }
      let report = try SprofCommand.report(["dump", "\(program.pid)"])
      #expect(report.cost.stops < 4)
      try program.assertUntouched()
      program.kill()
    }

    private static func mark(of kind: String) -> String {
      switch kind {
      case "monitors": "takes ledger"
      case "mixed": "takes account"
      case "timed": "tries lock"
      default: "takes lock"
      }
    }

    private static func function(of kind: String) -> String {
      switch kind {
      case "monitors": "Virtual.takeLedger"
      case "mixed": "Virtual.takeAccount"
      case "timed": "Virtual.tryLock"
      default: "Virtual.takeLock"
      }
    }

    @Test(
      arguments: Repository.pairs(
        JavaRelease.withVirtualThreads,
        [
          "-Xint", "-Xcomp", "-XX:+UseZGC", "-XX:-UseCompressedOops",
          "-XX:+UseCompactObjectHeaders",
        ]))
    func `are read whatever the VM makes of their code and of their heap`(
      java: JavaRelease, flag: String
    ) throws {
      // Not all versions know all flags.
      let program = try java.start(
        "Virtual", ["locks"], flags: ["-XX:+IgnoreUnrecognizedVMOptions", flag])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--all"])
      let text = outcome.plainWords
      #expect(text.hasPrefix("Deadlock: "), "\(java) \(flag): \(text.prefix(900))")
      for name in ["Virtual.takeLock", "Virtual.lambda$deadlock$", "java.lang.VirtualThread.run"] {
        #expect(text.contains(name), "\(java) \(flag): \(text.suffix(2500))")
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `at rest are put together, and no reason to call a server hung`(java: JavaRelease) throws {
      let program = try java.start("Virtual", ["rest", "10000"])
      let outcome = try SprofCommand.run(["dump", "\(program.pid)", "--json"])
      let report = try #require(
        JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any])
      let lists = try #require(report["virtual_threads"] as? [[String: Any]])
      let list = try #require(lists.first)
      #expect(list["count"] as? Int == 10_003)
      #expect(list["version"] as? String == "JDK \(java.version)")
      let groups = try #require(list["groups"] as? [[String: Any]])
      let mail = try #require(groups.first)
      #expect(mail["count"] as? Int == 10_000)
      #expect(mail["state"] as? String == "waiting")
      #expect((mail["wait"] as? [String: Any])?["kind"] as? String == "condition_variable")
      let stacks = try #require(list["stacks"] as? [[[String: Any]]])
      let stack = stacks[try #require(mail["stack"] as? Int)]
      let read = try #require(stack.first { $0["function"] as? String == "Virtual.readMail" })
      let line = try lines(of: "java/Virtual.java", containing: "reads mail").first
      #expect(read["line"] as? Int == line)
      for arguments in [["dump"], ["attach", "--duration", "1500ms"]] {
        let command = [arguments[0], "\(program.pid)"] + arguments.dropFirst()
        let text = try SprofCommand.run(command).plainWords
        #expect(text.hasPrefix("Idle: "), "\(java) \(arguments): \(text.prefix(1500))")
        #expect(text.contains("10003 virtual threads: "), "\(text.prefix(1500))")
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `that wait for one lock are told with who holds it`(java: JavaRelease) throws {
      let program = try java.start("Virtual", ["crowd", "1000"])
      let text = try SprofCommand.run(["dump", "\(program.pid)"]).plainWords
      let line = try lines(of: "java/Virtual.java", containing: "takes lock").first ?? 0
      let start =
        "Waiting: 1000 virtual threads are waiting for a ReentrantLock in Virtual.takeLock "
        + "(Virtual.java:\(line)), held by \"holder\" ("
      #expect(text.hasPrefix(start), "\(java): \(text.prefix(1500))")
      #expect(
        text.contains("Virtual threads ×1000 waiting for a ReentrantLock, held by \"holder\""))
      let folder = try TemporaryFolder()
      let file = folder.path + "/capture"
      _ = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1200ms", "-o", file])
      let report = try SprofCommand.run(["report", file]).plainWords
      #expect(report.hasPrefix(start), "\(java): \(report.prefix(1500))")
      #expect(report.contains("Virtual.takeLock Virtual.java:\(line)"), "\(report.prefix(2500))")
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `that sleep with a lock hang the main thread`(java: JavaRelease) throws {
      let program = try java.start("Virtual", ["hung"])
      let outcome = try SprofCommand.run(["attach", "\(program.pid)", "--duration", "1600ms"])
      let text = outcome.plainWords
      #expect(text.hasPrefix("Hung: the main thread ("), "\(java): \(text.prefix(900))")
      let line = try lines(of: "java/Virtual.java", containing: "// sleeps").first ?? 0
      #expect(text.contains("for a ReentrantLock, held by \"holder\" (virtual thread "))
      #expect(
        text.contains("in Virtual.sleep (Virtual.java:\(line)), is sleeping"),
        "\(java): \(text.prefix(1500))")
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `that take locks in turn are no deadlock`(java: JavaRelease) throws {
      let program = try java.start("Virtual", ["work"])
      for _ in 0..<8 {
        let dump = try SprofCommand.run(["dump", "\(program.pid)"])
        #expect(!dump.stdout.contains("eadlock"), "\(java): \(dump.stdout.prefix(900))")
        #expect(!dump.stdout.hasPrefix("Hung"), "\(java): \(dump.stdout.prefix(900))")
      }
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `that a thread runs are named`(java: JavaRelease) throws {
      let program = try java.start("Virtual", ["runs"])
      let text = try SprofCommand.run(["dump", "\(program.pid)"]).plainWords
      #expect(text.contains("running virtual thread"), "\(java): \(text.prefix(2500))")
      #expect(text.contains("\"busy\""), "\(java): \(text.prefix(2500))")
      try program.assertUntouched()
      program.kill()
    }

    @Test(arguments: JavaRelease.withVirtualThreads)
    func `that the program does not list are said to be missing`(java: JavaRelease) throws {
      let program = try java.start(
        "Virtual", ["rest", "100"], flags: ["-Djdk.trackAllThreads=false"])
      let text = try SprofCommand.run(["dump", "\(program.pid)"]).plainWords
      #expect(text.contains("100 virtual threads in 1 place"), "\(java): \(text.suffix(1500))")
      #expect(text.contains("jdk.trackAllThreads is false"), "\(java): \(text.suffix(1500))")
      try program.assertUntouched()
      program.kill()
    }
  }
}
