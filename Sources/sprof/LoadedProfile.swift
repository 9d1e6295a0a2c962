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

/// Writes a capture; the one place where commands make one of a profile.
func saveProfile(_ profile: Profile, _ path: String, replacing: Bool) throws {
  do {
    try CaptureRecorder(path: path, replacing: replacing, capture: profile.capture).finish(profile)
  } catch {
    throw Diagnostic.cannotCreate(error)
  }
}
