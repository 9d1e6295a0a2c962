import ArgumentParser
import CaptureFile
import Glibc
import ProfileAnalysis
import ProfileExport
import ProfileModel

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Converts a capture to the format of another tool.",
    discussion: """
        sprof export slow.pb.gz --to html -o slow.html
        sprof export slow.pb.gz --to speedscope -o slow.speedscope.json
        sprof export slow.pb.gz --to folded | flamegraph.pl > slow.svg
        sprof export slow.pb.gz --to pprof -o slow.profile.pb.gz
      """)

  @Argument(help: "The capture file.", completion: .file())
  var file: String

  @Option(help: ArgumentHelp("The format.", valueName: "format"))
  var to: ExportFormat

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The output file; without it, or with -, stdout.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Overwrite the output file if it exists.")
  var force = false

  @Option(
    help: ArgumentHelp(
      "Export only the threads whose name matches, or the one with this tid.", valueName: "glob"),
    transform: GlobArgument.parse)
  var thread: String?

  @OptionGroup var filter: FilterArguments
  @OptionGroup var frames: ShownFrames
  @OptionGroup var reading: ReadingArguments

  func validate() throws {
    guard output != nil || !force else { throw ValidationError("--force needs --output.") }
  }

  func run() throws {
    try Diagnostic.guarding(command: "export") {
      try outputFile?.check()
      try OutputFile.checkDistinct([outputFile].compactMap { $0 }, reading: [file])
      let whole = try loadProfile(file, ReadingBudget(reading.limits))
      try ReportArguments.check(thread, whole)
      try filter.check(whole.capture)
      let profile = try filter.apply(to: whole, thread: thread)
      guard let outputFile else {
        guard to.exporter != nil || isatty(STDOUT_FILENO) == 0 else { throw Diagnostic.isBinary }
        return try Terminal.write { try write(profile, to: &$0) }
      }
      try outputFile.write { try write(profile, to: &$0) }
    }
  }

  private var outputFile: OutputFile? {
    output.flatMap { $0 == "-" ? nil : $0 }.map {
      OutputFile(path: $0, option: "--output", replaceable: force ? .anyFile : .nothing)
    }
  }

  private func write(_ profile: Profile, to output: inout FileOutput) throws {
    if to == .html {
      return PageExporter.packed(
        showsVerdict: filter.isEmpty && thread == nil, showsNative: frames.native
      ).write(profile, to: &output)
    }
    let profile = frames.native ? profile : profile.hidingNativeFrames()
    guard let exporter = to.exporter else {
      return PprofFile.write(profile) { output.write($0) }
    }
    try exporter.write(profile, to: &output)
  }
}
