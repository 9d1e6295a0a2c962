/// Why a capture file could not be read or written.
package enum CaptureFileError: Error, Equatable {
  /// The system refused access to a file; `reason` is the system's message.
  case system(path: String, reason: String)
  /// A file of that name exists.
  case exists(path: String)
  /// A capture of that name was cut off; its growing file is at `path`.
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
  /// More than a bound that the user may lift.
  case tooLarge(ReadingLimits.Bound)
  /// A pprof profile without sample types of times or counts.
  case noSampleTypes

  package enum Damage: Hashable, Sendable {
    /// The gzip checksum or its stream is wrong.
    case compression
    /// Not the messages of a profile.
    case message
    /// An index or id that points to nothing.
    case reference
    /// Facts of sprof's own about the capture have another form.
    case header
  }
}
