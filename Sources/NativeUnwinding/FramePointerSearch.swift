internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// Finds the frame pointer of a sleeping thread in the copy of its stack.
///
/// Of a thread that sleeps, the kernel tells SP and PC. A caller whose frame is found through the
/// frame pointer would need a stop of the thread, which some system calls answer with EINTR. But
/// the frame pointer points to its own saved value, beside which the return address lies: a word
/// behind a call instruction, whose target is the function of the frame. The true place is always
/// among the words that pass this; that it is the only one which leads to the end of the stack is
/// strong evidence, not proof, so stacks found this way say so.
struct FramePointerSearch {
  /// Bytes of the stack that a single frame is searched for.
  private static let reach: UInt64 = 64 << 10
  private static let mostCandidates = 64

  let modules: ModuleMap

  /// Values that the frame pointer may have had, the best first.
  ///
  /// `stackPointer` and `pc` are those of the frame that needs it.
  func candidates(
    in snapshot: StackSnapshot, stackPointer: UInt64, pc: UInt64
  ) -> [UInt64] {
    let first = (max(stackPointer, snapshot.start.rawValue) &+ 7) & ~7
    let bytes = snapshot.bytes
    var called: [UInt64] = []
    var others: [UInt64] = []
    let function = functionStart(of: pc)
    var value = first
    while value &- first < Self.reach, called.count + others.count < Self.mostCandidates {
      let offset = value &- snapshot.start.rawValue
      guard offset < UInt64(bytes.count), UInt64(bytes.count) - offset >= 16 else { break }
      let place = Int(offset)
      let returnAddress = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
      switch call(before: returnAddress) {
      case .direct(let target) where target == function && function != nil: called.append(value)
      case .direct(let target) where isLinkage(target): others.append(value)
      case .indirect: others.append(value)
      case .direct, nil: break
      }
      value &+= 8
    }
    return called + others
  }

  private enum Call {
    case direct(UInt64)
    case indirect
  }

  /// The call instruction that ends at `address`.
  private func call(before address: UInt64) -> Call? {
    guard let code = code(before: address) else { return nil }
    let count = code.count
    // call rel32
    if count >= 5, code[count - 5] == 0xe8 {
      let offset = code.loadUnaligned(fromByteOffset: count - 4, as: Int32.self)
      return .direct(address &+ UInt64(bitPattern: Int64(offset)))
    }
    // call r/m64: FF /2 with an operand of 1 to 6 bytes (Intel SDM, volume 2, "CALL").
    for length in [2, 3, 4, 6, 7] where count >= length {
      if code[count - length] == 0xff, code[count - length + 1] >> 3 & 7 == 2 { return .indirect }
    }
    return nil
  }

  /// The bytes of code before `address`, at most 8.
  private func code(before address: UInt64) -> UnsafeRawBufferPointer? {
    guard address > 8, let mapping = modules.executableMapping(containing: RemoteAddress(address)),
      let image = modules.image(of: mapping), let contents = image.contents
    else { return nil }
    let place = image.fileAddress(of: address - 1)
    guard let segment = contents.elf.loadSegment(containing: place),
      let range = contents.elf.bytes(of: segment, fileSize: contents.file.count)
    else { return nil }
    let end = place.rawValue - segment.address.rawValue + 1
    guard end <= UInt64(range.count) else { return nil }
    let last = range.lowerBound + Int(end)
    return UnsafeRawBufferPointer(
      rebasing: contents.file.pointer[max(range.lowerBound, last - 8)..<last])
  }

  private func functionStart(of pc: UInt64) -> UInt64? {
    guard let mapping = modules.executableMapping(containing: RemoteAddress(pc)),
      let image = modules.image(of: mapping),
      let match = image.contents?.frames?.entry(covering: pc &- image.bias)
    else { return nil }
    return match.entry.start &+ image.bias
  }

  /// Whether a call goes to the procedure linkage table: where it leads then is not in the code.
  private func isLinkage(_ target: UInt64) -> Bool {
    guard let mapping = modules.executableMapping(containing: RemoteAddress(target)),
      let image = modules.image(of: mapping), let sections = image.contents?.elf.sections
    else { return false }
    let address = image.fileAddress(of: target)
    return sections.contains {
      $0.name.hasPrefix(".plt") && $0.address <= address
        && address.rawValue - $0.address.rawValue < $0.size
    }
  }
}
