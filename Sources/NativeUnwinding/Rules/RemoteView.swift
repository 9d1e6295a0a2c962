internal import CLibunwind
internal import Glibc
internal import ProfileModel

/// What libunwind's accessors see of the process: copies, never the live memory.
///
/// A plain struct behind a pointer, which libunwind passes to each accessor.
struct RemoteView {
  /// Bytes of a file, or made up, that stand for a range of the process's memory.
  struct Region {
    let start: RemoteAddress
    let end: RemoteAddress
    /// The byte for `start`.
    let base: UnsafeRawPointer
    /// Its file holds the bytes from before the program wrote to them.
    let isWritable: Bool
  }

  var stack = UnsafeRawPointer(bitPattern: 8)
  var stackStart = RemoteAddress(0)
  /// The number of offsets into the stack from which 8 bytes can be read.
  var stackReadable: UInt64 = 0
  /// The same of a piece of another stack.
  var outer = UnsafeRawPointer(bitPattern: 8)
  var outerStart = RemoteAddress(0)
  var outerReadable: UInt64 = 0
  var registers: InlineArray<17, UInt64> = InlineArray(repeating: 0)
  var known: UInt32 = 0
  /// Ascending and disjoint.
  var regions: UnsafeMutablePointer<Region>?
  var regionCount = 0
  var lastRegion = 0
  /// While rules are read, pointers to data (a personality routine's) need not be right.
  var isReadingRules = false
  /// Reads left until libunwind is taken to be in an endless loop.
  var budget = 0
  /// Whether libunwind asked for a register that is not known.
  var lacksRegister = false
  /// The last address that could not be read; 0 when all could.
  var unreadable = RemoteAddress(0)
  /// The frame description entry that `find_proc_info` is to give; 0 for none.
  var entry = RemoteAddress(0)
}

extension RemoteView {
  /// The word at `address`; records the failure when it is in none of the copies.
  @inline(__always)
  mutating func word(at address: RemoteAddress) -> UInt64? {
    let offset = address.distance(from: stackStart)
    if offset < stackReadable, let stack {
      // Fewer than `stackReadable` is at least 8 bytes before the end of the copy.
      return stack.loadUnaligned(fromByteOffset: Int(truncatingIfNeeded: offset), as: UInt64.self)
    }
    return wordInRegion(at: address)
  }

  @inline(never)
  private mutating func wordInRegion(at address: RemoteAddress) -> UInt64? {
    budget &-= 1
    guard budget > 0 else { return nil }
    let offset = address.distance(from: outerStart)
    if offset < outerReadable, let outer {
      return outer.loadUnaligned(fromByteOffset: Int(truncatingIfNeeded: offset), as: UInt64.self)
    }
    if let region = region(near: address), isReadingRules || !region.isWritable {
      return Self.word(at: address, in: region)
    }
    if isReadingRules { return 0 }
    unreadable = address
    return nil
  }

  /// libunwind reads byte by byte, each time the aligned word around it: the first and the last
  /// word of a region may be only partly in it, and the rest of it reads as 0.
  private static func word(at address: RemoteAddress, in region: Region) -> UInt64 {
    if address >= region.start, region.end.distance(from: address) >= 8, address < region.end {
      return region.base.loadUnaligned(
        fromByteOffset: Int(truncatingIfNeeded: address.distance(from: region.start)),
        as: UInt64.self)
    }
    var value: UInt64 = 0
    for index in UInt64(0)..<8 {
      let at = address.advanced(by: Int64(index))
      guard at >= region.start, at < region.end else { continue }
      let byte = region.base.load(
        fromByteOffset: Int(truncatingIfNeeded: at.distance(from: region.start)), as: UInt8.self)
      value |= UInt64(byte) << (8 &* index)
    }
    return value
  }

  /// The region that holds a byte of the word at `address`.
  private mutating func region(near address: RemoteAddress) -> Region? {
    guard let regions, regionCount > 0 else { return nil }
    let last = address.advanced(by: 7)
    if lastRegion < regionCount {
      let region = regions[lastRegion]
      if last >= region.start, address < region.end { return region }
    }
    let all = UnsafeBufferPointer(start: regions, count: regionCount)
    let index = all.partitioningIndex { $0.end > address }
    guard index < regionCount, last >= all[index].start else { return nil }
    lastRegion = index
    return all[index]
  }
}

/// libunwind's callbacks; `argument` is always a `RemoteView`.
enum Accessors {
  static func make() -> unw_accessors_t {
    var accessors = unw_accessors_t()
    accessors.find_proc_info = findProcedure
    accessors.put_unwind_info = { _, _, _ in }
    accessors.get_dyn_info_list_addr = { _, _, _ in -CInt(UNW_ENOINFO.rawValue) }
    accessors.access_mem = accessMemory
    accessors.access_reg = accessRegister
    accessors.access_fpreg = { _, _, _, _, _ in -CInt(UNW_EBADREG.rawValue) }
    accessors.resume = { _, _, _ in -CInt(UNW_EINVAL.rawValue) }
    accessors.get_proc_name = { _, _, _, _, _, _ in -CInt(UNW_EINVAL.rawValue) }
    return accessors
  }

  private static let findProcedure:
    @convention(c) (
      unw_addr_space_t?, unw_word_t, UnsafeMutablePointer<unw_proc_info_t>?, CInt,
      UnsafeMutableRawPointer?
    ) -> CInt = { space, ip, procedure, needsInfo, argument in
      guard let view = argument?.assumingMemoryBound(to: RemoteView.self),
        view.pointee.entry.rawValue != 0
      else { return -CInt(UNW_ENOINFO.rawValue) }
      return sprof_unw_read_entry(
        space, ip, SyntheticFrames.table.rawValue, view.pointee.entry.rawValue, procedure,
        needsInfo, argument)
    }

  private static let accessMemory:
    @convention(c) (
      unw_addr_space_t?, unw_word_t, UnsafeMutablePointer<unw_word_t>?, CInt,
      UnsafeMutableRawPointer?
    ) -> CInt = { _, address, value, isWrite, argument in
      guard isWrite == 0, let value, let view = argument?.assumingMemoryBound(to: RemoteView.self),
        let word = view.pointee.word(at: RemoteAddress(address))
      else { return -CInt(UNW_EINVAL.rawValue) }
      value.pointee = word
      return 0
    }

  private static let accessRegister:
    @convention(c) (
      unw_addr_space_t?, unw_regnum_t, UnsafeMutablePointer<unw_word_t>?, CInt,
      UnsafeMutableRawPointer?
    ) -> CInt = { _, number, value, isWrite, argument in
      guard isWrite == 0, let value, let view = argument?.assumingMemoryBound(to: RemoteView.self),
        number >= 0, number < 17
      else { return -CInt(UNW_EBADREG.rawValue) }
      guard view.pointee.known & 1 << UInt32(number) != 0 else {
        view.pointee.lacksRegister = true
        return -CInt(UNW_EBADREG.rawValue)
      }
      value.pointee = view.pointee.registers[Int(number)]
      return 0
    }
}
