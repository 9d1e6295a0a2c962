internal import ProfileModel

/// Where a rule comes from.
enum RuleSource: UInt8 {
  case unwindData
  /// Without unwind data: the hope for a frame pointer.
  case framePointer
  /// Without unwind data: what the instructions do.
  case instructions
  /// Code that a language runtime has made: none is needed.
  case runtimeCode
}

/// What is known of one code address: the frame's name, and the rule that leads to its caller.
struct CachedFrame {
  /// The address that is looked up; 0 in a free place.
  var pc = RemoteAddress(0)
  var frame = FrameID(0)
  /// Index into `RuleCache.rules`; 0 when there is no rule.
  var rule: UInt32 = 0
  /// Which of `SavedRegisters` the rule changes.
  var changed: UInt8 = 0
  /// The next frame out was interrupted by a signal: its address is not a return address.
  var isSignalFrame = false
  /// No call has led here: the stack may begin with it.
  var isEntered = false
  var source = RuleSource.unwindData

  @inline(__always)
  var isFree: Bool { pc.rawValue == 0 }

  /// Whether a caller that makes no sense is the rule's fault rather than the stack's.
  var isGuess: Bool { source != .unwindData }
}

/// The read side of a `RuleCache`, for a loop's local variable; good until the next insertion.
struct RuleLookup {
  let slots: UnsafeMutablePointer<CachedFrame>
  let mask: UInt64
  let rules: UnsafeMutableRawPointer

  /// The place of `pc`, or the free place where it belongs; there always is a free one.
  @inline(__always)
  func slot(of pc: RemoteAddress) -> UnsafeMutablePointer<CachedFrame> {
    // Fibonacci hashing: the high bits of the product depend on all bits of the address.
    var index = (pc.rawValue &* 0x9e37_79b9_7f4a_7c15) &>> 20 & mask
    while true {
      let slot = slots + Int(truncatingIfNeeded: index)
      if slot.pointee.pc == pc || slot.pointee.isFree { return slot }
      index = (index &+ 1) & mask
    }
  }

  @inline(__always)
  func rule(_ id: UInt32) -> UnsafeMutableRawPointer {
    rules + Int(truncatingIfNeeded: id) &* RuleCache.ruleSize
  }
}

/// An open-addressing table of code addresses, and the distinct rules, as libunwind's opaque bytes.
///
/// Raw storage, so that the loop over the frames meets neither reference counts nor exclusivity
/// checks.
struct RuleCache: ~Copyable {
  /// libunwind 1.6.2's rules take 184 bytes.
  static let ruleSize = 256

  private var slots: UnsafeMutablePointer<CachedFrame>
  private var mask: UInt64
  private var count = 0
  private var rules: UnsafeMutableRawPointer
  private var ruleCount: UInt32 = 1
  private var ruleCapacity: UInt32 = 64
  private var ruleIDs: [[UInt8]: UInt32] = [:]

  init() {
    mask = 1023
    slots = Self.allocate(Int(mask) + 1)
    rules = .allocate(byteCount: Int(ruleCapacity) * Self.ruleSize, alignment: 64)
  }

  deinit {
    slots.deallocate()
    rules.deallocate()
  }

  var lookup: RuleLookup { RuleLookup(slots: slots, mask: mask, rules: rules) }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<CachedFrame> {
    let slots = UnsafeMutablePointer<CachedFrame>.allocate(capacity: count)
    slots.initialize(repeating: CachedFrame(), count: count)
    return slots
  }

  /// Keeps `frame`; its place may move at the next insertion.
  mutating func insert(_ frame: CachedFrame) -> UnsafeMutablePointer<CachedFrame> {
    if UInt64(count) * 2 > mask { grow() }
    let slot = lookup.slot(of: frame.pc)
    if slot.pointee.isFree { count += 1 }
    slot.pointee = frame
    return slot
  }

  private mutating func grow() {
    let old = slots
    let oldCount = Int(mask) + 1
    mask = mask * 2 + 1
    slots = Self.allocate(oldCount * 2)
    for index in 0..<oldCount where !old[index].isFree {
      lookup.slot(of: old[index].pc).pointee = old[index]
    }
    old.deallocate()
  }

  /// The number of the rule with these bytes, at most `ruleSize`; 0 for none.
  ///
  /// Many code addresses share few rules, because a rule only speaks of offsets.
  mutating func rule(_ bytes: [UInt8]?) -> UInt32 {
    guard let bytes else { return 0 }
    if let known = ruleIDs[bytes] { return known }
    if ruleCount == ruleCapacity {
      let larger = UnsafeMutableRawPointer.allocate(
        byteCount: Int(ruleCapacity) * 2 * Self.ruleSize, alignment: 64)
      larger.copyMemory(from: rules, byteCount: Int(ruleCapacity) * Self.ruleSize)
      rules.deallocate()
      rules = larger
      ruleCapacity *= 2
    }
    let id = ruleCount
    bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      (rules + Int(id) * Self.ruleSize)
        .copyMemory(from: base, byteCount: min(source.count, Self.ruleSize))
    }
    ruleCount += 1
    ruleIDs[bytes] = id
    return id
  }

  /// Forgets every address.
  ///
  /// The rules stay: they are found by their bytes.
  mutating func removeAll() {
    slots.update(repeating: CachedFrame(), count: Int(mask) + 1)
    count = 0
  }
}
