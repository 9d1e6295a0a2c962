internal import LinuxProcess
internal import ProfileModel

/// A piece of code that the VM has made: a compiled method, the interpreter, a stub.
final class CodeBlob {
  enum Kind {
    case interpreter
    /// A compiled method, or a wrapper around a native one.
    case method(RemoteAddress, isNative: Bool)
    /// Anything else: it has no method of its own.
    case stub
  }

  let start: RemoteAddress
  /// Up to the end of all that belongs to it.
  let end: RemoteAddress
  let kind: Kind
  let codeBegin: RemoteAddress
  /// From the stack pointer to the caller's, in bytes; 0 where it varies.
  let frameSize: Int
  /// How many bytes of code it takes to make the frame; 0 where that is not known.
  let frameComplete: Int
  /// Where calls of a method of a known class begin; nil where that is not known.
  let verifiedEntry: RemoteAddress?
  /// Where calls return to once the code may not go on; the true address then is on the stack.
  let deoptHandler: RemoteAddress?
  let originalPC: Int
  /// What shows that the blob is the one that was read.
  let mark: CodeBlobMark
  let scopes: CompiledScopes?

  /// No frame of compiled code is larger; stacks of Java have 1 GB at most.
  private static let frameLimit = 1 << 20
  private static let sizeLimit = 1 << 28

  init?(at start: RemoteAddress, _ layout: CodeLayout, version: Int, memory: JavaMemory) {
    // The header of every blob, and more of most.
    guard let header = memory.beginning(at: start, count: 512),
      let size = header.int(at: layout.size), size > 0, size < Self.sizeLimit,
      let name = header.address(at: layout.name).flatMap({ memory.text(at: $0) }),
      let frame = header.int(at: layout.frameSize), frame <= Self.frameLimit / 8
    else { return nil }
    self.start = start
    end = start + size
    frameSize = max(0, frame) * 8
    if layout.isFrameCompleteShort {
      frameComplete = Int(header.value(at: layout.frameComplete, as: Int16.self) ?? 0)
    } else {
      frameComplete = header.int(at: layout.frameComplete) ?? 0
    }
    let offset = layout.codeOffset.flatMap { header.int(at: $0) }
    codeBegin =
      layout.codeBegin.flatMap { header.address(at: $0) } ?? offset.map { start + $0 } ?? start
    let isMethod = name == "nmethod" || name == "native nmethod"
    if isMethod, let method = header.address(at: layout.method) {
      kind = .method(method, isNative: name == "native nmethod")
      let entry = layout.verifiedEntryOffset.flatMap { header.value(at: $0, as: UInt16.self) }
      verifiedEntry =
        layout.verifiedEntry.flatMap { header.address(at: $0) }
        ?? entry.map { [codeBegin] in codeBegin + Int($0) }
      let handler = layout.deoptHandlerOffset.flatMap { header.int(at: $0) }
      deoptHandler =
        layout.deoptHandler.flatMap { header.address(at: $0) } ?? handler.map { start + $0 }
      originalPC = header.int(at: layout.originalPC) ?? 0
      scopes = CompiledScopes(header, layout.scopes, codeBegin: codeBegin, version: version)
    } else {
      kind = name.hasPrefix("Interpreter") ? .interpreter : .stub
      deoptHandler = nil
      verifiedEntry = nil
      originalPC = 0
      scopes = nil
    }
    mark = CodeBlobMark(header, layout, isMethod: isMethod)
  }

  func contains(_ address: RemoteAddress) -> Bool { start <= address && address < end }
}

/// Some bytes of a blob's header that no other blob at the same place has.
struct CodeBlobMark: Equatable {
  let ranges: [MemoryRange]
  let bytes: [UInt8]

  init(_ header: RemoteBytes, _ layout: CodeLayout, isMethod: Bool) {
    var places = [(layout.size, 4), (layout.name, 8)]
    if isMethod {
      places.append((layout.method, 8))
      if let id = layout.compileID { places.append((id, 4)) }
    }
    let known = places.filter { $0.0 >= 0 && $0.0 + $0.1 <= header.bytes.count }
    ranges = known.map { MemoryRange(start: header.start + $0.0, count: $0.1) }
    bytes = known.flatMap { header.bytes[$0.0..<($0.0 + $0.1)] }
  }
}
