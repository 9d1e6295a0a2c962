internal import FoundationEssentials
internal import ProfileModel

/// One `comment` line of a capture, for what pprof has no field for: `sprof:v1 ` and a JSON object.
///
/// docs/capture.md describes it.
struct CaptureComment: Codable {
  static let prefix = "sprof:v1 "

  /// The version of sprof that wrote the file.
  var version: String?
  /// Whether the capture is complete; false in a growing file.
  var complete: Bool?
  var capture: Capture?
  var progress: Progress?
  var threads: [Thread]?
  /// Why modules have no names, by the number of their mapping from 0.
  var problems: [Problem]?
  var waits: [Waiting]?
  var tasks: Tasks?

  init() {}

  /// Reads a comment line; nil for one of another tool.
  init?(line: String) throws(CaptureFileError) {
    guard line.hasPrefix(Self.prefix) else { return nil }
    do {
      let data = Data(line.utf8.dropFirst(Self.prefix.utf8.count))
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch {
      throw .damaged(.header)
    }
  }

  var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    // The numbers are finite: those that JSON has no form for are replaced before.
    let data = (try? encoder.encode(self)) ?? Data("{}".utf8)
    return Self.prefix + String(decoding: data, as: UTF8.self)
  }

  /// How far a capture is, in a growing file.
  struct Progress: Codable {
    var duration, ticksPlanned, ticksTaken, stopped: Int64

    enum CodingKeys: String, CodingKey {
      case duration = "duration_ns"
      case ticksPlanned = "ticks_planned"
      case ticksTaken = "ticks_taken"
      case stopped = "stopped_ns"
    }
  }

  struct Problem: Codable {
    var module: Int
    var problem: String
  }
}
