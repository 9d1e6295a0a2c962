internal import LinuxProcess
internal import ProfileModel

/// What sets an object of bytes or characters, by the first of them, apart from another one at the same
/// address.
struct PythonObjectMark {
  let address: RemoteAddress
  let count: Int
  private let fingerprint: UInt64
  /// The reference count, which changes all the time, and the type.
  private static let header = 16

  /// Of an object that the copies hold.
  init(at address: RemoteAddress, count: Int, in copies: MemoryCopies) {
    self.address = address
    self.count = count
    fingerprint = unsafe copies.withBytes(at: address, count: count, Self.fingerprint) ?? 0
  }

  var range: MemoryRange { MemoryRange(start: address, count: count) }

  func isCopied(_ copies: MemoryCopies) -> Bool { copies.holds(range) }

  func isSame(in copies: MemoryCopies) -> Bool {
    unsafe copies.withBytes(at: address, count: count, isSame) ?? false
  }

  /// Whether these `count` bytes are those of the same object.
  func isSame(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe Self.fingerprint(bytes) == fingerprint
  }

  private static func fingerprint(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var result = UInt64(bytes.count)
    var place = min(header, bytes.count)
    func mix(_ word: UInt64) {
      let product = (result ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
      result = product.high ^ product.low &+ 0x2545_f491_4f6c_dd1d
    }
    while place + 8 <= bytes.count {
      mix(unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      place += 8
    }
    var rest: UInt64 = 0
    for index in place..<bytes.count { rest = rest << 8 | UInt64(unsafe bytes[index]) }
    mix(rest)
    return result
  }
}
