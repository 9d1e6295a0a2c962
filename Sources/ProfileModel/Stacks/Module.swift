/// A file with code that was mapped into the program.
package struct Module: Hashable, Sendable {
  /// The path as the program's own maps give it; `[vdso]` for the kernel's page.
  package let path: String
  /// Lower-case hex, nil where the file has none or could not be read.
  package let buildID: String?
  /// Why its code has no names, in words for users; nil when it could be opened.
  package let problem: String?

  package init(path: String, buildID: String? = nil, problem: String? = nil) {
    self.path = path
    self.buildID = buildID
    self.problem = problem
  }

  /// The problem of a file in whose place is another.
  package static let replacedFile = "the file was replaced since it was loaded"
  /// The problem of a file that could only be opened with rights that sprof lacks.
  package static let deletedFile = "the file was deleted or replaced since it was loaded"
  /// The problem of a file that was written to or cut short.
  package static let changedFile = "the file was changed in place since it was loaded"

  /// The last part of the path.
  package var name: String { path.lastPathPart }
}
