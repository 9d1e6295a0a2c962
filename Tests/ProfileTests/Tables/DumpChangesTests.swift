internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Changes of a dump` {
  private func dump(_ name: String, _ executable: String?) -> Profile {
    var profile = OrderServer.dumped()
    profile.capture.processName = name
    profile.capture.executable = executable
    return profile
  }

  private func text(from old: Profile, to new: Profile) -> String {
    var text = ""
    DumpChanges(from: old, to: new).write(to: &text, stamp: "12:00:00.0")
    return text
  }

  @Test func `name the program that was executed`() {
    let old = dump("sh", "/bin/dash")
    let text = text(from: old, to: dump("sleep", "/bin/sleep"))
    #expect(text.contains("the process executed sleep; it ran sh before"), "\(text)")
    for same in ["/bin/dash", "/bin/dash (deleted)", nil] {
      #expect(!self.text(from: old, to: dump("renamed", same)).contains("executed"))
    }
  }
}
