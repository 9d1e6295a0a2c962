internal import Glibc
package import ProfileModel
internal import Synchronization

/// Writes a capture while it is made: first to `PATH.partial`, which grows and can be read at any
/// time, and at the end as a whole to `PATH`.
///
/// May be used from any thread.
package final class CaptureRecorder: Sendable {
  /// The path of the finished capture.
  package let path: String
  /// The path of the growing file.
  package let partialPath: String
  private let partial: Mutex<Partial?>

  /// The end of a growing file's name, after that of the capture.
  static let partialEnding = ".partial"

  private struct Partial: ~Copyable {
    var output: CaptureOutput
    var encoder: ProfileEncoder
    var failure: CaptureFileError?
  }

  /// Creates the growing file, and checks that the capture can be written in the end.
  ///
  /// - Parameters:
  ///   - path: the path of the finished capture.
  ///   - replacing: whether existing files may be overwritten.
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
      try output.append(GzipMember.compressing(encoder.take()))
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
        try partial?.output.append(GzipMember.compressing(bytes))
      } catch {
        partial?.failure = error
      }
    }
  }

  /// Writes the whole capture under a temporary name, renames it to `path` and removes the growing
  /// file, which stays when that fails.
  package func finish(_ profile: Profile) throws(CaptureFileError) {
    try CaptureWriter(unchecked: path).finish(profile)
    cancel()
  }

  /// Removes the growing file.
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
