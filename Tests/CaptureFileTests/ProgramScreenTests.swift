import CaptureFile
import Foundation
import ProfileAnalysis
import ProfileExport
import ProfileModel
import TestSupport
import Testing

/// What `sprof top` draws of captures of real programs, which `Tests/Corpus/top.py` records.
@Suite struct `Screens of programs` {
  private static let sizes = [(40, 10), (80, 24), (120, 40)]

  private func picture(of program: String) throws -> LivePicture {
    let profile = try CaptureReader.read(path: Repository.path("Tests/Corpus/top/\(program).sprof"))
    let live = LiveProfile(profile)
    var picture = LivePicture(live, LivePicture.Request())
    picture.longVerdict = LivePicture.LongVerdict(live, LivePicture.Request())
    return picture
  }

  private func lines(
    _ pane: LivePane, of picture: LivePicture, width: Int, height: Int
  ) -> [String] {
    var view = LiveView()
    view.pane = pane
    var status = LiveStatus()
    status.isReplay = true
    return LiveScreen.lines(&view, picture, status, width: width, height: height).map { line in
      let text = line.map(\.text).joined()
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
  }

  @Test(arguments: ["redis", "python", "hung-gtk", "thousand", "ends", "execs"])
  func `are drawn as they were`(program: String) throws {
    let picture = try picture(of: program)
    for (width, height) in Self.sizes {
      var text = ""
      for pane in LivePane.allCases {
        text += "== \(pane.rawValue)\n"
        for line in lines(pane, of: picture, width: width, height: height) { text += line + "\n" }
      }
      let path = Repository.path("Tests/Corpus/top/\(program).\(width)x\(height).txt")
      if ProcessInfo.processInfo.environment["SPROF_RECORD_GOLDENS"] == "1" {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      let golden = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text == golden, "differs from \(path)")
    }
    for pane in LivePane.allCases {
      let lines = lines(pane, of: picture, width: 300, height: 100)
      #expect(lines.count == 100)
      #expect(lines.allSatisfy { $0.count <= 300 })
    }
  }

  @Test func `say what is the matter`() throws {
    let expected =
      [
        ("redis", .threads, "redis-server (main)"), ("python", .threads, "crunch-"),
        ("hung-gtk", .functions, "Hung:"), ("hung-gtk", .blockers, "waiting for mutex"),
        ("thousand", .threads, "1001 threads at the end:"), ("ends", .functions, "work_hard"),
        ("execs", .functions, "after_exec"),
      ] as [(String, LivePane, String)]
    for (program, pane, words) in expected {
      let text = lines(pane, of: try picture(of: program), width: 120, height: 40)
        .joined(separator: "\n")
      #expect(text.contains(words), "\(program): \(text)")
    }
  }
}
