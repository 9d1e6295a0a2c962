internal import ProfileModel

/// The meaning of a sample's values.
struct SampleTypes {
  private struct Column {
    let position: Int
    /// Nanoseconds, or counts, that one of it stands for.
    let factor: Int64
  }

  private let count: Int
  private var samples: Column?
  private var ticks: Column?
  private var cpu: Column?
  private var wall: Column?
  private var delay: Column?
  /// Nanoseconds that a sample stands for in a profile without times; 0 in one with times.
  private var period: Int64 = 0
  /// What the user should know of the conversion, in whole sentences.
  private(set) var notes: [CaptureNote] = []
  /// Samples a second, 0 when not known.
  private(set) var rate: Double = 0

  private static let timeUnits: [String: Int64] = [
    "nanoseconds": 1, "nanosecond": 1, "ns": 1, "microseconds": 1000, "microsecond": 1000,
    "us": 1000, "µs": 1000, "milliseconds": 1_000_000, "millisecond": 1_000_000, "ms": 1_000_000,
    "seconds": 1_000_000_000, "second": 1_000_000_000, "s": 1_000_000_000,
  ]

  /// Whether CPU times are known.
  var tellsCPU: Bool { cpu != nil }

  init(_ tables: Perftools_Profiles_Profile) throws(CaptureFileError) {
    count = tables.sampleType.count
    var times: [(name: String, column: Column)] = []
    var others: [String] = []
    let preferred = try tables.text(tables.defaultSampleType)
    for (position, type) in tables.sampleType.enumerated() {
      let name = try tables.text(type.type)
      let unit = try tables.text(type.unit)
      if let factor = Self.timeUnits[unit] {
        times.append((name, Column(position: position, factor: factor)))
      } else if unit == "count" || name == "samples" {
        let column = Column(position: position, factor: 1)
        if name == "ticks" { ticks = column } else if samples == nil { samples = column }
      } else {
        others.append("\(name) (\(unit))")
      }
    }
    cpu = times.first { $0.name == "cpu" }?.column
    wall = times.first { $0.name == "wall" }?.column
    delay = times.first { $0.name == "delay" && times.count > 1 }?.column
    if cpu == nil, wall == nil {
      // The one that viewers show, as pprof does: the named one, or the last.
      wall = (times.first { $0.name == preferred } ?? times.last)?.column
    }
    if cpu == nil, wall == nil, samples == nil { throw .noSampleTypes }
    if !others.isEmpty {
      notes.append("Values of the file that are not shown: \(others.joined(separator: ", ")).")
    }
    try setPeriod(tables)
  }

  private mutating func setPeriod(
    _ tables: Perftools_Profiles_Profile
  ) throws(CaptureFileError) {
    let unit = try tables.text(tables.periodType.unit)
    let (known, isTooLarge) = max(0, tables.period).multipliedReportingOverflow(
      by: Self.timeUnits[unit] ?? 0)
    let nanoseconds = isTooLarge ? 0 : known
    if nanoseconds > 0 { rate = 1e9 / Double(nanoseconds) }
    guard cpu == nil, wall == nil else { return }
    period = nanoseconds > 0 ? nanoseconds : 10_000_000
    if nanoseconds == 0 {
      notes.append("The file has counts, not times: each count is taken as 10 ms.")
    }
  }

  /// What a sample weighs; wall time is CPU time where the file has no other.
  func weight(of values: [Int64]) throws(CaptureFileError) -> Weight {
    guard values.count == count else { throw .damaged(.message) }
    var weight = Weight(samples: 1)
    func value(_ column: Column?) -> Int64? {
      guard let column else { return nil }
      let (product, isTooLarge) = values[column.position].multipliedReportingOverflow(
        by: column.factor)
      return isTooLarge ? .max : product
    }
    weight.samples = value(samples) ?? 1
    weight.ticks = value(ticks) ?? weight.samples
    weight.cpu = value(cpu) ?? 0
    weight.delay = value(delay) ?? 0
    if period > 0 {
      let (time, isTooLarge) = weight.samples.multipliedReportingOverflow(by: period)
      weight.wall = isTooLarge ? .max : time
    } else {
      weight.wall = value(wall) ?? weight.cpu
    }
    return weight
  }
}
