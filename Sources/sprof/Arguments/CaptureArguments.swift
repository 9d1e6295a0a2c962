import ArgumentParser
import CaptureFile
import ProfileModel

/// The options that keep a capture in a file.
struct CaptureArguments: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Keep the capture in this file, for sprof report and other pprof tools.",
      valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite the file of --output when it exists.")
  var force = false

  func validate() throws {
    guard output != nil || !force else {
      throw ValidationError("--force is for --output, which is missing.")
    }
    guard output?.isEmpty != true else { throw ValidationError("--output wants a file name.") }
  }

  /// The growing file; nil when none was asked for.
  ///
  /// Throws when the capture could not be written, before it is made.
  func recorder(
    kind: CaptureInfo.Kind, pid: Int32, name: String? = nil, rate: Double
  ) throws -> CaptureRecorder? {
    guard let output else { return nil }
    let capture = CaptureInfo(kind: kind, pid: pid, processName: name ?? "\(pid)", rate: rate)
    do {
      return try CaptureRecorder(path: output, replacing: force, capture: capture)
    } catch {
      throw Diagnostic.cannotCreate(error)
    }
  }
}

/// Writes the capture to its file and then prints its report, which is not lost with the file.
func keep(
  _ profile: Profile, with recorder: CaptureRecorder?, report: () throws -> Void
) throws {
  var failure: CaptureFileError?
  do throws(CaptureFileError) {
    try recorder?.finish(profile)
  } catch {
    failure = error
  }
  try report()
  if let failure, let recorder {
    throw Diagnostic.cannotKeep(failure, partial: recorder.partialPath)
  }
}
