/// A file with code that was mapped into the program.
package struct Module: Hashable, Sendable {
  /// The path as the program's own maps give it; `[vdso]` for the kernel's page.
  package let path: String
  /// Lower-case hex, nil where the file has none or could not be read.
  package let buildID: String?
  /// Why its code has no names, or no lines; nil where nothing is known to be wrong.
  package let problem: ModuleProblem?

  package init(path: String, buildID: String? = nil, problem: ModuleProblem? = nil) {
    self.path = path
    self.buildID = buildID
    self.problem = problem
  }

  /// The last part of the path.
  package var name: String { path.lastPathPart }
}
