import ArgumentParser
import LinuxProcess
import ProfileExport
import ProfileModel

@main
struct Sprof: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sprof",
    abstract: "Shows why a running program is slow or hangs.",
    discussion: """
      Samples the program from outside: no restart, no recompilation, no agent. Sleeping threads \
      are almost never stopped.

        sprof attach 4242 --duration 10s     where its time goes
        sprof dump 4242                      what every thread does right now
        sprof run -- make test               where the time of a whole run goes
        sprof watch firefox                  wait for it to freeze, and capture that
        sprof attach 4242 -o slow.pb.gz      sample until Ctrl-C, and write a capture
        sprof report slow.pb.gz              any view of that capture
        sprof compare before after           what changed between two captures
        sprof export FILE --to speedscope    a capture for another tool
        sprof merge FILE FILE -o OUT         several captures as one
        sprof top 4242                       what it does, live
        sprof doctor 4242                    whether sprof can sample it, and what is missing
        sprof symbols FILE -o OUT            names and lines added to a capture later

      Exit codes: 0 success (also if the program ended meanwhile), 3 a bound of --fail-if was \
      exceeded, 64 wrong usage, 65 not a capture, or a damaged one, 66 no such process or file, 70 \
      internal error, 72 /proc is not mounted, 73 output cannot be written, 77 not allowed to trace \
      the process, 130 --window was cancelled; run exits with the exit code of its program (see sprof \
      help run).
      """,
    version: CommandLine.arguments.contains("--version") ? VersionWords.text : SprofVersion.current,
    subcommands: [
      AttachCommand.self, DumpCommand.self, RunCommand.self, WatchCommand.self, TopCommand.self,
      ReportCommand.self, ExportCommand.self, MergeCommand.self, CompareCommand.self,
      SymbolsCommand.self, DoctorCommand.self, ManualCommand.self,
    ])

  /// Every message on stderr begins the same way, also those of ArgumentParser.
  static var _errorLabel: String { "sprof" }

  static func main() {
    Terminal.reserveStandardFiles()
    // Without it sprof learns neither its own arguments nor anything of a program.
    guard AccessCheck.isProcMounted else {
      Terminal.writeMessage("/proc is not mounted. Mount it with: mount -t proc proc /proc")
      exit(withError: ExitCode(72))  // EX_OSFILE
    }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch  where exitCode(for: error).isSuccess {
      exit(withError: error)
    } catch {
      if exitCode(for: error) == .validationFailure,
        let words = Misuse.words(
          for: Array(CommandLine.arguments.dropFirst()), parser: fullMessage(for: error))
      {
        Terminal.writeMessage(words)
        exit(withError: ExitCode.validationFailure)
      }
      // Arguments, such as the names of files, may hold anything.
      let message = fullMessage(for: error)
      if !message.isEmpty { Terminal.writeError(message.printableLines + "\n") }
      exit(withError: exitCode(for: error))
    }
  }
}
