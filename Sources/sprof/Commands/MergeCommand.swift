import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileAnalysis
import ProfileModel
import Synchronization

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
      do {
        try mergeFiles()
      } catch let error as CaptureFileError {
        throw Diagnostic.cannotCreate(error)
      }
    }
  }

  /// Merges label after label, so that the runs of one are written before those of the next come.
  private func mergeFiles() throws {
    var writer = try CaptureWriter(path: output, replacing: force)
    var merge = Merge()
    let sources = try self.sources()
    var profiles = ProfilesAhead(sources.flatMap(\.files))
    for source in sources {
      for _ in source.files { merge.add(try profiles.next(), label: source.label) }
      try writer.add(merge.takeRuns(), stacks: merge.stacks, threads: merge.threads)
    }
    try writer.finish(merge.finish())
  }

  /// The files of each label, the labels in the order of their first file.
  private func sources() throws -> [(label: String, files: [String])] {
    var sources: [(label: String, files: [String])] = []
    var places: [String: Int] = [:]
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

/// What tells the sources of a merged capture apart.
enum MergeLabel: String, CaseIterable, ExpressibleByArgument {
  case process, program, host, file, none

  /// The label of the capture in a file, of which only what it needs is read.
  func text(of file: String) throws -> String {
    switch self {
    case .process:
      let capture = try loadInfo(file)
      return "\(capture.hostName)/\(capture.processName)[\(capture.pid)]"
    case .program: return try loadInfo(file).processName
    case .host: return try loadInfo(file).hostName
    case .file: return Self.name(of: file)
    case .none: return ""
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

/// The profiles of files in their order: the next two are read while the last is used.
struct ProfilesAhead {
  private static let count = 2

  private var files: ArraySlice<String>
  private var reads: [ProfileRead] = []

  init(_ files: [String]) {
    self.files = files[...]
    readAhead()
  }

  /// The profile of the next file; every file is asked for once.
  mutating func next() throws -> Profile {
    let profile = try reads.removeFirst().profile()
    readAhead()
    return profile
  }

  private mutating func readAhead() {
    while reads.count < Self.count, let file = files.popFirst() { reads.append(ProfileRead(file)) }
  }
}

/// A profile on its way from a thread that reads it.
private final class ProfileRead: Sendable {
  private let file: String
  private let result = Mutex<Result<Profile, any Error>?>(nil)
  private let thread = Mutex<OSThread.Handle?>(nil)

  init(_ file: String) {
    self.file = file
    // Without another thread the file is read when it is asked for.
    thread.withLock { thread in
      thread = try? OSThread.start { [self] in
        let profile = Result { try loadProfile(file) }
        result.withLock { $0 = profile }
      }
    }
  }

  /// Waits until it is read; to be asked for once.
  func profile() throws -> Profile {
    thread.withLock { $0.take() }?.join()
    guard let result = result.withLock({ $0.take() }) else { return try loadProfile(file) }
    return try result.get()
  }
}
