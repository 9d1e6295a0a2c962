internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// Finds the functions around a wait in a program whose C library has no unwind data, as musl.
struct ReturnAddresses {
  /// Where the program has code; empty for programs that use glibc, whose stacks can be unwound.
  private let code: [Range<RemoteAddress>]

  /// Reads the maps.
  init(_ memory: ProcessMemory) {
    let mappings = (try? memory.maps())?.mappings ?? []
    let isGlibc = mappings.contains {
      $0.isExecutable
        && ($0.path.hasSuffix("/libc.so.6")
          || $0.path.hasSuffix(".so") && $0.path.contains("/libc-2."))
    }
    code = isGlibc ? [] : mappings.filter { $0.isExecutable && $0.isFile }.map { $0.start..<$0.end }
  }

  /// The addresses on the innermost part of the stack that are behind a call instruction.
  func find(above stackPointer: RemoteAddress, in memory: ProcessMemory) -> [RemoteAddress] {
    guard !code.isEmpty, let bytes = memory.read(at: stackPointer, count: 768) else { return [] }
    var reader = ByteReader(bytes.span.bytes)
    var result: [RemoteAddress] = []
    while let word = reader.next(UInt64.self) {
      let address = RemoteAddress(word)
      guard word > 8, code.contains(where: { $0.contains(address) }),
        let before = memory.read(at: address.advanced(by: -7), count: 7), before.count == 7,
        Self.endsInCall(before)
      else { continue }
      result.append(address)
    }
    return result
  }

  /// `call` with a 32-bit distance, or through a register or memory (Intel SDM, CALL).
  private static func endsInCall(_ bytes: [UInt8]) -> Bool {
    if bytes[2] == 0xe8 { return true }
    func isIndirect(_ at: Int) -> Bool { bytes[at] == 0xff && bytes[at + 1] >> 3 & 7 == 2 }
    return isIndirect(5) || isIndirect(4) || isIndirect(3) || isIndirect(1) || isIndirect(0)
  }
}
