import CaptureFile
import ProfileModel

/// The profile in a file: a capture of sprof's own, or a profile of another tool.
///
/// The one place where commands get a profile from a file.
func loadProfile(_ path: String, _ budget: ReadingBudget) throws -> Profile {
  do {
    return try CaptureReader.read(path: path, budget: budget)
  } catch {
    throw Diagnostic.cannotRead(path == "/dev/stdin" ? "stdin" : path, error)
  }
}

/// What a file says at its beginning of its capture as a whole; nil when that is not there.
func loadInfo(_ path: String) throws -> CaptureInfo? {
  do {
    return try CaptureReader.info(path: path)
  } catch {
    throw Diagnostic.cannotRead(path, error)
  }
}
