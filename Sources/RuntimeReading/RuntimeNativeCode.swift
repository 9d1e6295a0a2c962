package import ProfileModel

/// What a runtime's own native functions are to the program that it runs.
package enum NativeRole: Sendable {
  /// Runs code of the language: its activations are where the frames of the language belong.
  case loop
  /// Calls, argument parsing, start and end of the runtime.
  case machinery
  /// Does a program's work: sorts a list, sums up.
  case builtin
}

/// A runtime's own native code: which file it is in, and what its functions do.
package protocol RuntimeNativeCode: Sendable {
  /// The file that holds the runtime.
  var path: String { get }

  /// What a function of that file does, by its symbol.
  func role(ofFunction name: String) -> NativeRole

  /// Whether a file, by its name, is a small program around the runtime's library.
  func isLauncher(_ file: String) -> Bool

  /// The functions in which a thread waits for its interpreter's lock.
  var lockFunctions: Set<String> { get }

  /// Whether a thread that waits in a function of that file wakes up now and then in one and the same wait, to look
  /// whether it missed anything.
  func renewsWaits(inFunction name: String) -> Bool

  /// The memory that it puts code of its own into: native unwinding ends there, and the runtime's
  /// frames go on.
  var codeRanges: [Range<RemoteAddress>] { get }
}

extension RuntimeNativeCode {
  package var codeRanges: [Range<RemoteAddress>] { [] }
  package func renewsWaits(inFunction name: String) -> Bool { false }
}
