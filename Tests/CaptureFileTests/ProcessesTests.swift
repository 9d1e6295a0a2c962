import ProfileModel
import TestSupport
import Testing

@testable import CaptureFile

@Suite struct `A capture of several processes` {
  private func profile() -> Profile {
    var profile = RandomCapture.profile(seed: 5)
    for index in profile.threads.indices {
      profile.threads[index].process = OwningProcess(
        pid: 100 + Int32(index / 2), name: index < 2 ? "make" : "cc\"\u{1B}1")
    }
    return profile
  }

  @Test(arguments: [CaptureInfo.Kind.attach, .run])
  func `is given again by the file`(kind: CaptureInfo.Kind) throws {
    var profile = profile()
    profile.capture.kind = kind
    try #require(Set(profile.threads.map(\.process)).count > 1)
    try expectSame(
      CaptureReader.read(GzipMember.compressing(messages(of: profile)), name: "x"), profile)
  }

  @Test func `tells other tools the process of each sample`() throws {
    let profile = profile()
    let file = try PprofMessages(messages(of: profile), ReadingBudget())
    var told: [OwningProcess] = []
    try file.forEachSample { sample throws(CaptureFileError) in
      var (pid, name): (Int64, String) = (0, "")
      for label in sample.labels {
        switch try file.tables.text(label.key) {
        case "pid": pid = label.number
        case "process": name = try file.tables.text(label.text)
        default: break
        }
      }
      told.append(OwningProcess(pid: Int32(pid), name: name))
    }
    #expect(told == profile.runs.compactMap { profile.threads[$0.thread].process })
  }

  @Test func `that grows follows a process that becomes another, and forgets a lone one`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    let info = CaptureInfo(kind: .attach, pid: 100, processName: "make", rate: 100)
    let recorder = try CaptureRecorder(path: path, replacing: false, capture: info)
    func titles(after name: String, _ pid: Int32) throws -> [String] {
      var growth = ProfileGrowth()
      let thread = ThreadInfo(
        tid: pid, name: name, isMain: true, process: OwningProcess(pid: pid, name: name))
      growth.threads = [(Int(pid - 100), thread)]
      recorder.append(growth)
      return try CaptureReader.read(path: recorder.partialPath).threads.map(\.title)
    }
    #expect(try titles(after: "make", 100) == ["make"])
    #expect(try titles(after: "sh", 101) == ["make[100]/make", "sh[101]/sh"])
    #expect(try titles(after: "cc", 101) == ["make[100]/make", "cc[101]/cc"])
  }
}
