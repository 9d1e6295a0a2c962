import ArgumentParser
import ProfileExport
import ProfileModel

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Shows any view of a capture that was kept in a file.",
    discussion: """
      Prints what attach or dump printed when it was made; needs neither the program nor its files. \
      Reads pprof profiles of other tools and folded stacks, too.

        sprof report slow.pb.gz
        sprof report slow.pb.gz --view tree --thread 'worker-*'
      """)

  @Argument(help: "The capture.", completion: .file())
  var file: String

  @Option(help: "Show only this part of the report; may be repeated.")
  var view: [ReportView] = []

  @OptionGroup var report: ReportArguments

  func run() throws {
    try Diagnostic.guarding(command: "report") {
      try report.write(CaptureArgument.read(file), views: view)
    }
  }
}
