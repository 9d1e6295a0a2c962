/// How much a file may ask for: bounds that a file of honest contents does not come near.
///
/// A compressed file may be a thousandth of its contents, and those a tenth of what they take in
/// memory. So what is read is counted in bytes of memory, and may be no more than a multiple of the
/// bytes of the file.
package struct ReadingLimits: Sendable {
  /// Bytes of memory that any file may take, however small it is.
  package var memoryFloor = 256 << 20
  /// Bytes of memory for each byte of the file, where that is more.
  package var memoryPerByte = 100
  /// The most bytes of a file, decompressed.
  package var contents = 1 << 30
  /// The most bytes of a profile's fields that are not samples, and of the longest field; also of a
  /// line of text.
  package var tables = 128 << 20
  package var field = 4 << 20
  /// The most samples, and the most distinct stacks.
  package var count = 1 << 24

  /// What users get who ask for nothing else.
  package static let standard = ReadingLimits()

  /// Only what the numbers of samples and stacks in 32 bits need.
  package static let huge = ReadingLimits(
    memoryFloor: .max, memoryPerByte: 0, contents: .max, tables: .max, field: .max, count: 1 << 31)

  /// A bound that was exceeded.
  package enum Bound: Hashable, Sendable {
    /// Bytes of memory, for a file of which `file` bytes were read.
    case memory(limit: Int, file: Int)
    /// Bytes of a file, of its fields that are not samples, of one field, of a line.
    case contents(limit: Int)
    case tables(limit: Int)
    case field(limit: Int)
    case line(limit: Int)
    case samples(limit: Int)
    case stacks(limit: Int)
  }
}

/// What reading has taken so far, of what the limits allow; several files may share it.
package final class ReadingBudget {
  package let limits: ReadingLimits
  /// The bytes of the files so far.
  package private(set) var fileBytes = 0
  private var taken = 0
  /// What may be taken, for the bytes of the file so far.
  private var allowance: Int

  package init(_ limits: ReadingLimits = .standard) {
    self.limits = limits
    allowance = limits.memoryFloor
  }

  /// Counts bytes of the file, which allow for more.
  func add(fileBytes count: Int) {
    fileBytes += count
    let (share, isTooLarge) = fileBytes.multipliedReportingOverflow(by: limits.memoryPerByte)
    allowance = max(limits.memoryFloor, isTooLarge ? .max : share)
  }

  /// Checks what is kept of several files, after the next one of `count` bytes.
  ///
  /// - Throws: `tooLarge` when that is more than the files allow for.
  package func check(
    stacks: Int, threads: Int, addingFileBytes count: Int
  ) throws(CaptureFileError) {
    add(fileBytes: count)
    taken = 0
    try take(MemoryCost.stack, times: stacks)
    try take(MemoryCost.thread, times: threads)
  }

  /// Takes `count` times `bytes` of memory.
  ///
  /// - Throws: `tooLarge` when that is more than the file allows for.
  func take(_ bytes: Int, times count: Int = 1) throws(CaptureFileError) {
    let (more, isTooLarge) = bytes.multipliedReportingOverflow(by: count)
    let (sum, overflows) = taken.addingReportingOverflow(more)
    guard !isTooLarge, !overflows, sum <= allowance else {
      throw .tooLarge(.memory(limit: allowance, file: fileBytes))
    }
    taken = sum
  }
}

/// About how many bytes of memory things take, in the profile and in a report on it.
enum MemoryCost {
  static let sample = 48
  /// A stack that no other sample has the beginning of, for each function inlined into its frame.
  static let stack = 192
  static let thread = 1024
  /// A location as a frame, for each function inlined into it.
  static let frame = 256
  /// A mapping, location, function, type of samples or unknown field in a table, without its parts.
  static let entry = 128
  static let line = 48
  /// A text without its characters.
  static let text = 40
  /// A record of facts without its characters: what decoding takes in time is worth that much.
  static let record = 2048
}
