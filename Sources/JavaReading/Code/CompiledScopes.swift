internal import ProfileModel

/// Which methods a compiled one has inlined at each of its addresses that have debug data
/// (src/hotspot/share/code/pcDesc.hpp, debugInfo.hpp).
///
/// Calls, and all places where the thread may stop for the VM, have such data; between them the next
/// place stands for an address.
final class CompiledScopes {
  /// A method, and the bytecode that runs in it; below 0 for its beginning.
  struct Scope: Hashable {
    let method: RemoteAddress
    let bytecode: Int32
  }

  private let pcs: Range<RemoteAddress>
  private let data: RemoteAddress
  private let metadata: RemoteAddress
  /// How many words of metadata there are; nil where that is not known.
  private let metadataCount: Int?
  private let codeBegin: RemoteAddress
  private let pcDescSize: Int
  private let version: Int
  /// Offsets of code and of scopes, ascending; nil before they were read.
  private var places: [(code: Int32, scope: Int32)]?
  /// By the offset of a scope.
  private var known: [Int32: [Scope]] = [:]

  /// Methods that are inlined into each other; HotSpot's limit is 15 by default.
  private static let depthLimit = 256
  /// Of the places, in bytes: those of the longest methods take some tens of KiB.
  private static let placeLimit: UInt64 = 512 << 10
  private static let metadataLimit = 1 << 16

  init?(
    _ header: RemoteBytes, _ layout: ScopeLayout, codeBegin: RemoteAddress, version: Int
  ) {
    // Three numbers of four bytes, and flags.
    guard (8...64).contains(layout.pcDescSize) else { return nil }
    let start = header.start
    guard let pcOffset = header.int(at: layout.pcs), pcOffset >= 0 else { return nil }
    // Since JDK 23 in memory of its own.
    let base = layout.immutableData.flatMap { header.address(at: $0) } ?? start
    let first = base + pcOffset
    if let begin = layout.scopesDataBegin.flatMap({ header.address(at: $0) }) {
      data = begin
    } else if let offset = layout.scopesDataOffset.flatMap({ header.int(at: $0) }) {
      data = base + offset
    } else {
      return nil
    }
    let last =
      layout.immutableData == nil
      ? layout.dependencies.flatMap { header.int(at: $0) }.map { start + $0 } : data
    guard let last, first <= last, last.distance(from: first) <= Self.placeLimit else {
      return nil
    }
    pcs = first..<last
    if let offset = layout.metadata.flatMap({ Self.offset(at: $0, header, layout) }) {
      let dataStart = header.int(at: layout.dataOffset) ?? 0
      metadata = start + offset + (layout.immutableData == nil ? 0 : dataStart)
      metadataCount = nil
    } else if let place = layout.mutableData.flatMap({ header.address(at: $0) }),
      let relocation = layout.relocationSize.flatMap({ header.int(at: $0) }),
      let size = layout.mutableDataSize.flatMap({ header.int(at: $0) }), size >= relocation
    {
      metadata = place + relocation
      metadataCount = (size - relocation) / 8
    } else {
      return nil
    }
    self.codeBegin = codeBegin
    self.version = version
    pcDescSize = layout.pcDescSize
  }

  /// An offset of 32 bits, or of 16 since JDK 23.
  private static func offset(
    at place: Int, _ header: RemoteBytes, _ layout: ScopeLayout
  ) -> Int? {
    layout.immutableData == nil
      ? header.int(at: place) : header.value(at: place, as: UInt16.self).map { Int($0) }
  }

  /// Whether a call returns to exactly this address.
  func isCallReturn(_ pc: RemoteAddress, memory: JavaMemory) -> Bool {
    let offset = Int64(bitPattern: pc.distance(from: codeBegin))
    let places = places(memory)
    let index = places.partitioningIndex { Int64($0.code) >= offset }
    return places.indices.contains(index) && Int64(places[index].code) == offset
  }

  /// The methods that run at an address, the innermost first; empty where nothing is known.
  func scopes(at pc: RemoteAddress, memory: JavaMemory) -> [Scope] {
    let offset = Int64(bitPattern: pc.distance(from: codeBegin))
    let places = places(memory)
    let index = places.partitioningIndex { Int64($0.code) >= offset }
    // The last one is a mark at the greatest offset.
    guard index < places.count, places[index].scope > 0 else { return [] }
    let scope = places[index].scope
    if let known = known[scope] { return known }
    let read = read(scope, memory)
    known[scope] = read
    return read
  }

  private func places(_ memory: JavaMemory) -> [(code: Int32, scope: Int32)] {
    if let places { return places }
    let count = Int(clamping: pcs.upperBound.distance(from: pcs.lowerBound))
    var result: [(code: Int32, scope: Int32)] = []
    if let bytes = memory.bytes(at: pcs.lowerBound, count: count) {
      for place in stride(from: 0, through: count - pcDescSize, by: pcDescSize) {
        guard let code = bytes.value(at: place, as: Int32.self),
          let scope = bytes.value(at: place + 4, as: Int32.self)
        else { break }
        guard result.last.map({ $0.code <= code }) ?? true else { break }
        result.append((code, scope))
      }
    }
    places = result
    return result
  }

  private func read(_ offset: Int32, _ memory: JavaMemory) -> [Scope] {
    var result: [Scope] = []
    var next = offset
    while next > 0, result.count < Self.depthLimit {
      // Three numbers of up to five bytes.
      guard let bytes = memory.beginning(at: data + Int(next), count: 15) else { return result }
      var stream = Unsigned5(bytes.bytes, version: version)
      guard let sender = stream.next(), let method = stream.next(), let bytecode = stream.next(),
        let address = self.method(Int(method), memory)
      else { return result }
      result.append(Scope(method: address, bytecode: Int32(truncatingIfNeeded: bytecode) &- 1))
      // A caller's scope was written before.
      guard Int64(sender) < Int64(next) else { return result }
      next = Int32(truncatingIfNeeded: sender)
    }
    return result
  }

  /// The method of that number; numbers count from 1.
  private func method(_ number: Int, _ memory: JavaMemory) -> RemoteAddress? {
    guard number > 0, number <= metadataCount ?? Self.metadataLimit else { return nil }
    return memory.address(at: metadata + (number - 1) * 8)
  }
}
