import Foundation
import ProfileExport
import ProfileModel
import TestSupport
import Testing

/// What can be checked of a page without a browser.
@Suite struct `A page as a file` {
  static func page(_ profile: Profile) -> String {
    var text = ""
    PageExporter().write(profile, to: &text)
    return text
  }

  private func count(_ part: String, in text: String) -> Int {
    text.components(separatedBy: part).count - 1
  }

  /// The profile that a page holds.
  private func profile(in text: String) throws -> [String: Any] {
    let document = try #require(
      text.components(separatedBy: "id=\"document\">").last?.components(separatedBy: "</script>")
        .first)
    let object = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any]
    return try #require((object?["profiles"] as? [[String: Any]])?.first)
  }

  @Test func `says what waits are for, and in which of them threads rest`() throws {
    let profile = try profile(in: Self.page(RestingThreads.profile))
    let kinds = try #require(profile["kinds"] as? [[String: Any]])
    let words = kinds.map { kind in
      let texts = ["wait", "group", "aim"].map { kind[$0] as? String ?? "-" }
      let rest = (kind["rest"] as? Bool).map { $0 ? "rests" : "waits" } ?? "-"
      return (texts + [rest]).joined(separator: ", ")
    }
    #expect(
      Set(words) == [
        "poll, io, waiting for events on its descriptors, rests",
        "read, io, waiting to read from a descriptor, waits",
        "clock_nanosleep, sleep, sleeping, rests", "-, -, -, -",
      ])
  }

  @Test func `knows no language of what ran between two samples`() throws {
    var maker = PageMaker()
    let module = maker.module("/bin/sleeper")
    let thread = maker.thread(4242, "sleeper", isMain: true)
    let asleep = Activity.blocked(WaitReason(systemCall: "read"))
    for tick in 1...3 {
      let stack = maker.stack(["main", "read"], in: module)
      maker.sample(thread, stack, asleep, at: Int64(tick) * 10_000_000)
    }
    maker.ranUnseen(thread, cpu: 5_000_000)
    let profile = try profile(in: Self.page(maker.profile()))
    let functions = try #require(profile["functions"] as? [[Any]])
    let names = functions.compactMap { $0.first as? String }
    #expect(names.contains(ProfileBuilder.unseenName), "\(names)")
    // 0 is native code; 1 would be Python.
    #expect(functions.allSatisfy { $0.last as? Int == 0 }, "\(functions)")
  }

  @Test func `has three scripts and one title, whatever names say`() throws {
    let text = Self.page(HostileProfile.profile)
    #expect(count("<script", in: text) == 3)
    #expect(count("</script", in: text) == 3)
    #expect(count("<title", in: text) == 1)
    #expect(count("<!--", in: text) == 0)
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    #expect(!text.unicodeScalars.contains { $0.value == 0x2028 || $0.value == 0x2029 })
    let profile = try profile(in: text)
    let threads = try #require(profile["threads"] as? [[String: Any]])
    #expect(threads.compactMap { $0["name"] as? String } == HostileProfile.names)
  }

  @Test func `forbids all but its own script and style, and names no other place`() throws {
    let text = Self.page(ServedRequests.profile(seed: 1, isAfter: false))
    let policy = try #require(
      text.components(separatedBy: "Content-Security-Policy\" content=\"").last?
        .components(separatedBy: "\"").first)
    for part in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-"] {
      #expect(policy.contains(part))
    }
    #expect(!policy.contains("unsafe"))
    // The name space of SVG is a name, and no address to go to.
    let addresses = count("http://", in: text) + count("https://", in: text)
    #expect(addresses == count("http://www.w3.org/2000/svg", in: text))
    #expect(text.contains("<title>served (pid 4242) · 2023-11-14 22:13 UTC · sprof</title>"))
  }

  @Test func `of a capture is that of its export, and smaller than its columns would be`() throws {
    let folder = try TemporaryFolder()
    let stacks = folder.path + "/a.folded"
    try (0..<500).map { "main;work_\($0);leaf \($0 + 1)\n" }.joined()
      .write(toFile: stacks, atomically: false, encoding: .utf8)
    let page = folder.path + "/a.html"
    let written = try SprofCommand.run(["report", stacks, "--html", page])
    #expect(written.status == 0, "\(written.stderr)")
    #expect(written.stdout.isEmpty)
    let exported = try SprofCommand.run(["export", stacks, "--to", "html"])
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(exported.stdout == text)
    #expect(text.contains("\"isPacked\":true"))
    #expect(text.hasSuffix("</html>\n"))
    // An older page is overwritten.
    #expect(try SprofCommand.run(["report", stacks, "--html", page]).status == 0)
  }

  @Test func `has the lines of source that were seen, and reads no other file`() throws {
    let folder = try TemporaryFolder()
    let program = try RunningProgram(fixture: "sleepers.c", ["1", "1"])
    let (file, page) = (folder.path + "/a.pb.gz", folder.path + "/a.html")
    let outcome = try SprofCommand.run(
      ["attach", "\(program.pid)", "--duration", "500ms", "-o", file, "--html", page, "--source"])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let source = try String(contentsOfFile: Repository.path("Fixtures/sleepers.c"), encoding: .utf8)
    let seen = try #require(source.split(separator: "\n").first { $0.contains("compute(") })
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("\"sources\":[{"))
    #expect(text.contains(seen.trimmingCharacters(in: .whitespaces).prefix(20)))
    let plain = folder.path + "/b.html"
    #expect(try SprofCommand.run(["report", file, "--html", plain]).status == 0)
    #expect(!(try String(contentsOfFile: plain, encoding: .utf8)).contains("\"sources\":["))
    // A page for strangers has none: that is refused.
    let before = try String(contentsOfFile: plain, encoding: .utf8)
    let redacted = ["report", file, "--html", plain, "--source", "--redact"]
    #expect(try SprofCommand.run(redacted).status == 64)
    #expect(try String(contentsOfFile: plain, encoding: .utf8) == before)
    try program.assertUntouched(progress: "iterations")
    #expect(strayChildren() == [])
  }

  @Test(arguments: [
    ["report", "a.pb.gz", "--html", "b.html", "--json"],
    ["compare", "a", "b", "--html", "c.html", "--markdown"], ["report", "a.pb.gz", "--html", ""],
  ])
  func `is refused with options that it cannot go with`(arguments: [String]) throws {
    let outcome = try SprofCommand.run(arguments)
    #expect(outcome.status == 64, "\(outcome.stderr)")
    #expect(outcome.stderr.contains("--html"))
  }
}
