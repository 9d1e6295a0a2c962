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
    abstract: "Writes a stored capture in the format of another tool.",
    discussion: """
        sprof export slow.pb.gz --to html -o slow.html
        sprof export slow.pb.gz --to speedscope -o slow.speedscope.json
        sprof export slow.pb.gz --to folded --thread engine | flamegraph.pl > slow.svg
        sprof export slow.pb.gz --to pprof -o slow.profile.pb.gz
      """)

  @Argument(help: "The capture.", completion: .file())
  var file: String

  @Option(help: "The format.")
  var to: ExportFormat

  @Option(
    name: .shortAndLong, help: "Where to write; without it, to stdout.", completion: .file())
  var output: String?

  @Flag(help: "Write over a file that is there already.")
  var force = false

  @Option(help: "Export only the threads whose name matches, or the one with this tid.")
  var thread: String?

  @OptionGroup var filter: FilterArguments
  @OptionGroup var frames: ShownFrames

  func run() throws {
    try Diagnostic.guarding(command: "export") {
      let whole = try loadProfile(file)
      try ReportArguments.check(thread, whole)
      let profile = try filter.apply(to: whole, thread: thread)
      guard let output else {
        guard to.exporter != nil || isatty(STDOUT_FILENO) == 0 else { throw Diagnostic.isNoText }
        return try Terminal.write { try write(profile, to: &$0) }
      }
      try OutputFile.write(output, force: force) { try write(profile, to: &$0) }
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
