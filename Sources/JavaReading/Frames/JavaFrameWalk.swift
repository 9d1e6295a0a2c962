internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// Where a Java frame is.
struct JavaPlace {
  var pc: RemoteAddress
  var stackPointer: RemoteAddress
  var framePointer: RemoteAddress
  /// The pointer to the running bytecode, where a register has it.
  var bytecode: RemoteAddress?
  /// Whether the thread runs there, and has not called anything.
  var isRunning = false
  /// Whether it waits to enter a monitor.
  var isEntering = false
}

/// Follows the Java frames of a copied stack, from the innermost to the thread's first.
///
/// The layouts of frames are those of src/hotspot/cpu/x86/frame_x86.hpp; they have been the same since
/// JDK 9. Ends: each frame is above the last one.
struct JavaFrameWalk {
  let code: JavaCode
  let copy: JavaStackCopy
  let memory: JavaMemory
  let maxDepth: Int?
  private(set) var stack = RuntimeStack()
  private var groupStart = 0

  /// Frames that are followed at most: as many as 200 MB of the smallest take.
  private static let frameLimit = 100_000
  /// Calls of Java by the VM in one stack, with those of native code in between.
  private static let groupLimit = 1024

  init(_ code: JavaCode, _ copy: JavaStackCopy, memory: JavaMemory, maxDepth: Int?) {
    self.code = code
    self.copy = copy
    self.memory = memory
    self.maxDepth = maxDepth
  }

  /// What ends the frames of one call of Java by the VM.
  private enum Step {
    case frame(JavaPlace)
    /// The VM has called; what it had called Java from, if that was Java.
    case entry(exit: NativeExit, next: JavaPlace?)
    case end(RuntimeStack.End)
  }

  mutating func run(from start: JavaPlace) {
    var place = start
    var anchor = start.stackPointer
    groupStart = 0
    var count = 0
    while true {
      guard count < Self.frameLimit, stack.frames.count < Self.frameLimit,
        stack.groups.count < Self.groupLimit
      else { return end(.tooDeep, anchor) }
      count += 1
      if let maxDepth, stack.frames.count >= maxDepth { return end(.limited, anchor) }
      switch step(from: place) {
      case .frame(let caller):
        guard caller.stackPointer > place.stackPointer else { return end(.cyclic, anchor) }
        place = caller
      case .entry(let exit, let next):
        close(anchor, exit)
        guard let next else { return }
        guard next.stackPointer > place.stackPointer else { return stack.end = .cyclic }
        (place, anchor) = (next, next.stackPointer)
      case .end(let end): return self.end(end, anchor)
      }
    }
  }

  private mutating func end(_ end: RuntimeStack.End, _ anchor: RemoteAddress) {
    close(anchor, nil)
    stack.end = end
  }

  private mutating func close(_ anchor: RemoteAddress, _ exit: NativeExit?) {
    let count = stack.frames.count - groupStart
    if count > 0 || exit != nil {
      stack.groups.append(
        RuntimeFrameGroup(frameCount: count, anchor: anchor, exit: exit, isOfOwnCode: true))
    }
    groupStart = stack.frames.count
  }

  // MARK: - One frame

  private mutating func step(from place: JavaPlace) -> Step {
    if place.pc == code.callStubReturn { return entry(place) }
    guard let blob = code.blob(at: place.pc, memory: memory) else { return lost(place) }
    switch blob.kind {
    case .interpreter: return interpreted(place)
    case .method(let method, let isNative):
      return compiled(place, blob, method: method, isNative: isNative)
    case .stub: return stub(place, blob)
    }
  }

  /// At an address without code of the VM's, or behind the end of what was copied.
  private func lost(_ place: JavaPlace) -> Step {
    .end(copy.contains(place.stackPointer) ? .unreadable(place.pc) : .cut)
  }

  private func missing(_ address: RemoteAddress) -> Step {
    .end(address >= copy.end ? .cut : .unreadable(address))
  }

  /// The interpreter: the method is three words below the frame pointer, the caller's stack pointer one.
  private mutating func interpreted(_ place: JavaPlace) -> Step {
    let frame = place.framePointer
    guard let method = interpretedMethod(at: frame, above: place.stackPointer) else {
      guard place.isRunning, let caller = caller(ofLeaf: place) else {
        return frame >= copy.end ? .end(.cut) : lost(place)
      }
      return .frame(caller)
    }
    guard let sender = copy.address(at: frame - 8), let pc = copy.address(at: frame + 8),
      let caller = copy.address(at: frame)
    else { return missing(frame + 8) }
    var bytecode = place.bytecode.flatMap { method.bytecode(at: $0) }
    if bytecode == nil {
      bytecode = copy.address(at: frame - 64).flatMap { method.bytecode(at: $0) }
    }
    if place.isEntering { bytecode = bytecode.map { method.entering(before: $0, memory) } }
    stack.frames.append(code.frame(of: method, bytecode))
    return .frame(JavaPlace(pc: pc, stackPointer: sender, framePointer: caller))
  }

  /// The method of an interpreted frame with this frame pointer; nil where there is none.
  private func interpretedMethod(
    at frame: RemoteAddress, above stackPointer: RemoteAddress
  ) -> JavaMethod? {
    guard frame.rawValue & 7 == 0, frame >= stackPointer, copy.contains(frame),
      let address = copy.address(at: frame - 24), let sender = copy.address(at: frame - 8),
      sender > frame, sender.rawValue & 7 == 0
    else { return nil }
    return code.method(at: address, memory: memory)
  }

