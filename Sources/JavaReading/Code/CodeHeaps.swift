internal import LinuxProcess
internal import ProfileModel

/// The memory that compiled code, the interpreter and stubs are in.
///
/// A map of bytes says for each segment how far back its blob begins: 0 for the first one, 0xff for
/// memory that is free (src/hotspot/share/memory/heap.hpp).
struct CodeHeaps: Sendable {
  struct Heap: Sendable {
    /// All that the heap may ever take; what it has of that grows.
    let range: Range<RemoteAddress>
    let segmentMap: RemoteAddress
    let segmentSizeLog: Int
  }

  let heaps: [Heap]
  private let blockHeader: Int

  /// There are three of them at most, and one where the code cache is small.
  private static let heapLimit = 16
  /// Steps back of up to 254 segments each: more than the largest blob takes.
  private static let stepLimit = 1 << 12
  private static let window = 1 << 12

  init?(_ layout: CodeLayout, memory: JavaMemory) {
    guard let list = memory.address(at: layout.heaps),
      let count = memory.int(at: list + layout.arrayLength), (1...Self.heapLimit).contains(count),
      let data = memory.address(at: list + layout.arrayData)
    else { return nil }
    var heaps: [Heap] = []
    for number in 0..<count {
      guard let heap = memory.address(at: data + number * 8),
        let low = memory.address(at: heap + layout.memory + layout.lowBoundary),
        let high = memory.address(at: heap + layout.memory + layout.highBoundary), low < high,
        let map = memory.address(at: heap + layout.segmentMap + layout.low),
        let log = memory.int(at: heap + layout.segmentSizeLog), (4...16).contains(log)
      else { return nil }
      heaps.append(Heap(range: low..<high, segmentMap: map, segmentSizeLog: log))
    }
    self.heaps = heaps
    blockHeader = layout.blockHeader
  }

  func contains(_ address: RemoteAddress) -> Bool {
    heaps.contains { $0.range.contains(address) }
  }

  /// Where the blob around an address begins; nil where there is none.
  ///
  /// One read, or a few more.
  func blob(at address: RemoteAddress, memory: JavaMemory) -> RemoteAddress? {
    guard let heap = heaps.first(where: { $0.range.contains(address) }) else { return nil }
    let offset = Int(clamping: address.distance(from: heap.range.lowerBound))
    var segment = offset >> heap.segmentSizeLog
    var piece: RemoteBytes?
    for _ in 0..<Self.stepLimit {
      let place = heap.segmentMap + segment
      if piece.map({ place < $0.start || place >= $0.end }) ?? true {
        let start = max(0, segment - Self.window + 1)
        piece = memory.bytes(at: heap.segmentMap + start, count: segment - start + 1)
      }
      guard let known = piece,
        let step = known.byte(at: Int(clamping: place.distance(from: known.start)))
      else { return nil }
      if step == 0 {
        return heap.range.lowerBound + (segment << heap.segmentSizeLog) + blockHeader
      }
      guard step != 0xff, segment >= Int(step) else { return nil }
      segment -= Int(step)
    }
    return nil
  }
}
