/// What the instructions around an address say of a frame that is being made or left.
///
/// HotSpot's x86-64 compilers make frames by few sequences (c1_MacroAssembler_x86.cpp `build_frame`,
/// c2_MacroAssembler_x86.cpp `verified_entry`), and leave them by few.
enum CompiledFrameEdge: Equatable {
  /// The frame is there as a whole.
  case whole
  /// The frame is there, but the frame pointer is still the caller's, and was not saved.
  case unsaved
  /// The return address is so many bytes above the stack pointer; the frame pointer is the caller's, or
  /// was saved right below the return address.
  case bare(offset: Int, isFramePointerSaved: Bool)

  /// How many bytes before the address are wanted.
  static let bytesBefore = 3

  /// Behind the entry of the code, and before the frame is whole.
  ///
  /// `code` are the bytes from `bytesBefore` before the address on.
  init(entering code: [UInt8]) {
    guard code.count > Self.bytesBefore else {
      self = .whole
      return
    }
    let before = code[..<Self.bytesBefore]
    let rest = code[Self.bytesBefore...]
    func begins(_ instruction: [UInt8]...) -> Bool {
      instruction.contains { rest.starts(with: $0) }
    }
    if begins([0x89, 0x84, 0x24], [0x55]) {
      // mov [rsp - n], eax touches the stack's end; push rbp.
      self = .bare(offset: 0, isFramePointerSaved: false)
    } else if begins([0x48, 0x8b, 0xec], [0x48, 0x89, 0xe5]) {
      // mov rbp, rsp: it was pushed.
      self = .bare(offset: 8, isFramePointerSaved: true)
    } else if begins([0x48, 0x83, 0xec], [0x48, 0x81, 0xec]) {
      // sub rsp, n: behind a push of rbp, or that and mov rbp, rsp; or rbp is stored later.
      let isPushed =
        before.last == 0x55 || before.elementsEqual([0x48, 0x8b, 0xec])
        || before.elementsEqual([0x48, 0x89, 0xe5])
      self = .bare(offset: isPushed ? 8 : 0, isFramePointerSaved: isPushed)
    } else if begins([0x48, 0x89, 0x6c, 0x24], [0x48, 0x89, 0xac, 0x24]) {
      // mov [rsp + n], rbp.
      self = .unsaved
    } else {
      // What else there is asks whether the code may be entered (since JDK 17), with a whole frame.
      self = .whole
    }
  }

  /// Anywhere else: `code` are the bytes from the address on.
  init(leaving code: [UInt8]) {
    var place = 0
    var popped = 0
    while place < code.count {
      let rest = code[place...]
      if rest.first == 0xc3 {
        self = .bare(offset: popped, isFramePointerSaved: popped > 0)
        return
      }
      if rest.first == 0x5d {
        guard popped == 0 else { break }
        popped = 8
      }
      guard let length = Self.epilogue.first(where: { rest.starts(with: $0.bytes) })?.length else {
        break
      }
      place += length
    }
    self = .whole
  }

  /// The instructions between a frame and `ret`, by their first bytes, with their lengths.
  private static let epilogue: [(bytes: [UInt8], length: Int)] = [
    // pop rbp.
    ([0x5d], 1),
    // cmp rsp, [r15 + n] and ja: whether the thread is to stop for the VM.
    ([0x49, 0x3b, 0xa7], 7), ([0x49, 0x3b, 0x67], 4), ([0x0f, 0x87], 6), ([0x77], 2),
    // mov r10, [r15 + n] and test [r10], eax: the same before JDK 16.
    ([0x4d, 0x8b, 0x97], 7), ([0x4d, 0x8b, 0x57], 4), ([0x41, 0x85, 0x02], 3),
    // vzeroupper.
    ([0xc5, 0xf8, 0x77], 3),
  ]
}
