internal import Glibc

/// A file under a temporary name beside its own until it is complete: it appears whole or not at all.
package struct DraftFile: ~Copyable {
  private let path: String
  private var isInPlace = false
  var output: CaptureOutput

  /// Creates the draft, `PATH.PID.tmp`.
  package init(path: String) throws(CaptureFileError) {
    self.path = path
    let draft = "\(path).\(getpid()).tmp"
    // One that is there is of an earlier process of the same number; it may be a link.
    unlink(draft)
    output = try CaptureOutput(path: draft, replacing: false)
  }

  deinit { if !isInPlace { unlink(output.path) } }

  /// What may be written to, until the file is put in place.
  package var descriptor: Int32 { output.descriptor }

  /// Gives the file its name; one that has that name is replaced.
  package consuming func putInPlace() throws(CaptureFileError) {
    try output.synchronize()
    guard rename(output.path, path) == 0 else { throw CaptureOutput.failure(path) }
    isInPlace = true
  }
}
