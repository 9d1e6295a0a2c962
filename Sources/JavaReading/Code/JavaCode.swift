internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// The code and the methods of one VM, as far as they were met.
///
/// What is taken from here without a new read is noted, and checked by `refuted`: the VM frees code, and
/// puts other code into its place.
final class JavaCode {
  let layout: HotSpotLayout
  let heaps: CodeHeaps
  let methods: JavaMethods
  /// Where calls of Java by the VM return to.
  let callStubReturn: RemoteAddress
  private var blobs: [RemoteAddress: CodeBlob] = [:]
  /// By address of code: the blob around it.
  private var blobAt: [RemoteAddress: CodeBlob] = [:]
  /// The blobs and methods taken since the last check, with the functions that came of each.
  private var usedBlobs: [RemoteAddress: Set<UInt32>] = [:]
  private var usedMethods: [RemoteAddress: UInt32] = [:]
  /// The functions that came of blobs which were found to be replaced since the last check.
  private var replaced: Set<UInt32> = []

  private static let blobLimit = 1 << 14
  private static let addressLimit = 1 << 16

  init?(_ layout: HotSpotLayout, memory: JavaMemory) {
    guard let heaps = CodeHeaps(layout.code, memory: memory),
      let stub = memory.address(at: layout.code.callStubReturn)
    else { return nil }
    self.layout = layout
    self.heaps = heaps
    callStubReturn = stub
    methods = JavaMethods(layout.methods, version: layout.version)
  }

  /// The blob around an address; nil for code that is none of the VM's.
  func blob(at pc: RemoteAddress, memory: JavaMemory) -> CodeBlob? {
    if let known = blobAt[pc] { return known }
    guard heaps.contains(pc), let start = heaps.blob(at: pc, memory: memory) else { return nil }
    var blob = blobs[start].flatMap { $0.contains(pc) ? $0 : nil }
    if blob == nil {
      blob = CodeBlob(at: start, layout.code, version: layout.version, memory: memory)
    }
    guard let blob, blob.contains(pc) else { return nil }
    if let old = blobs[start], old !== blob {
      // A longer one took its place.
      replaced.formUnion(usedBlobs.removeValue(forKey: start) ?? [])
      forget(old)
    }
    if blobs.count >= Self.blobLimit { forgetBlobs() }
    blobs[start] = blob
    if blobAt.count >= Self.addressLimit { blobAt.removeAll() }
    blobAt[pc] = blob
    return blob
  }

  /// A method that a frame is of; nil where there is none at the address.
  func method(at address: RemoteAddress, memory: JavaMemory) -> JavaMethod? {
    guard let method = methods.method(at: address, memory: memory) else { return nil }
    usedMethods[address] = method.function.number
    return method
  }

  /// The frames of compiled code at an address, the innermost first.
  func frames(
    of blob: CodeBlob, method: RemoteAddress, at pc: RemoteAddress, memory: JavaMemory
  ) -> [RuntimeFrame] {
    var frames = (blob.scopes?.scopes(at: pc, memory: memory) ?? []).compactMap { scope in
      self.method(at: scope.method, memory: memory).map { frame(of: $0, scope.bytecode) }
    }
    // Native methods have no scopes, and code that was torn or freed no right ones.
    if frames.isEmpty, let own = self.method(at: method, memory: memory) {
      frames = [frame(of: own, nil)]
    }
    let numbers = frames.compactMap(\.function?.number)
    usedBlobs[blob.start, default: []].formUnion(numbers)
    return frames
  }

  /// A frame at a bytecode of a method; below 0 for its beginning, nil where that is not known.
  func frame(of method: JavaMethod, _ bytecode: Int32?) -> RuntimeFrame {
    RuntimeFrame(
      function: method.function, code: method.address,
      line: bytecode.flatMap { method.function.line(at: $0) })
  }

  // MARK: - Checks

  /// The functions that came of code or methods which are not what they were.
  func refuted(memory: JavaMemory) -> Set<UInt32> {
    defer {
      usedBlobs.removeAll(keepingCapacity: true)
      usedMethods.removeAll(keepingCapacity: true)
      replaced.removeAll(keepingCapacity: true)
    }
    var result = replaced
    let blobs = usedBlobs.compactMap { entry in self.blobs[entry.key].map { ($0, entry.value) } }
    let marks = blobs.map(\.0.mark)
    for index in Self.changed(marks.map { ($0.ranges, $0.bytes) }, memory) {
      result.formUnion(blobs[index].1)
      forget(blobs[index].0)
    }
    let methods = usedMethods.compactMap { entry in
      self.methods.method(at: entry.key, memory: memory).map { ($0, entry.value) }
    }
    let pieces = methods.map { method, _ in
      ([self.methods.mark(of: method.address)], Self.bytes(of: method.constMethod.rawValue))
    }
    for index in Self.changed(pieces, memory) {
      result.insert(methods[index].1)
      self.methods.forget(methods[index].0.address)
    }
    return result
  }

  private static func bytes(of word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }

  /// The indexes of the pieces of memory whose bytes are not these.
  private static func changed(
    _ pieces: [(ranges: [MemoryRange], bytes: [UInt8])], _ memory: JavaMemory
  ) -> [Int] {
    guard !pieces.isEmpty else { return [] }
    let bytes = memory.bytes(of: pieces.flatMap(\.ranges))
    var offset = 0
    var result: [Int] = []
    for (index, piece) in pieces.enumerated() {
      let end = offset + piece.bytes.count
      if end > bytes.count || !bytes[offset..<end].elementsEqual(piece.bytes) {
        // What is behind a piece that is not there was not read: it is looked at by itself.
        let own = end > bytes.count ? memory.bytes(of: piece.ranges) : []
        if own != piece.bytes { result.append(index) }
      }
      offset = end
    }
    return result
  }

  private func forget(_ blob: CodeBlob) {
    blobs[blob.start] = nil
    blobAt = blobAt.filter { $0.value !== blob }
  }

  private func forgetBlobs() {
    blobs.removeAll()
    blobAt.removeAll()
    usedBlobs.removeAll()
  }
}
