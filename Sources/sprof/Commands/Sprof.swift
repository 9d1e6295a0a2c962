import ArgumentParser
import ProfileModel

@main
struct Sprof: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sprof",
    abstract: "Says why a running program is slow, or why it hangs.",
    discussion: """
      Looks at the program from outside: no restart, no recompile, no agent in it. Threads that \
      sleep are not even stopped.

        sprof attach 4242 --duration 10s     where its time goes
        sprof dump 4242                      what every thread does right now
        sprof run -- make test               a program from its first instruction to its end
        sprof attach 4242 -o slow.pb.gz      the same, kept in a file
        sprof report slow.pb.gz              any view of that file
        sprof compare before after           what changed between two captures
        sprof export FILE --to speedscope    the same for another tool
        sprof merge FILE FILE -o OUT         many captures as one

      Exit codes: 0 done (also when the program ended meanwhile), 3 a bound of --fail-if was \
      exceeded, 64 wrong usage, 65 a file that is no capture or damaged, 66 no such process or \
      file, 70 internal error, 73 the output cannot be written, 77 no permission to watch it; run ends with the \
      exit code of its program (see sprof help run).
      """,
    version: SprofVersion.current,
    subcommands: [
      AttachCommand.self, DumpCommand.self, RunCommand.self, ReportCommand.self, ExportCommand.self,
      MergeCommand.self, CompareCommand.self,
    ])

  static func main() {
    Terminal.reserveStandardFiles()
    main(nil)
  }
}
