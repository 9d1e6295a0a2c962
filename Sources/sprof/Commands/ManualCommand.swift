import ArgumentParser

/// Prints the manual page; `make install` puts it in its place.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Prints the manual page sprof(1).", shouldDisplay: false)

  func run() throws {
    try Diagnostic.guarding(command: "manual") {
      let page = try ManualPage(parsing: Sprof._dumpHelp())
      try Terminal.write { $0.write(page.text) }
    }
  }
}
