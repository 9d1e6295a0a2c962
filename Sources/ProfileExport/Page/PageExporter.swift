internal import ProfileAnalysis
package import ProfileModel

/// The report as one HTML page with script, style and data inside: it opens from disk and loads nothing
/// from the network.
package struct PageExporter: ProfileExporter {
  /// Turns bytes into one gzip member.
  package typealias Compressor = (_ bytes: [UInt8]) -> [UInt8]

  private let compress: Compressor?
  private let sources: PageSources?
  private let showsVerdict: Bool
  private let showsNative: Bool
  private let freezeThreshold: Int64
  private let whole: Profile?

  /// - Parameters:
  ///   - compress: without it the page is about three times as large.
  ///   - sources: adds the lines of source that were sampled.
  ///   - showsVerdict: false for a part of a capture, which holds too little.
  ///   - showsNative: whether stacks with interpreted frames have their native ones, too.
  ///   - freezeThreshold: what counts as a freeze, in nanoseconds.
  ///   - whole: the profile with all threads, where the page has some: those that held them up.
  package init(
    compress: Compressor? = nil, sources: PageSources? = nil, showsVerdict: Bool = true,
    showsNative: Bool = true, freezeThreshold: Int64 = FreezeRule.defaultThreshold,
    whole: Profile? = nil
  ) {
    self.compress = compress
    self.sources = sources
    self.showsVerdict = showsVerdict
    self.showsNative = showsNative
    self.freezeThreshold = freezeThreshold
    self.whole = whole
  }

  /// Whether a file that begins with `bytes` is a page of sprof's, of a report or a comparison.
  package static func isPage(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
    return text.hasPrefix("<!DOCTYPE html>") && text.contains(HTMLPage.generator)
  }

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let diagnosis = Diagnosis(profile, freezes: FreezeRule(threshold: freezeThreshold))
    let capture = profile.capture
    let page = HTMLPage(title: capture.pageTitle)
    page.write(compress: compress, to: &output) { json, columns in
      json.member("kind", "profile")
      json.array("profiles") { json in
        json.object { json in
          if showsVerdict && capture.hasVerdict {
            json.object("verdict") { $0.members(ofPageVerdictOf: diagnosis) }
          }
          json.members(ofPageWaitsOf: diagnosis)
          json.members(ofPageFreezesOf: diagnosis)
          writeBlame(diagnosis, to: &json, &columns)
          let index = diagnosis.shownIndex(withNative: showsNative)
          PageProfile(diagnosis, index).write(to: &json, &columns, sources: sources)
        }
      }
    }
  }

  private func writeBlame(
    _ diagnosis: Diagnosis, to json: inout JSONWriter, _ columns: inout PageColumns
  ) {
    let shown = diagnosis.index.profile.threads
    guard let whole else {
      return json.members(ofPageBlameOf: diagnosis, threads: Array(shown.indices), &columns)
    }
    let chosen = Set(shown.map(PageThread.init))
    let threads = whole.threads.indices.filter { chosen.contains(PageThread(whole.threads[$0])) }
    json.members(ofPageBlameOf: Diagnosis(whole), threads: threads, &columns)
  }
}

/// A thread by what does not change when others are left out.
private struct PageThread: Hashable {
  let tid: Int32
  let firstSeen: Int64

  init(_ thread: ThreadInfo) { (tid, firstSeen) = (thread.tid, thread.firstSeen) }
}

/// Text of source files, for a page that shows what their lines cost.
package struct PageSources {
  /// The most text on a page, in bytes.
  static let sizeLimit = 4 << 20
  /// Lines that are shown above and below each sampled one.
  private static let context = 6

  private let read: (_ path: String) -> [Substring]?

  /// `read` returns the lines of a file; nil when it does not exist or is not source.
  package init(read: @escaping (_ path: String) -> [Substring]?) { self.read = read }

  /// The lines of a file around those given, with their numbers; nil where nothing was found.
  func lines(of file: String, around wanted: Set<Int>) -> [(Int, String)]? {
    guard let texts = read(file) else { return nil }
    var shown: Set<Int> = []
    for line in wanted where line <= texts.count {
      shown.formUnion(max(1, line - Self.context)...min(texts.count, line + Self.context))
    }
    return shown.isEmpty ? nil : shown.sorted().map { ($0, String(texts[$0 - 1].prefix(400))) }
  }
}

extension CaptureInfo {
  /// Target and time.
  var pageTitle: String {
    let time = startTime > 0 ? " · " + CalendarTime(startTime).words : ""
    return "\(exportedName)\(time) · sprof"
  }

  /// What the text report says below its verdict.
  var words: [String] {
    guard kind != .imported else { return [sentence] }
    return [sentence] + [costClauses.joined(separator: " · ")]
  }
}
