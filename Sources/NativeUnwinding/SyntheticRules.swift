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
      let rule = engine.row(at: SyntheticFrames.pushed[index], for: 1)?.rule
      pushed.append(CachedFrame(rule: cache.rule(rule), source: .instructions))
    }
    self.pushed = pushed
    let changed: UInt8 = 1 << UInt8(SavedRegisters.framePointer)
    let rule = engine.row(at: SyntheticFrames.framePointer, for: 1)?.rule
    framePointer = CachedFrame(rule: cache.rule(rule), changed: changed, source: .framePointer)
    let pushing = engine.row(at: SyntheticFrames.pushedFramePointer, for: 1)?.rule
    pushedFramePointer = CachedFrame(
      rule: cache.rule(pushing), changed: changed, source: .instructions)
  }
}
