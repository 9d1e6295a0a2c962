internal import ProfileModel

/// Finds classes of the JDK by name, among those that the VM's own loader has loaded.
///
/// They are never unloaded, and a new one comes first in the list.
final class BootClasses {
  private let layout: HotSpotLayout
  private let virtualThreads: VirtualThreadLayout
  private let wanted: Set<String>
  private var found: [String: RemoteAddress] = [:]
  /// The first of the list when it was last gone through.
  private var newest: RemoteAddress?

  /// The largest programs have some ten thousand.
  private static let limit = 1 << 17

  init(_ layout: HotSpotLayout, _ virtualThreads: VirtualThreadLayout, wanted: Set<String>) {
    self.layout = layout
    self.virtualThreads = virtualThreads
    self.wanted = wanted
  }

  /// The class of that name, one of those wanted; nil where it is not loaded yet.
  func address(of name: String) -> RemoteAddress? { found[name] }

  /// Looks through the classes that are new since the last time; two reads for each.
  ///
  /// `known` is any class of the same loader.
  func refresh(from known: RemoteAddress, _ methods: JavaMethods, _ memory: JavaMemory) {
    guard found.count < wanted.count,
      let loader = memory.address(at: known + virtualThreads.loaderOfClass), !loader.isNull,
      let first = memory.address(at: loader + virtualThreads.firstClass)
    else { return }
    let start = min(layout.methods.className, virtualThreads.nextClass)
    let size = max(layout.methods.className, virtualThreads.nextClass) + 8 - start
    var next = first
    for _ in 0..<Self.limit where !next.isNull && next != newest {
      guard let piece = memory.bytes(at: next + start, count: size),
        let symbol = piece.address(at: layout.methods.className - start),
        let following = piece.address(at: virtualThreads.nextClass - start)
      else { return }
      if let name = methods.symbol(symbol, memory), wanted.contains(name) { found[name] = next }
      guard found.count < wanted.count else { break }
      next = following
    }
    newest = first
  }
}
