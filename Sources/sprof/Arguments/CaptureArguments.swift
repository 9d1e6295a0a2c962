import ArgumentParser
import CaptureFile
import LinuxProcess
import ProfileModel

/// The options that write a capture to a file.
struct CaptureArguments: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write the capture to this file, for sprof report and other pprof tools.",
      valueName: "file"), completion: .file())
  var output: String?

  @Flag(help: "Overwrite the file of --output if it exists.")
  var force = false

  func validate() throws {
    guard output != nil || !force else {
      throw ValidationError("--force needs --output.")
    }
    guard output?.isEmpty != true else { throw ValidationError("--output needs a file name.") }
  }

  /// The files that a capture writes; none without `--output`.
  var files: [OutputFile] { output.map { OutputFile.capture($0, force: force) } ?? [] }

  /// The growing file; nil without `--output`.
  ///
  /// Throws when the capture could not be written, before it begins.
  func recorder(
    kind: CaptureInfo.Kind, pid: Int32, name: String? = nil, rate: Double
  ) throws -> CaptureRecorder? {
    guard let output else { return nil }
    let capture = CaptureInfo(
      kind: kind, pid: pid, processName: name ?? ProcessSearch.processName(pid) ?? "\(pid)",
      startTime: Host.wallClock(), rate: rate)
    do {
      return try CaptureRecorder(path: output, replacing: force, capture: capture)
    } catch {
      throw Diagnostic.cannotCreate(error)
    }
  }
}

extension OutputFile {
  /// A capture, and the file that it grows in.
  static func capture(_ path: String, force: Bool) -> [OutputFile] {
    [path, CaptureRecorder.partialPath(of: path)].map {
      OutputFile(path: $0, option: "--output", replaceable: force ? .anyFile : .nothing)
    }
  }
}

/// Writes the capture to its file and prints its report, the report also when the file fails.
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
    throw Diagnostic.cannotKeep(failure, partial: recorder.remainingPath)
  }
  if let recorder, Terminal.showsProgress {
    Terminal.writeMessage("Wrote the capture. Show it with: sprof report \(recorder.path)")
  }
}
