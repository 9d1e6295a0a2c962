package import ProfileModel

/// A profile as pprof tools expect it: one message in one gzip member, with equal samples added up,
/// and without what only sprof reads.
package enum PprofFile {
  private struct Place: Hashable {
    let thread: Int
    let stack: StackID
    let activity: Activity
  }

  /// Passes the bytes of the file to `output`, a piece at a time.
  package static func write(_ profile: Profile, to output: ([UInt8]) -> Void) {
    var profile = profile
    // Frames of stacks that a filter left out would be locations without samples.
    profile.renumberStacks()
    var encoder = ProfileEncoder(isPlain: true)
    encoder.describe(profile.capture)
    encoder.add(comment: "sprof \(SprofVersion.current)")
    for note in profile.capture.notes { encoder.add(comment: note.words) }
    for (number, module) in profile.modules.enumerated() {
      encoder.add(module, number: Int32(clamping: number))
    }
    for (index, thread) in profile.threads.enumerated() { encoder.add(thread, index: index) }
    for (index, frame) in profile.stacks.frames.enumerated() {
      let symbol = index < profile.symbols.count ? profile.symbols[index] : nil
      encoder.add(FrameID(UInt32(index)), frame, named: symbol)
    }
    for run in addedUp(profile.runs) {
      encoder.add(run, frames: profile.stacks.frames(of: run.stack))
    }
    var gzip = GzipEncoder()
    gzip.add(encoder.take()) { output(Array($0)) }
    gzip.finish { output(Array($0)) }
  }

  /// One run for each stack in which a thread did the same, in the order of the first.
  private static func addedUp(_ runs: RunList) -> RunList {
    var sums = RunList()
    var places: [Place: Int] = [:]
    for run in runs {
      let place = Place(thread: run.thread, stack: run.stack, activity: run.activity)
      if let known = places[place] {
        sums[known].weight += run.weight
      } else {
        places[place] = sums.count
        sums.append(run)
      }
    }
    return sums
  }
}
