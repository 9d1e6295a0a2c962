internal import FoundationEssentials
internal import ProfileAnalysis
package import ProfileModel

/// All that a capture saw, as one JSON object for programs; `docs/json.md` describes it.
package struct JSONReport {
  /// The version of the object's layout: it changes when a key goes or changes its meaning.
  package static let schema = 1

  private let index: ProfileIndex
  private let threads: [Int]

  /// A report on `profile`; of the options only the thread filter counts.
  package init(_ profile: Profile, options: ReportOptions = ReportOptions()) {
    index = ProfileIndex(profile)
    threads = index.threads(matching: options.threadFilter)
  }

  /// Writes the object in one line, with a newline at its end.
  ///
  /// - Throws: `EncodingError`, which only a defect of sprof can cause.
  package func write(to output: inout some TextOutputStream) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    let data = try encoder.encode(JSONDocument(index, threads: threads))
    output.write(String(decoding: data, as: UTF8.self))
    output.write("\n")
  }
}
