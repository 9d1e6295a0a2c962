import ArgumentParser
import CaptureFile
import ProfileAnalysis
import ProfileModel

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merges captures into one.",
    discussion: """
      Threads are renamed to label/thread, where the label says where they come from. Threads of \
      the same label and name become one.

        sprof merge web1.pb.gz web2.pb.gz -o web.pb.gz
        sprof merge day/*.pb.gz --label none -o day.pb.gz
      """)

  @Argument(help: "The capture files.", completion: .file())
  var files: [String]

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The merged capture file.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Overwrite the file of --output if it exists.")
  var force = false

  @Option(help: "Prefix of thread names; 'process' means host/program[pid].")
  var label = MergeLabel.process

  @OptionGroup var reading: ReadingArguments

  func run() throws {
    try Diagnostic.guarding(command: "merge") {
      try OutputFile.checkDistinct(OutputFile.capture(output, force: force), reading: files)
      do {
        try mergeFiles()
      } catch let error as CaptureFileError {
        throw Diagnostic.cannotCreate(error)
      }
    }
  }

  /// Merges label after label, so that the runs of one are written before those of the next come.
  private func mergeFiles() throws {
    var writer = try CaptureWriter(path: output, replacing: force, limits: reading.limits)
    var merge = Merge()
    let budget = ReadingBudget(reading.limits)
    let sources = try self.sources()
    var profiles = ProfilesAhead(sources.flatMap(\.files), reading.limits)
    for source in sources {
      for file in source.files {
        let (profile, bytes) = try profiles.next()
        let label = source.label ?? label.text(of: file, profile.capture)
        merge.add(profile, label: label)
        try budget.check(
          stacks: merge.stacks.stackCount, threads: merge.threads.count, addingFileBytes: bytes)
      }
      try writer.add(merge.takeRuns(), stacks: merge.stacks, threads: merge.threads)
    }
    try writer.finish(merge.finish())
  }

  /// The files of each label, the labels in the order of their first file; those whose label is not
  /// known before they are read as a whole have none, and are together.
  private func sources() throws -> [(label: String?, files: [String])] {
    var sources: [(label: String?, files: [String])] = []
    var places: [String?: Int] = [:]
    for file in files {
      let label = try label.text(of: file)
      if let place = places[label] {
        sources[place].files.append(file)
      } else {
        places[label] = sources.count
        sources.append((label, [file]))
      }
    }
    return sources
  }
}

/// What distinguishes the sources of a merged capture.
enum MergeLabel: String, CaseIterable, ExpressibleByArgument {
  case process, program, host, file, none

  /// The label of the capture in a file, from its beginning alone; nil when that does not say.
  func text(of file: String) throws -> String? {
    switch self {
    case .process, .program, .host: try loadInfo(file).map { text(of: file, $0) }
    case .file, .none: text(of: file, nil)
    }
  }

  /// The label of the capture in a file, of which `capture` is known.
  func text(of file: String, _ capture: CaptureInfo?) -> String {
    switch self {
    case .process:
      capture.map { "\($0.hostName)/\($0.processName)[\($0.pid)]" } ?? ""
    case .program: capture?.processName ?? ""
    case .host: capture?.hostName ?? ""
    case .file: Self.name(of: file)
    case .none: ""
    }
  }

  /// The last part of a path, without what names its format.
  private static func name(of path: String) -> String {
    var name = path.lastPathPart
    for ending in [".gz", ".pb"] where name.hasSuffix(ending) && name != ending {
      name.removeLast(ending.count)
    }
    return name
  }
}