  private mutating func compiled(
    _ place: JavaPlace, _ blob: CodeBlob, method: RemoteAddress, isNative: Bool
  ) -> Step {
    var place = place
    if place.pc == blob.deoptHandler {
      // The VM has put its own address in place of the one that is to be returned to.
      guard let pc = copy.address(at: place.stackPointer + blob.originalPC) else {
        return missing(place.stackPointer + blob.originalPC)
      }
      place.pc = pc
    }
    stack.frames += code.frames(of: blob, method: method, at: place.pc, memory: memory)
    guard place.isRunning else { return sender(of: place, blob) }
    switch edge(of: place, blob) {
    case .whole: return sender(of: place, blob)
    case .unsaved: return sender(of: place, blob, framePointer: place.framePointer)
    case .bare(let offset, let isSaved):
      let top = place.stackPointer + offset
      guard let pc = copy.address(at: top) else { return missing(top) }
      guard code.heaps.contains(pc) else { return sender(of: place, blob) }
      let saved = isSaved ? copy.address(at: top - 8) : nil
      return .frame(
        JavaPlace(pc: pc, stackPointer: top + 8, framePointer: saved ?? place.framePointer))
    }
  }

  /// The caller of a whole frame; `framePointer` is the caller's, where the frame has not saved it.
  private func sender(
    of place: JavaPlace, _ blob: CodeBlob, framePointer: RemoteAddress? = nil
  ) -> Step {
    guard blob.frameSize >= 16 else { return lost(place) }
    let sender = place.stackPointer + blob.frameSize
    guard let pc = copy.address(at: sender - 8), let saved = copy.address(at: sender - 16) else {
      return missing(sender - 8)
    }
    return .frame(
      JavaPlace(pc: pc, stackPointer: sender, framePointer: framePointer ?? saved))
  }

  /// Whether the frame is just being made, or left.
  private func edge(of place: JavaPlace, _ blob: CodeBlob) -> CompiledFrameEdge {
    let offset = Int64(bitPattern: place.pc.distance(from: blob.codeBegin))
    if offset < Int64(blob.frameComplete) {
      if let entry = blob.verifiedEntry, place.pc < entry {
        // It compares classes, and has made nothing yet.
        return .bare(offset: 0, isFramePointerSaved: false)
      }
      let start = place.pc - CompiledFrameEdge.bytesBefore
      guard let bytes = memory.beginning(at: start, count: 16) else { return .whole }
      return CompiledFrameEdge(entering: bytes.bytes)
    }
    guard let bytes = memory.beginning(at: place.pc, count: 24) else { return .whole }
    return CompiledFrameEdge(leaving: bytes.bytes)
  }

  /// Code without a method: of a known frame, or of one that only its caller shows.
  private mutating func stub(_ place: JavaPlace, _ blob: CodeBlob) -> Step {
    if place.isRunning || blob.frameSize < 16 {
      if !place.isRunning, stack.elision == nil {
        // What a virtual thread returns to where its outer frames are still on the heap (since JDK 21):
        // they come back to the stack one by one.
        stack.elision = RuntimeStack.Elision(position: stack.frames.count, count: 0)
      }
      if let caller = caller(ofLeaf: place) { return .frame(caller) }
    }
    return sender(of: place, blob)
  }

  // MARK: - Frames without a known size

  /// The caller of code that has called nothing, and whose frame is not described.
  ///
  /// The return address is on top of the stack, or above the saved frame pointer, or some words up.
  private func caller(ofLeaf place: JavaPlace) -> JavaPlace? {
    JavaStart(code, copy, memory: memory).caller(above: place)
  }

  // MARK: - The VM's calls of Java

  /// The frame in which the VM called Java (src/hotspot/cpu/x86/stubGenerator_x86_64.cpp,
  /// `generate_call_stub`): registers are saved below the frame pointer, and a wrapper says where Java
  /// had called the VM before.
  private func entry(_ place: JavaPlace) -> Step {
    let frame = place.framePointer
    guard frame.rawValue & 7 == 0, frame >= place.stackPointer, let pc = copy.word(at: frame + 8),
      let caller = copy.word(at: frame),
      let wrapper = copy.address(at: frame + code.layout.code.wrapperOffset)
    else { return missing(frame) }
    var exit = Registers()
    exit.set(Registers.instructionPointer, pc)
    exit.set(Registers.stackPointer, (frame + 16).rawValue)
    exit.set(Registers.framePointer, caller)
    // rbx, r12 to r15, in the order of `Registers`.
    for (register, offset) in [(3, 56), (12, 64), (13, 72), (14, 80), (15, 88)] {
      if let value = copy.word(at: frame - offset) { exit.set(register, value) }
    }
    let threads = code.layout.threads
    let anchor = wrapper + code.layout.code.wrapperAnchor
    guard let sp = copy.address(at: anchor + threads.anchorStackPointer) else {
      return missing(anchor)
    }
    guard !sp.isNull else { return .entry(exit: NativeExit(exit), next: nil) }
    let next = JavaPlace(
      anchor: sp, pc: copy.address(at: anchor + threads.anchorPC),
      framePointer: copy.address(at: anchor + threads.anchorFramePointer), copy)
    return next.map { .entry(exit: NativeExit(exit), next: $0) } ?? missing(sp)
  }
}

extension JavaPlace {
  /// What a frame anchor says; where it has no address, that is right below the stack pointer.
  init?(
    anchor stackPointer: RemoteAddress, pc: RemoteAddress?, framePointer: RemoteAddress?,
    _ copy: JavaStackCopy
  ) {
    let known = pc.flatMap { $0.isNull ? nil : $0 } ?? copy.address(at: stackPointer - 8)
    guard let known, stackPointer.rawValue & 7 == 0 else { return nil }
    self.init(pc: known, stackPointer: stackPointer, framePointer: framePointer ?? .null)
  }
}
