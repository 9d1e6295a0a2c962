import CaptureFile
import ProfileModel

/// The profile in a file: a capture of sprof's own, or a profile of another tool.
///
/// The one place where commands get a profile from a file.
func loadProfile(_ path: String) throws -> Profile {
  do {
    return try CaptureReader.read(path: path)
  } catch {
    throw Diagnostic.cannotRead(path, error)
  }
}

/// What a file says of its capture as a whole.
func loadInfo(_ path: String) throws -> CaptureInfo {
  do {
    return try CaptureReader.info(path: path)
  } catch {
    throw Diagnostic.cannotRead(path, error)
  }
}
