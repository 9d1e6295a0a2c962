import ArgumentParser
import CaptureFile
import ProfileExport
import ProfileModel
import Sampling

struct SymbolsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "symbols",
    abstract: "Adds names and lines to a capture, from debug files on this machine.",
    discussion: """
      A capture keeps the build-id of each program and library, so that names, lines and inlined \
      functions can be added later and elsewhere: the program's machine needs no debug packages. \
      sprof searches where it does for a running program, and in what a debuginfod client has \
      fetched.

        sprof symbols slow.pb.gz -o named.pb.gz
        sprof symbols slow.pb.gz -o named.pb.gz --root /srv/images/web
        sprof symbols slow.pb.gz -o named.pb.gz --debuginfod
      """)

  @Argument(help: "The capture file.", completion: .file())
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The capture file with the names.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Overwrite the file of --output if it exists.")
  var force = false

  @Option(
    help: ArgumentHelp(
      "Look for files below this folder first, such as an unpacked image of the program's machine.",
      valueName: "folder"), completion: .directory)
  var root = "/"

  @Flag(
    help: ArgumentHelp(
      "Fetch missing debug files from the servers of DEBUGINFOD_URLS.",
      discussion: """
        They learn which programs and libraries the capture has. Without this option nothing goes over \
        the network.
        """))
  var debuginfod = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Fetch for at most this long in all; 60s by default.", valueName: "time"),
    transform: TimeArgument.init)
  var fetchTimeout: TimeArgument?

  @OptionGroup var reading: ReadingArguments

  func validate() throws {
    guard root.hasPrefix("/") else {
      throw ValidationError("--root must be an absolute path.")
    }
    guard debuginfod || fetchTimeout == nil else {
      throw ValidationError("--fetch-timeout needs --debuginfod.")
    }
  }

  func run() throws {
    try Diagnostic.guarding(command: "symbols") {
      try OutputFile.checkDistinct(OutputFile.capture(output, force: force), reading: [file])
      let client = debuginfod ? try self.client() : nil
      var profile = try loadProfile(file, ReadingBudget(reading.limits))
      let symbols = StoredSymbols(
        root: root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root,
        caches: StoredSymbols.userCaches, fetch: client.map { client in { client.fetch($0) } })
      let entries = symbols.addNames(to: &profile) { client?.module = $0.name }
      do {
        let writer = try CaptureWriter(path: output, replacing: force, limits: reading.limits)
        try writer.finish(profile)
      } catch let error as CaptureFileError {
        throw Diagnostic.cannotCreate(error)
      }
      try Terminal.write { output in
        for entry in entries { output.write("\(entry.words)\n") }
        if entries.isEmpty { output.write("The capture has no frames of programs or libraries.\n") }
        if let problem = client?.problem { output.write("note: \(problem)\n") }
      }
    }
  }

  private func client() throws -> DebuginfodClient {
    guard DebuginfodClient.hasServers else {
      throw Diagnostic.noDebugServer
    }
    guard
      let client = DebuginfodClient(
        timeout: fetchTimeout?.length ?? .seconds(60),
        progress: { Terminal.writeMessage($0) })
    else {
      throw Diagnostic.noDebuginfod
    }
    return client
  }
}

extension StoredSymbols.Entry {
  /// A line of the list of modules.
  fileprivate var words: String {
    let count = "\(frames) \(frames == 1 ? "frame" : "frames")"
    let text =
      switch outcome {
      case .improved(let frames): "\(frames) of \(count) got names or lines"
      case .unchanged: "\(count), nothing to add"
      case .noBuildID: "\(count), no build-id to find its files by"
      case .noFile: "\(count), no file for build-id \(module.buildID ?? "?")"
      case .problem(let problem): "\(count), \(problem.words)"
      }
    return "\(module.name): \(text)".printableLines
  }
}
