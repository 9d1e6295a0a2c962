internal import ProfileModel

/// What the instructions from an address on say of a frame that is being made or left.
///
/// HotSpot's x86-64 compilers make frames by few sequences (c1_MacroAssembler_x86.cpp `build_frame`,
/// macroAssembler_x86.cpp `verified_entry`), and leave them by few.
enum CompiledFrameEdge: Equatable {
  /// The frame is there as a whole.
  case none
  /// The return address is so many bytes above the stack pointer; the frame pointer is the caller's, or
  /// was saved right below the return address.
  case bare(offset: Int, isFramePointerSaved: Bool)

  /// At the beginning of the code, before the frame is whole.
  ///
  /// `code` are the bytes from one before the address on.
  init(entering code: [UInt8]) {
    var place = 1
    while true {
      guard place < code.count else { break }
      let rest = code[place...]
      if rest.starts(with: [0x89, 0x84, 0x24]) {
        // mov [rsp - n], eax: touches the stack's end.
        place += 7
      } else if rest.starts(with: [0x0f, 0x1f]) || rest.starts(with: [0x66, 0x0f, 0x1f]) {
        // A nop of several bytes: the address is before the entry.
        break
      } else if rest.starts(with: [0x48, 0x8b, 0xec]) || rest.starts(with: [0x48, 0x89, 0xe5]) {
        // mov rbp, rsp: the frame pointer was pushed.
        self = .bare(offset: 8, isFramePointerSaved: true)
        return
      } else if rest.starts(with: [0x48, 0x83, 0xec]) || rest.starts(with: [0x48, 0x81, 0xec]) {
        // sub rsp, n: C1 has pushed the frame pointer before, C2 stores it later.
        let isPushed = place == 1 ? code[0] == 0x55 : code[place - 1] == 0x55
        self =
          isPushed
          ? .bare(offset: 8, isFramePointerSaved: true)
          : .bare(offset: 0, isFramePointerSaved: false)
        return
      } else {
        // push rbp, or anything before the entry.
        break
      }
    }
    // mov [rsp + n], rbp: the stack pointer is there, the frame pointer still the caller's.
    let rest = code.dropFirst()
    if rest.starts(with: [0x48, 0x89, 0x6c, 0x24]) || rest.starts(with: [0x48, 0x89, 0xac, 0x24]) {
      self = .none
      return
    }
    self = .bare(offset: 0, isFramePointerSaved: false)
  }

  /// Anywhere else: `code` are the bytes from the address on.
  init(leaving code: [UInt8]) {
    var place = 0
    var popped = 0
    var isSaved = false
    while place < code.count {
      let rest = code[place...]
      if rest.starts(with: [0xc3]) || rest.starts(with: [0xc2]) {
        self = .bare(offset: popped, isFramePointerSaved: isSaved)
        return
      } else if rest.starts(with: [0x5d]) {
        (popped, isSaved) = (popped + 8, true)
        place += 1
      } else if rest.starts(with: [0x48, 0x83, 0xc4]), place + 3 < code.count {
        // add rsp, n: the whole frame is there before it.
        self = .none
        return
      } else if rest.starts(with: [0x49, 0x3b, 0xa7]) {
        // cmp rsp, [r15 + n]: asks whether the thread is to stop for the VM.
        place += 7
      } else if rest.starts(with: [0x0f, 0x87]) {
        // ja, to where it stops.
        place += 6
      } else if rest.starts(with: [0x4d, 0x8b, 0x97]) {
        // mov r10, [r15 + n], and test [r10], eax: the same before JDK 16.
        place += 7
      } else if rest.starts(with: [0x41, 0x85, 0x02]) || rest.starts(with: [0xc5, 0xf8, 0x77]) {
        place += 3
      } else {
        break
      }
    }
    self = .none
  }
}
