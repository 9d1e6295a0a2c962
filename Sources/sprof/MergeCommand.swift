import ArgumentParser
import ProfileAnalysis
import ProfileModel

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Puts many captures together to one.",
    discussion: """
      Threads keep their names, behind a label of where they come from: host/program/thread. \
      Threads of the same label and name become one.

        sprof merge web1.pb.gz web2.pb.gz -o web.pb.gz
        sprof merge day/*.pb.gz --label none -o day.pb.gz
      """)

  @Argument(help: "The captures.", completion: .file())
  var files: [String]

  @Option(name: .shortAndLong, help: "The merged capture.", completion: .file())
  var output: String

  @Flag(help: "Overwrite the file of --output when it exists.")
  var force = false

  @Option(help: "What stands before the names of threads.")
  var label = MergeLabel.process

  func run() throws {
    try Diagnostic.guarding(command: "merge") {
      var merge = Merge()
      for file in files {
        let profile = try loadProfile(file)
        merge.add(profile, label: label.text(for: profile.capture, file: file))
      }
      try saveProfile(merge.finish(), output, replacing: force)
    }
  }
}

/// What tells the sources of a merged capture apart.
enum MergeLabel: String, CaseIterable, ExpressibleByArgument {
  case process, program, host, file, none

  /// The label of a capture.
  func text(for capture: CaptureInfo, file: String) -> String {
    switch self {
    case .process: "\(capture.hostName)/\(capture.processName)[\(capture.pid)]"
    case .program: capture.processName
    case .host: capture.hostName
    case .file: Self.name(of: file)
    case .none: ""
    }
  }

  /// The last part of a path, without what names its format.
  private static func name(of path: String) -> String {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    for ending in [".gz", ".pb"] where name.hasSuffix(ending) && name != ending {
      name.removeLast(ending.count)
    }
    return name
  }
}
