internal import LinuxProcess
internal import ProfileModel

/// Reads the elements of a set that `ConcurrentHashMap.newKeySet` has made, which threads change meanwhile.
///
/// Every list that is followed has a limit: what is torn ends, and gives what was there.
struct JavaSet {
  let objects: JavaObjects
  let memory: JavaMemory

  /// More elements than this are left out.
  static let limit = 1 << 20
  /// Places of the table, half of which are empty.
  private static let placeLimit = 1 << 22
  /// Elements in one place of the table; more than a handful have all the same hash.
  private static let chainLimit = 1 << 12
  /// What `hash` is of nodes without an element (java/util/concurrent/ConcurrentHashMap.java).
  private static let (moved, tree) = (Int32(-1), Int32(-2))

  private static let map = "java.util.concurrent.ConcurrentHashMap"

  /// The elements; nil where they cannot be read.
  func elements(of set: RemoteAddress) -> [RemoteAddress]? {
    guard
      let map = objects.reference("map", of: set, declaredBy: Self.map + "$CollectionView", memory)
    else { return nil }
    // It is made with the first element.
    guard let table = objects.reference("table", of: map, declaredBy: Self.map, memory) else {
      return objects.ancestor(named: Self.map, of: map, memory) == nil ? nil : []
    }
    guard let places = objects.elements(ofArray: table, limit: Self.placeLimit, memory) else {
      return nil
    }
    var result = Found()
    guard follow(places, &result) else { return nil }
    if result.hasMoved,
      let next = objects.reference("nextTable", of: map, declaredBy: Self.map, memory),
      let more = objects.elements(ofArray: next, limit: Self.placeLimit, memory)
    {
      _ = follow(more, &result)
    }
    return result.elements
  }

  private struct Found {
    var elements: [RemoteAddress] = []
    /// Whether the table is being replaced by a larger one.
    var hasMoved = false
  }

  private struct NodeLayout {
    let holder: RemoteAddress
    let hash: Int
    let key: Int
    let next: Int
    let size: Int
  }

  /// Follows the nodes of all places at once, a step of each chain at a time.
  private func follow(_ places: [RemoteAddress], _ result: inout Found) -> Bool {
    guard let first = places.first else { return true }
    guard let node = layout(ofNode: first) else { return false }
    var open = places
    var nodesLeft = 2 * Self.placeLimit
    for _ in 0..<Self.chainLimit where !open.isEmpty && nodesLeft > 0 {
      nodesLeft -= open.count
      var next: [RemoteAddress] = []
      for part in open.inParts(of: 4096) {
        var pieces = MemoryPieces()
        memory.read(part.map { MemoryRange(start: $0, count: node.size) }, into: &pieces)
        for (address, place) in zip(part, pieces.places) {
          guard let place, result.elements.count < Self.limit,
            let hash = pieces.value(at: place + node.hash, as: Int32.self)
          else { continue }
          if hash == Self.moved { result.hasMoved = true }
          if hash == Self.tree, let root = self.tree(address) { next.append(root) }
          guard hash >= 0 else { continue }
          if let key = objects.reference(in: pieces, at: place + node.key) {
            result.elements.append(key)
          }
          if let following = objects.reference(in: pieces, at: place + node.next) {
            next.append(following)
          }
        }
      }
      open = next
    }
    return true
  }

  private func tree(_ bin: RemoteAddress) -> RemoteAddress? {
    objects.reference("first", of: bin, declaredBy: Self.map + "$TreeBin", memory)
  }

  /// Where the fields are that all kinds of nodes have.
  private func layout(ofNode node: RemoteAddress) -> NodeLayout? {
    guard let holder = objects.ancestor(named: Self.map + "$Node", of: node, memory),
      let fields = objects.fields(of: holder, memory), let hash = fields.offset("hash"),
      let key = fields.offset("key"), let next = fields.offset("next")
    else { return nil }
    return NodeLayout(
      holder: holder, hash: hash, key: key, next: next, size: max(hash, key, next) + 8)
  }
}
