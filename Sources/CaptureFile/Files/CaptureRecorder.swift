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
  private let replacing: Bool
  private let partial: Mutex<Partial?>

  /// The path of the file in which a capture grows that is to be at `path`.
  package static func partialPath(of path: String) -> String { path + ".partial" }

  private struct Partial: ~Copyable {
    var file: DraftFile
    var encoder: ProfileEncoder
    /// Whether the file has what is known of the capture since it has begun.
    var isDescribed = false
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
    self.replacing = replacing
    partialPath = Self.partialPath(of: path)
    try CaptureWriter.check(path, replacing: replacing)
    var encoder = ProfileEncoder(capture)
    encoder.addBeginning(of: capture)
    encoder.addComment()
    // Each capture grows in a file of its own, whatever has the name: with `replacing` the one that
    // began last has it.
    var file = try DraftFile(path: partialPath)
    try file.output.append(GzipMember.compressing(encoder.take()))
    do {
      try file.putInPlace(replacing: replacing, isDurable: false)
    } catch .exists {
      throw .unfinishedExists(path: partialPath)
    }
    partial = Mutex(Partial(file: file, encoder: encoder))
  }

  /// The path of the growing file while it has that name: another capture of the same name, begun
  /// later, takes it.
  package var remainingPath: String? {
    partial.withLock { $0?.file.isFile(at: partialPath) ?? false } ? partialPath : nil
  }

  /// Appends what is new to the growing file, as one gzip member with one write.
  ///
  /// On a full disk the file stops growing; `finish` throws if the disk is still full then.
  package func append(_ growth: ProfileGrowth) {
    partial.withLock { partial in
      guard partial != nil, partial?.failure == nil else { return }
      if let capture = growth.capture, partial?.isDescribed == false {
        partial?.isDescribed = true
        partial?.encoder.addBeginning(of: capture)
      }
      partial?.encoder.add(growth)
      guard let bytes = partial?.encoder.take() else { return }
      do throws(CaptureFileError) {
        try partial?.file.output.append(GzipMember.compressing(bytes))
      } catch {
        partial?.failure = error
      }
    }
  }

  /// Writes the whole capture under a temporary name, renames it to `path` and removes the growing
  /// file, which stays when that fails.
  package func finish(_ profile: Profile) throws(CaptureFileError) {
    try CaptureWriter(unchecked: path, replacing: replacing).finish(profile)
    cancel()
  }

  /// Removes the growing file.
  package func cancel() {
    if remainingPath != nil { unlink(partialPath) }
    partial.withLock { $0 = nil }
  }
}

extension ProfileEncoder {
  /// What is known of a capture that is not over; what comes later counts.
  fileprivate mutating func addBeginning(of capture: CaptureInfo) {
    var facts = CaptureFacts()
    facts.version = SprofVersion.current
    facts.complete = false
    facts.capture = CaptureFacts.Capture(capture)
    add(facts)
  }

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
    var facts = CaptureFacts()
    facts.progress = CaptureFacts.Progress(
      duration: capture.duration, ticksPlanned: capture.cost.ticksPlanned,
      ticksTaken: capture.cost.ticksTaken, stopped: capture.cost.stoppedTime,
      samplesWithoutStop: capture.cost.samplesWithoutStop, stops: capture.cost.stops,
      ownCPU: capture.cost.ownCPU)
    add(facts)
    setDuration(capture.duration)
  }
}
