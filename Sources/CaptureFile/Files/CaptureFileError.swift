/// Why a capture file could not be read or written.
package enum CaptureFileError: Error, Equatable {
  /// The system refused a file; `reason` is its own words.
  case system(path: String, reason: String)
  /// There is a file of that name already.
  case exists(path: String)
  /// A capture of that name was cut off, and what it saw is in `path`.
  case unfinishedExists(path: String)
  /// A directory, a device, a pipe.
  case notRegular(path: String)
  case empty
  /// Neither a pprof profile nor folded stacks.
  case foreign
  /// The file ends too early.
  case cutOff
  /// The contents contradict themselves.
  case damaged(Damage)
  /// Larger than what is read, in bytes.
  case tooLarge(limit: Int)
  /// More samples or distinct stacks than are read.
  case tooMany(limit: Int)
  /// A pprof profile without samples of time or of anything that can be counted.
  case noSampleTypes

  package enum Damage: Hashable, Sendable {
    /// The gzip checksum or its stream is wrong.
    case compression
    /// Not the messages of a profile.
    case message
    /// An index or id that points to nothing.
    case reference
    /// The lines that sprof writes about a capture are not as it writes them.
    case header
  }
}
