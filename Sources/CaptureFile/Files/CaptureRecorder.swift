internal import Glibc
package import ProfileModel
internal import Synchronization

/// Writes a capture while it is made: first to `PATH.partial`, which grows and can be read at any
/// time, and at the end whole to `PATH`.
///
/// May be used from any thread.
package final class CaptureRecorder: Sendable {
  /// Where the capture is to be at its end.
  package let path: String
  /// Where it grows.
  package let partialPath: String
  private let partial: Mutex<Partial?>

  /// What the name of a growing file has more than that of the capture.
  static let partialEnding = ".partial"

  private struct Partial: ~Copyable {
    var output: CaptureOutput
    var encoder: ProfileEncoder
    var failure: CaptureFileError?
  }

  /// Creates the growing file, and finds out beforehand what would keep the capture from being
  /// written.
  ///
  /// - Parameters:
  ///   - path: where the capture is to be.
  ///   - replacing: whether files that are there may go.
  ///   - capture: what is known of the capture before it begins.
  /// - Throws: `exists`, `unfinishedExists`, `notRegular`, or `system` with the system's words.
  package init(
    path: String, replacing: Bool, capture: CaptureInfo
  ) throws(CaptureFileError) {
    self.path = path
    partialPath = path + Self.partialEnding
    try CaptureWriter.check(path, replacing: replacing)
    var encoder = ProfileEncoder(capture)
    var comment = CaptureComment()
    comment.version = SprofVersion.current
    comment.complete = false
    comment.capture = CaptureComment.Capture(capture)
    encoder.add(comment)
    var output = try CaptureOutput(path: partialPath, replacing: replacing)
    do {
      try output.append(gzipMember(encoder.take()))
    } catch {
      unlink(partialPath)
      throw error
    }
    partial = Mutex(Partial(output: output, encoder: encoder))
  }

  /// Appends what is new to the growing file, as one gzip member with one write.
  ///
  /// On a full disk the file stops growing; `finish` throws if the disk is still full then.
  package func append(_ growth: ProfileGrowth) {
    partial.withLock { partial in
      guard partial != nil, partial?.failure == nil else { return }
      partial?.encoder.add(growth)
      guard let bytes = partial?.encoder.take() else { return }
      do throws(CaptureFileError) {
        try partial?.output.append(gzipMember(bytes))
      } catch {
        partial?.failure = error
      }
    }
  }

  /// Writes the whole capture to a temporary name and renames it to `path`; then the growing file
  /// goes, which otherwise stays.
  package func finish(_ profile: Profile) throws(CaptureFileError) {
    try CaptureWriter(unchecked: path).finish(profile)
    cancel()
  }

  /// Takes the growing file away: there is no capture.
  package func cancel() {
    partial.withLock { $0 = nil }
    unlink(partialPath)
  }
}

extension ProfileEncoder {
  fileprivate mutating func add(_ growth: ProfileGrowth) {
    for (index, thread) in growth.threads { add(thread, index: index) }
    add(growth.threads)
    for (position, (id, frame)) in growth.frames.enumerated() {
      if case .code(let code) = frame {
        let number = Int(code.module.rawValue)
        if growth.modules.indices.contains(number) {
          add(growth.modules[number], number: code.module.rawValue)
        }
      }
      let symbol = position < growth.symbols.count ? growth.symbols[position] : nil
      add(id, frame, named: symbol)
    }
    for run in growth.runs { add(run, frames: growth.stacks[run.stack] ?? []) }
    guard let capture = growth.capture else { return }
    var comment = CaptureComment()
    comment.progress = CaptureComment.Progress(
      duration: capture.duration, ticksPlanned: capture.cost.ticksPlanned,
      ticksTaken: capture.cost.ticksTaken, stopped: capture.cost.stoppedTime)
    add(comment)
    setDuration(capture.duration)
  }
}

/// The bytes as a gzip file of their own.
func gzipMember(_ bytes: [UInt8]) -> [UInt8] {
  var member: [UInt8] = []
  var encoder = GzipEncoder()
  encoder.add(bytes) { member += $0 }
  encoder.finish { member += $0 }
  return member
}
