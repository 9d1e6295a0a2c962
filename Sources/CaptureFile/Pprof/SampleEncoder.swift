internal import ProfileModel

/// The bytes of pprof samples, one after the other as in a message.
struct SampleEncoder {
  private struct Kind: Hashable {
    let activity: Activity
    let end: StackEnd
    let unseenSleeps: UnseenSleeps

    init(_ run: Run) {
      (activity, end, unseenSleeps) = (run.activity, run.end, run.unseenSleeps)
    }
  }

  private(set) var count = 0
  private var bytes: [UInt8] = []
  private var kindLabels: [Kind: [UInt8]] = [:]

  /// The bytes of all samples since the last call.
  mutating func take() -> [UInt8] {
    defer {
      bytes.removeAll(keepingCapacity: true)
      count = 0
    }
    return bytes
  }

  /// The bytes that were kept for what the thread did in `run`.
  func labels(of run: Run) -> [UInt8]? { kindLabels[Kind(run)] }

  /// Keeps the labels of what the thread did in `run`, and returns them.
  mutating func keep(_ labels: [UInt8], as run: Run) -> [UInt8] {
    kindLabels[Kind(run)] = labels
    return labels
  }

  /// Adds a sample; each of `labels` holds the bytes of labels.
  mutating func add(_ run: Run, frames: [FrameID], labels: [[UInt8]]) {
    let weight = run.weight
    let values = [weight.samples, weight.ticks, weight.cpu, weight.wall, weight.delay]
    let locationSize = frames.reduce(0) { $0 + (UInt64($1.rawValue) + 1).varintSize }
    let valueSize = values.reduce(0) { $0 + $1.varintSize }
    var size = 1 + UInt64(valueSize).varintSize + valueSize
    if !frames.isEmpty { size += 1 + UInt64(locationSize).varintSize + locationSize }
    for label in labels { size += label.count }
    bytes.beginField(Field.sample, count: size)
    if !frames.isEmpty {
      bytes.beginField(Field.location, count: locationSize)
      for frame in frames { bytes.appendVarint(UInt64(frame.rawValue) + 1) }
    }
    bytes.beginField(Field.value, count: valueSize)
    for value in values { bytes.appendVarint(UInt64(bitPattern: value)) }
    for label in labels { bytes += label }
    count += 1
  }

  /// Numbers of the fields of `Profile`, and of those of `Sample`.
  private enum Field {
    static let sample: UInt64 = 2
    static let location: UInt64 = 1
    static let value: UInt64 = 2
  }

  /// A label of a sample; texts are given by their index.
  struct SampleLabel {
    /// The number of `Sample.label`.
    private static let field: UInt64 = 3

    let key: Int64
    var text: Int64 = 0
    var number: Int64 = 0
    var unit: Int64 = 0

    /// The label as a field of a sample.
    var bytes: [UInt8] {
      var body: [UInt8] = []
      body.appendField(1, key)
      body.appendField(2, text)
      body.appendField(3, number)
      body.appendField(4, unit)
      var bytes: [UInt8] = []
      bytes.beginField(Self.field, count: body.count)
      return bytes + body
    }
  }
}
