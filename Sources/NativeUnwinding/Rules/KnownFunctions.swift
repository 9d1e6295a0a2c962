internal import ProfileModel

/// The functions whose unwind data were read, by their code.
///
/// Samples keep coming from new addresses, but seldom from a new function, and most addresses of a
/// function share a few rules: finding them here takes a fiftieth of reading them anew.
struct KnownFunctions {
  struct Function {
    let code: Range<RemoteAddress>
    let module: ModuleID
    /// What the loader added to the file's addresses; wraps around.
    let bias: UInt64
    /// Where libunwind finds the frame description entry.
    let entry: RemoteAddress
    /// What all frames of the function have in common.
    let frame: CachedFrame
    /// The rules that were needed, with the addresses of each.
    fileprivate(set) var rows: [(code: Range<RemoteAddress>, rule: UInt32)] = []

    init(
      code: Range<RemoteAddress>, module: ModuleID, bias: UInt64, entry: RemoteAddress,
      frame: CachedFrame
    ) {
      self.code = code
      self.module = module
      self.bias = bias
      self.entry = entry
      self.frame = frame
    }

    func rule(for pc: RemoteAddress) -> UInt32? { rows.first { $0.code.contains(pc) }?.rule }
  }

  /// Ascending by their starts, without overlap.
  private var functions: [Function] = []
  /// Hostile unwind data may have a row for each byte.
  private static let rowLimit = 64

  /// The place of the function that holds `pc`; good until the next insertion.
  func index(of pc: RemoteAddress) -> Int? {
    let next = functions.partitioningIndex { $0.code.lowerBound > pc }
    return next > 0 && functions[next - 1].code.contains(pc) ? next - 1 : nil
  }

  subscript(index: Int) -> Function { functions[index] }

  /// Adds a function, unless it overlaps another, as those of broken files may.
  ///
  /// Returns its place.
  mutating func insert(_ function: Function) -> Int? {
    let place = functions.partitioningIndex { $0.code.lowerBound >= function.code.lowerBound }
    let isBehind = place == 0 || functions[place - 1].code.upperBound <= function.code.lowerBound
    let isBefore =
      place == functions.count || function.code.upperBound <= functions[place].code.lowerBound
    guard !function.code.isEmpty, isBehind, isBefore else { return nil }
    functions.insert(function, at: place)
    return place
  }

  mutating func add(rule: UInt32, for code: Range<RemoteAddress>, at index: Int) {
    guard functions[index].rows.count < Self.rowLimit else { return }
    functions[index].rows.append((code, rule))
  }

  mutating func removeAll() { functions.removeAll() }
}
