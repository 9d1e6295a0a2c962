import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The source of the hottest line` {
    private static let code = """
      #include <stdio.h>
      static volatile unsigned sum;
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (unsigned i = 0;; i++) {
          sum += i * i;  // the hot line
        }
      }
      """

    /// Captures a program that was just built, and gives its source and the capture.
    private func capture(_ folder: TemporaryFolder) throws -> (source: String, file: String) {
      let source = folder.path + "/hot.c"
      try Self.code.write(toFile: source, atomically: true, encoding: .utf8)
      let path = folder.path + "/hot"
      #expect(try run(["cc", "-g", "-O1", source, "-o", path]).status == 0)
      let program = try RunningProgram([path])
      let file = folder.path + "/hot.pb.gz"
      let outcome = try SprofCommand.run(
        ["attach", "\(program.pid)", "--duration", "500ms", "-o", file, "--source"])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stdout.contains("> "), "\(outcome.stdout)")
      #expect(outcome.stdout.contains("// the hot line"), "\(outcome.stdout)")
      return (source, file)
    }

    @Test func `is shown when it is asked for, as it was when the program was built`() throws {
      let folder = try TemporaryFolder()
      let (source, file) = try capture(folder)
      #expect(!(try SprofCommand.run(["report", file]).stdout.contains("hot line")))
      let shown = try SprofCommand.run(["report", file, "--source"])
      #expect(shown.stdout.contains("// the hot line"))
      let redacted = try SprofCommand.run(["report", file, "--source", "--redact"])
      expectError(redacted, code: ExitCode.usage, naming: ["--redact"])
      try "\n\n\n\n\n\n// the hot line\n\n".write(toFile: source, atomically: true, encoding: .utf8)
      let changed = try SprofCommand.run(["report", file, "--source"])
      #expect(!changed.stdout.contains("hot line"))
      #expect(changed.stdout.contains("not shown"), "\(changed.stdout)")
    }

    @Test(
      .enabled(
        if: FileManager.default.fileExists(atPath: "/usr/lib/debug/.build-id"), "needs libc6-dbg"))
    func `is bounded in time like all names, which is said`() throws {
      let program = try RunningProgram(fixture: "sleepers.c", ["2"])
      try program.awaitSleep()
      let hurried = try SprofCommand.run(["dump", "\(program.pid)", "--symbols-timeout", "1ms"])
      #expect(hurried.stdout.contains("--symbols-timeout"), "\(hurried.stdout)")
      let patient = try SprofCommand.run(["dump", "\(program.pid)", "--symbols-timeout", "20s"])
      #expect(!patient.stdout.contains("--symbols-timeout"), "\(patient.stdout)")
      #expect(patient.stdout.contains(".c:"), "\(patient.stdout)")
    }
  }
}
