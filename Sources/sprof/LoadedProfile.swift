import ProfileModel

/// The profile in a file: a capture of sprof's own, or a profile of another tool.
///
/// The one place where commands get a profile from a file.
func loadProfile(_ path: String) throws -> Profile {
  throw Diagnostic.cannotRead(path, "this version of sprof cannot read captures yet")
}

/// Writes a capture; the one place where commands make one of a profile.
func saveProfile(_ profile: Profile, _ path: String) throws {
  throw Diagnostic.cannotWrite("this version of sprof cannot write captures yet")
}
