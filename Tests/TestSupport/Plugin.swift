/// A library for the fixture `plugins`.
package enum Plugin {
  /// Compiles `Fixtures/plugin.c`, whose functions' names begin with `color`, and gives its path.
  package static func compile(_ color: String, in folder: TemporaryFolder) throws -> String {
    let path = "\(folder.path)/lib\(color).so"
    let fixtures = Repository.path("Fixtures")
    let outcome = try run([
      "cc", "-g", "-O1", "-shared", "-fPIC", "-DCOLOR=\(color)", "-I\(fixtures)",
      "\(fixtures)/plugin.c", "-o", path,
    ])
    guard outcome.status == 0 else { throw TestFailure("plugin.c: \(outcome.stderr)") }
    return path
  }
}
