internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A frame of a virtual thread that no thread runs.
enum FrozenCall: Hashable {
  case compiled(pc: RemoteAddress)
  /// With the pointer to the bytecode.
  case interpreted(method: RemoteAddress, bytecode: RemoteAddress)
}

/// The words of one piece of a stack, by their numbers in it; few of those below the stack pointer are copied.
struct ChunkWords {
  let pieces: MemoryPieces
  let place: Int
  let words: Range<Int>
  /// How many of them were copied, from the first on.
  let count: Int

  func word(at index: Int) -> UInt64? {
    guard words.contains(index), index - words.lowerBound < count else { return nil }
    return pieces.value(at: place + (index - words.lowerBound) * 8, as: UInt64.self)
  }

  func address(at index: Int) -> RemoteAddress? { word(at: index).map { RemoteAddress($0) } }

  /// A distance in words, which may be negative.
  func distance(at index: Int) -> Int? {
    word(at: index).flatMap { Int(exactly: Int64(bitPattern: $0)) }
  }
}

/// Follows the frames of one piece of a stack (src/hotspot/share/runtime/stackChunkFrameStream.inline.hpp).
///
/// Frames are laid out as on a thread's stack, but that pointers within interpreted ones are distances in
/// words: the piece may be moved. Ends: each frame is above the last one.
struct FrozenStackWalk {
  let code: JavaCode
  let memory: JavaMemory

  /// Frames of one stack.
  static let frameLimit = 1 << 12

  /// The number of the frame's first word above that of the return address, and of the same where the frame's
  /// caller has put its arguments.
  private struct Place {
    var pointer: Int
    var unextended: Int
  }

  /// Adds the frames from the stack pointer on; returns whether it came to the end of the piece.
  func run(_ chunk: ChunkWords, from pointer: Int, into calls: inout [FrozenCall]) -> Bool {
    var place = Place(pointer: pointer, unextended: pointer)
    while place.pointer < chunk.words.upperBound {
      guard calls.count < Self.frameLimit, let pc = chunk.address(at: place.pointer - 1),
        let blob = code.blob(at: pc, memory: memory),
        let next = step(blob, at: pc, place, chunk, &calls), next.pointer > place.pointer
      else { return false }
      place = next
    }
    return true
  }

  private func step(
    _ blob: CodeBlob, at pc: RemoteAddress, _ place: Place, _ chunk: ChunkWords,
    _ calls: inout [FrozenCall]
  ) -> Place? {
    switch blob.kind {
    case .interpreter: return interpreted(place, chunk, &calls)
    case .method:
      var pc = pc
      if pc == blob.deoptHandler {
        // The VM has put its own address in place of the one that is to be returned to.
        guard let own = chunk.address(at: place.unextended + blob.originalPC / 8) else {
          return nil
        }
        pc = own
      }
      calls.append(.compiled(pc: pc))
    case .stub: break
    }
    guard blob.frameSize >= 16 else { return nil }
    let sender = place.unextended + blob.frameSize / 8
    return Place(pointer: sender, unextended: sender)
  }

  /// The interpreter: the method is three words below the frame pointer, the caller's stack pointer one, and
  /// the pointer to the bytecode eight.
  private func interpreted(
    _ place: Place, _ chunk: ChunkWords, _ calls: inout [FrozenCall]
  ) -> Place? {
    let link = place.pointer - 2
    guard let distance = chunk.distance(at: link), (1...(1 << 20)).contains(distance) else {
      return nil
    }
    let frame = link + distance
    guard let address = chunk.address(at: frame - 3), let bytecode = chunk.address(at: frame - 8),
      let sender = chunk.distance(at: frame - 1), code.method(at: address, memory: memory) != nil
    else { return nil }
    calls.append(.interpreted(method: address, bytecode: bytecode))
    let isNear = (2...(1 << 17)).contains(sender)
    return Place(pointer: frame + 2, unextended: isNear ? frame + sender : frame + 2)
  }

  // MARK: - Names

  /// The functions of a stack, the innermost first; `isEntering` where it waits to enter a monitor.
  func lines(of calls: [FrozenCall], isEntering: Bool) -> [SourceLine] {
    var lines: [SourceLine] = []
    for (number, call) in calls.enumerated() {
      let frames: [RuntimeFrame]
      switch call {
      case .compiled(let pc):
        guard let blob = code.blob(at: pc, memory: memory), case .method(let method, _) = blob.kind
        else { continue }
        frames = code.frames(of: blob, method: method, at: pc, memory: memory)
      case .interpreted(let address, let pointer):
        guard let method = code.method(at: address, memory: memory) else { continue }
        let bytecode = method.bytecode(at: pointer).map { place in
          number == 0 && isEntering ? method.entering(before: place, memory) : place
        }
        frames = [code.frame(of: method, bytecode)]
      }
      lines += frames.compactMap { frame in
        frame.function.map { function in
          SourceLine(
            function: function.name, file: function.file.isEmpty ? nil : function.file,
            line: Int(frame.line ?? 0), language: .java)
        }
      }
    }
    return lines
  }
}

extension JavaMethod {
  /// The bytecode `monitorenter` (JVM Specification, 6.5).
  private static let monitorEnter: UInt8 = 0xc2

  /// Where the interpreter is that waits to enter a monitor: it goes on to the next bytecode before it waits
  /// (templateTable_x86.cpp, `monitorenter`).
  func entering(before next: Int32, _ memory: JavaMemory) -> Int32 {
    guard next > 0,
      memory.value(at: bytecodes.lowerBound + Int(next) - 1, as: UInt8.self) == Self.monitorEnter
    else { return next }
    return next - 1
  }
}
