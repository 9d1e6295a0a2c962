internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// Whether a frame pointer that is not known is searched for, and what is believed.
package enum FramePointerUse: Sendable {
  case never
  /// Only where no other could be meant: for a thread that a stop does not harm, which gives the truth.
  case unambiguous
  /// The first that leads to the end of the stack.
  case likely
}

/// A frame that was found: its address, and the stack pointer in it.
struct CallerFrame {
  let pc: RemoteAddress
  let stackPointer: RemoteAddress
}

/// Finds the frame pointer of a sleeping thread in the copy of its stack.
///
/// Of a thread that sleeps, the kernel shows SP and PC. A caller whose frame is found through the
/// frame pointer would need a stop of the thread, which some system calls answer with EINTR. But
/// the frame pointer points to its own saved value, beside which the return address is: a word
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
    in snapshot: StackSnapshot, stackPointer: RemoteAddress, pc: RemoteAddress
  ) -> [RemoteAddress] {
    let first = RemoteAddress((max(stackPointer, snapshot.start).rawValue &+ 7) & ~7)
    let bytes = snapshot.bytes
    var called: [RemoteAddress] = []
    var others: [RemoteAddress] = []
    let function = functionStart(of: pc)
    var value = first
    while value.distance(from: first) < Self.reach,
      called.count + others.count < Self.mostCandidates
    {
      let offset = value.distance(from: snapshot.start)
      guard offset < UInt64(bytes.count), UInt64(bytes.count) - offset >= 16 else { break }
      let place = Int(offset)
      let returnAddress = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
      switch call(before: RemoteAddress(returnAddress)) {
      case .direct(let target) where target == function && function != nil: called.append(value)
      case .direct(let target) where isLinkage(target): others.append(value)
      case .indirect: others.append(value)
      case .direct, nil: break
      }
      value = value.advanced(by: 8)
    }
    return called + others
  }

  /// Whether of the values that lead to the end of the stack, the innermost first, only the first can be
  /// meant; `frames` are those through which it leads, and `place` that which needs it.
  ///
  /// The frames further out on its own way lead there, too. Left over from earlier calls may be others,
  /// whose way goes elsewhere; those of functions that the frame's own has called go through it again.
  func isOnlyOne(
    _ values: [RemoteAddress], through frames: [CallerFrame], from place: Int
  ) -> Bool {
    guard frames.indices.contains(place), let function = functionStart(of: frames[place].pc) else {
      return false
    }
    // A frame pointer points to two words below its caller's stack pointer.
    let callers = Set(frames.map(\.stackPointer))
    return values.allSatisfy { callers.contains($0.advanced(by: 16)) }
      && !frames.dropFirst(place + 1).contains { functionStart(of: $0.pc) == function }
  }

  /// Whether a call instruction ends at `address`.
  func isReturnAddress(_ address: RemoteAddress) -> Bool { call(before: address) != nil }

  private enum Call {
    case direct(RemoteAddress)
    case indirect
  }

  /// The call instruction that ends at `address`.
  private func call(before address: RemoteAddress) -> Call? {
    guard let code = code(before: address) else { return nil }
    let count = code.count
    // call rel32
    if count >= 5, code[count - 5] == 0xe8 {
      let offset = code.loadUnaligned(fromByteOffset: count - 4, as: Int32.self)
      return .direct(address.advanced(by: Int64(offset)))
    }
    // call r/m64: FF /2 with an operand of 1 to 6 bytes (Intel SDM, volume 2, "CALL").
    for length in [2, 3, 4, 6, 7] where count >= length {
      if code[count - length] == 0xff, code[count - length + 1] >> 3 & 7 == 2 { return .indirect }
    }
    return nil
  }

  /// The bytes of code before `address`, at most 8.
  private func code(before address: RemoteAddress) -> UnsafeRawBufferPointer? {
    guard address.rawValue > 8, let mapping = modules.executableMapping(containing: address),
      let image = modules.image(of: mapping), let contents = image.contents
    else { return nil }
    let place = image.fileAddress(of: address.advanced(by: -1))
    guard let segment = contents.elf.loadSegment(containing: place),
      let range = contents.elf.bytes(of: segment, fileSize: contents.file.count)
    else { return nil }
    let end = place.rawValue - segment.address.rawValue + 1
    guard end <= UInt64(range.count) else { return nil }
    let last = range.lowerBound + Int(end)
    return UnsafeRawBufferPointer(
      rebasing: contents.file.pointer[max(range.lowerBound, last - 8)..<last])
  }

  private func functionStart(of pc: RemoteAddress) -> RemoteAddress? {
    guard let mapping = modules.executableMapping(containing: pc),
      let image = modules.image(of: mapping),
      let match = image.contents?.frames?.entry(covering: image.fileAddress(of: pc))
    else { return nil }
    return match.entry.start.loaded(at: image.bias)
  }

  /// Whether a call goes to the procedure linkage table: where it leads then is not in the code.
  private func isLinkage(_ target: RemoteAddress) -> Bool {
    guard let mapping = modules.executableMapping(containing: target),
      let image = modules.image(of: mapping), let elf = image.contents?.elf
    else { return false }
    return elf.isLinkageTable(image.fileAddress(of: target))
  }
}
