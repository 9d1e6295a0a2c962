package import LinuxProcess
internal import ProfileModel
package import RuntimeReading

/// What the search for CPython in a process found, the later the better news.
package enum PythonSearchResult: Sendable {
  /// No interpreter is mapped.
  case none
  case unreadable(RuntimeFault, title: String)
  /// Nothing has begun yet, or a file that is mapped in parts is not there after all.
  case notReady
  case unknown(RuntimeBuild)
  /// It is shutting down; its structures go away under a reader's hands.
  case finalising(PythonRuntime)
  case found(PythonRuntime)

  fileprivate var rank: Int {
    switch self {
    case .none: 0
    case .unreadable: 1
    case .notReady: 2
    case .unknown: 3
    case .finalising: 4
    case .found: 5
    }
  }

  /// Whether nothing but another place can be better news.
  fileprivate var isCertain: Bool { rank >= PythonSearchResult.notReady.rank }

  mutating func takeBetter(_ other: PythonSearchResult) {
    if other.rank > rank { self = other }
  }
}

/// The search for CPython in a process: by its symbol, its section, its cookie, or its shape.
package final class PythonSearch {
  private let maps: MemoryMaps
  private let memory: ProcessMemory
  private let trial: PythonTrial

  package init(memory: ProcessMemory, maps: MemoryMaps) {
    self.memory = memory
    self.maps = maps
    trial = PythonTrial(memory: memory, maps: maps)
  }

  /// Stops nothing; takes up to about 0.2 s where there is much to be tried.
  package func run() -> PythonSearchResult {
    let files = PythonImage.candidates(in: maps)
    // Mostly it is where one would look for it, and no other file need be opened.
    let likely = files.filter {
      $0.first?.path.lastPathPart.contains("python") ?? false
    }
    let first = search(likely.map { PythonImage(mappings: $0, memory: memory) })
    guard !first.isCertain else { return first }
    let images = files.map { PythonImage(mappings: $0, memory: memory) }
    let best = search(images)
    guard !best.isCertain else { return best }
    for image in images {
      if let runtime = trial.runtimeByShape(in: image) { return .found(runtime) }
    }
    return best
  }

  private func search(_ images: [PythonImage]) -> PythonSearchResult {
    let steps: [() -> [PythonCandidate]] = [
      { images.flatMap { self.bySymbol($0, isDynamic: true) } },
      { images.flatMap(self.bySection) },
      { images.flatMap { self.bySymbol($0, isDynamic: false) } },
      { images.flatMap(self.byCookie) },
    ]
    var best = PythonSearchResult.none
    for step in steps {
      for candidate in step() where trial.hasTime {
        best.takeBetter(trial.result(of: candidate))
        if case .found = best { return best }
      }
      // A place that was named for certain is not searched for by other means.
      if best.isCertain { return best }
    }
    return best
  }

  private func bySymbol(_ image: PythonImage, isDynamic: Bool) -> [PythonCandidate] {
    let symbols = image.symbols(inDynamicTable: isDynamic)
    guard let place = symbols.runtime ?? symbols.olderThread else { return [] }
    let versions = symbols.version.map { image.addresses(of: $0) }
    return placed(
      image.addresses(of: place).enumerated().map { index, address in
        PythonCandidate(
          address: address, evidence: isDynamic ? .dynamicSymbol : .symbol, image: image,
          versionAddress: versions?[index], isOlder: symbols.runtime == nil)
      })
  }

  /// The section that holds `_PyRuntime` since 3.10.
  private func bySection(_ image: PythonImage) -> [PythonCandidate] {
    placed(
      image.addresses(ofSection: ".PyRuntime").map {
        PythonCandidate(address: $0, evidence: .section, image: image)
      })
  }

  /// Only what is in writable memory; a second mapping of the same file may have none.
  private func placed(_ candidates: [PythonCandidate]) -> [PythonCandidate] {
    candidates.filter { maps.mapping(containing: $0.address)?.isWritable ?? false }
  }

  /// The cookie that `_PyRuntime` begins with since 3.13.
  private func byCookie(_ image: PythonImage) -> [PythonCandidate] {
    let number = PythonDebugOffsets.cookie
    let cookie = (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    return MemorySearch(memory).places(of: cookie, in: image.writableRanges(in: maps))
      .filter { $0.rawValue % 8 == 0 }
      .map { PythonCandidate(address: $0, evidence: .debugCookie, image: image) }
  }
}
