internal import ProfileModel

/// The rules that are not from any unwind data, as frames that still lack an address.
struct SyntheticRules {
  /// Nothing, one or two words were pushed since the call.
  let pushed: [CachedFrame]
  /// The frame pointer was pushed since the call, and nothing else.
  let pushedFramePointer: CachedFrame
  /// The caller's frame is found through the frame pointer.
  let framePointer: CachedFrame

  init(_ engine: RuleEngine, _ cache: inout RuleCache) {
    var pushed: [CachedFrame] = []
    for index in SyntheticFrames.pushed.indices {
      let rule = engine.row(at: SyntheticFrames.pushed[index], for: RemoteAddress(1))?.rule
      pushed.append(CachedFrame(rule: cache.rule(rule), source: .instructions))
    }
    self.pushed = pushed
    let changed: UInt8 = 1 << UInt8(SavedRegisters.framePointer)
    let rule = engine.row(at: SyntheticFrames.framePointer, for: RemoteAddress(1))?.rule
    framePointer = CachedFrame(rule: cache.rule(rule), changed: changed, source: .framePointer)
    let pushing = engine.row(at: SyntheticFrames.pushedFramePointer, for: RemoteAddress(1))?.rule
    pushedFramePointer = CachedFrame(
      rule: cache.rule(pushing), changed: changed, source: .instructions)
  }
}

/// Frame descriptions that sprof makes up, at addresses that no process has.
enum SyntheticFrames {
  /// x86_64 leaves the middle of the address space without memory.
  static let start = RemoteAddress(0x8000_0000_0000_0000)
  /// The row { INT32_MIN, 0 } that `sprof_unw_read_entry` reads.
  static let table = start
  /// Every address: the caller's frame is found through the frame pointer.
  static let framePointer = start.advanced(by: 0x20 + 0x1c)
  /// Every address: nothing was pushed since the call, or one or two words.
  static let pushed: InlineArray<3, RemoteAddress> = [
    start.advanced(by: 0x80 + 0x1c), start.advanced(by: 0xe0 + 0x1c),
    start.advanced(by: 0x140 + 0x1c),
  ]
  /// Every address: the frame pointer was pushed since the call, and nothing else.
  static let pushedFramePointer = start.advanced(by: 0x1a0 + 0x1c)

  /// The bytes from `start` on.
  static let bytes: [UInt8] = {
    var bytes: [UInt8] = [0, 0, 0, 0x80, 0, 0, 0, 0]
    bytes += [UInt8](repeating: 0, count: 0x20 - bytes.count)
    // def_cfa rbp+16; rbp at cfa-16; return address at cfa-8.
    bytes += entry([0x0c, 6, 16, 0x86, 2, 0x90, 1])
    // def_cfa rsp+8, 16, 24; return address at cfa-8.
    for words in UInt8(0)..<3 {
      bytes += [UInt8](repeating: 0, count: 0x80 + 0x60 * Int(words) - bytes.count)
      bytes += entry([0x0c, 7, 8 + words * 8, 0x90, 1])
    }
    bytes += [UInt8](repeating: 0, count: 0x1a0 - bytes.count)
    // def_cfa rsp+16; rbp at cfa-16; return address at cfa-8.
    bytes += entry([0x0c, 7, 16, 0x86, 2, 0x90, 1])
    return bytes
  }()

  /// A CIE of 28 bytes with `program`, and an FDE that covers everything but the last address.
  private static func entry(_ program: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [24, 0, 0, 0, 0, 0, 0, 0]
    // Version 1, no augmentation, code alignment 1, data alignment -8, return address column 16.
    bytes += [1, 0, 1, 0x78, 16] + program
    bytes += [UInt8](repeating: 0, count: 28 - bytes.count)
    bytes += [28, 0, 0, 0, 32, 0, 0, 0]
    bytes += [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 0xff, count: 8)
    return bytes + [UInt8](repeating: 0, count: 8)
  }
}
