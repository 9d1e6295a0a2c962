internal import ELFReading
internal import LinuxProcess
internal import ProfileModel

/// What is known of the code addresses that stacks were found to hold; each is looked up once.
///
/// Belongs to one thread.
final class GoCode {
  struct Place {
    /// Which function it is; nil for no code of Go's.
    let function: GoFunction?
    /// Bytes between the stack pointer and the return address.
    let frameSize: Int?
  }

  struct GoFunction {
    let name: String
    let isOutermost: Bool
    let start: RemoteAddress
  }

  /// Of a function that stands for one which has left a goroutine's stack.
  static let switchName = GoFunctionTable.switchName

  private let image: GoImage
  private var places: [UInt64: Place] = [:]
  private var functions: [UInt64: GoFunction] = [:]
  private var lines: [UInt64: [SourceLine]] = [:]
  /// A program has fewer return addresses; what is beyond is looked up each time.
  private static let limit = 1 << 20

  init(_ image: GoImage) { self.image = image }

  /// What is at an address, which is of the instruction itself and not of the next.
  func place(_ address: UInt64) -> Place {
    if let known = places[address] { return known }
    let place = look(address)
    if places.count < Self.limit { places[address] = place }
    return place
  }

  private func look(_ address: UInt64) -> Place {
    let code = image.fileAddress(RemoteAddress(address))
    let file = image.file
    guard let function = image.functions.function(containing: code, in: file.bytes) else {
      return Place(function: nil, frameSize: nil)
    }
    let size = image.functions.frameSize(at: code, of: function, in: file.bytes)
    return Place(function: self.function(function), frameSize: size)
  }

  private func function(_ function: GoFunctionTable.Function) -> GoFunction {
    if let known = functions[function.start.rawValue] { return known }
    let file = image.file
    let traits = image.functions.traits(of: function, in: file.bytes)
    let new = GoFunction(
      name: image.functions.name(of: function, in: file.bytes)
        ?? image.loaded(function.start).description,
      isOutermost: traits.contains(.isOutermost), start: image.loaded(function.start))
    if functions.count < Self.limit { functions[function.start.rawValue] = new }
    return new
  }

  /// Whether a function begins at an address.
  func isStart(_ address: UInt64) -> Bool { place(address).function?.start.rawValue == address }

  /// The functions and lines of an address, the innermost first; at least one.
  func lines(at address: UInt64) -> [SourceLine] {
    if let known = lines[address] { return known }
    let file = image.file
    let found = image.functions.lines(
      at: image.fileAddress(RemoteAddress(address)), in: file.bytes)
    let result =
      found.isEmpty ? [SourceLine(function: RemoteAddress(address).description)] : found
    if lines.count < Self.limit { lines[address] = result }
    return result
  }
}
