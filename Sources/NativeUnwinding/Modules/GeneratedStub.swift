internal import LinuxProcess
package import ProfileModel

/// A few instructions in memory of no file that do nothing but call another function: runtimes put one
/// before each function that they interpret, so that profilers have an address for it.
struct GeneratedStub {
  /// What the stub has pushed below its own return address.
  let shape: LoadedImage.StackShape
  /// Whether it is CPython's (`-X perf`; Python/asm_trampoline.S).
  let isPython: Bool

  private static let callRCX: [UInt8] = [0xff, 0xd1]
  /// `add rsp, 8` and `ret`.
  private static let addReturn: [UInt8] = [0x48, 0x83, 0xc4, 0x08, 0xc3]
  /// `pop rbp` and `ret`.
  private static let popReturn: [UInt8] = [0x5d, 0xc3]

  /// Of the code around a return address, which has `before` in front of it.
  init?(before: ArraySlice<UInt8>, behind: ArraySlice<UInt8>) {
    if behind.starts(with: Self.addReturn) {
      shape = .pushed(1)
    } else if behind.starts(with: Self.popReturn) {
      shape = .pushedFramePointer
    } else {
      return nil
    }
    isPython = before.elementsEqual(Self.callRCX)
  }
}

extension ModuleMap {
  /// The stub that a return address leads to, `pc` being the byte before it; nil for other code.
  ///
  /// One read of the program's memory.
  func generatedStub(at pc: RemoteAddress) -> GeneratedStub? {
    let start = pc.advanced(by: -1)
    guard let bytes = memory.read(at: start, count: 7), bytes.count == 7 else { return nil }
    return GeneratedStub(before: bytes[..<2], behind: bytes[2...])
  }

  /// Whether the byte before a return address is in the stub with which CPython calls a function's
  /// bytecode; always false for code in a file.
  package func isPythonStub(_ frame: Frame) -> Bool {
    guard case .code(let code) = frame, code.module == .anonymous else { return false }
    return generatedStub(at: RemoteAddress(code.address.rawValue))?.isPython ?? false
  }
}
