internal import FoundationEssentials
internal import ProfileModel

/// Facts about a capture that pprof has no field for: `sprof:v1 ` and a JSON object.
///
/// Each is a field of `Profile` with a number that pprof does not use, so that other tools skip it.
/// docs/capture.md describes them.
struct CaptureFacts: Codable {
  /// The field of `Profile` that holds the text of one.
  static let field: UInt64 = 21_360
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
  var history: History?
  var tasks: Tasks?
  var goroutines: GoroutineList?

  init() {}

  /// Reads the text of some facts; nil for a text of another tool.
  init?(text: String) throws(CaptureFileError) {
    guard text.hasPrefix(Self.prefix) else { return nil }
    do {
      let data = Data(text.utf8.dropFirst(Self.prefix.utf8.count))
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch {
      throw .damaged(.header)
    }
  }

  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    // The numbers are finite: those that JSON has no form for are replaced before.
    let data = (try? encoder.encode(self)) ?? Data("{}".utf8)
    return Self.prefix + String(decoding: data, as: UTF8.self)
  }

  /// How far a capture is, in a growing file.
  struct Progress: Codable {
    var duration, ticksPlanned, ticksTaken, stopped: Int64
    /// Missing in files of older versions.
    var samplesWithoutStop, stops, ownCPU: Int64?

    enum CodingKeys: String, CodingKey {
      case stops
      case samplesWithoutStop = "samples_without_stop"
      case ownCPU = "own_cpu_ns"
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
