internal import ByteReading
internal import LinuxProcess
internal import ProfileModel

/// The search for CPython in a process: by its symbol, its section, its cookie, or its shape.
final class PythonSearch {
  /// A place where `_PyRuntime` may lie, or what a Python had that has none.
  private struct Candidate {
    let address: UInt64
    let evidence: PythonEvidence
    let image: PythonImage
    /// Where `Py_Version` lies, which is there since 3.11; its upper half is zero.
    var versionAddress: UInt64?
    /// Whether it is of a Python older than 3.7.
    var isOlder = false
  }

  /// What trying a candidate gave; the later one is the better news.
  private enum Verdict {
    case nothing
    case unreadable(String)
    /// Where nothing has begun yet, or where a file that is mapped in parts does not lie after all.
    case notReady
    case unknownVersion(String)
    case finalising(PythonRuntime)
    case found(PythonRuntime)

    var rank: Int {
      switch self {
      case .nothing: 0
      case .unreadable: 1
      case .notReady: 2
      case .unknownVersion: 3
      case .finalising: 4
      case .found: 5
      }
    }
  }

  private let memory: ProcessMemory
  private let maps: MemoryMaps
  /// How long candidates may still be looked at: one may lead through its memory for ever.
  private var checkTime: Int64 = 200_000_000

  init(memory: ProcessMemory, maps: MemoryMaps) {
    self.memory = memory
    self.maps = maps
  }

  func run() -> RuntimeSearch<PythonRuntime> {
    let files = PythonImage.candidates(in: maps)
    // Mostly it is where one would look for it, and no other file need be opened.
    let likely = files.filter {
      $0.first?.path.split(separator: "/").last?.contains("python") ?? false
    }
    let first = search(likely.map { PythonImage(mappings: $0, memory: memory) })
    guard first.rank < Verdict.notReady.rank else { return result(first) }
    let images = files.map { PythonImage(mappings: $0, memory: memory) }
    let best = search(images)
    guard best.rank < Verdict.notReady.rank else { return result(best) }
    for image in images {
      if let runtime = byShape(image) { return .found(runtime) }
    }
    return result(best)
  }

  private func search(_ images: [PythonImage]) -> Verdict {
    let steps: [() -> [Candidate]] = [
      { images.flatMap { self.bySymbol($0, isDynamic: true) } },
      { images.flatMap(self.bySection) },
      { images.flatMap { self.bySymbol($0, isDynamic: false) } },
      { images.flatMap(self.byCookie) },
    ]
    var best = Verdict.nothing
    for step in steps {
      for candidate in step() where checkTime > 0 {
        let verdict = verdict(on: candidate)
        if verdict.rank > best.rank { best = verdict }
        if case .found = best { return best }
      }
      // A place that was named for certain is not searched for by other means.
      if best.rank >= Verdict.notReady.rank { return best }
    }
    return best
  }

  private func result(_ verdict: Verdict) -> RuntimeSearch<PythonRuntime> {
    switch verdict {
    case .nothing: .none
    case .unreadable(let reason): .unreadable(reason)
    case .unknownVersion(let version): .unknownVersion(version)
    case .notReady: .notReady
    case .finalising(let runtime): .finalising(runtime)
    case .found(let runtime): .found(runtime)
    }
  }

  // MARK: - Candidates

  private func bySymbol(_ image: PythonImage, isDynamic: Bool) -> [Candidate] {
    let symbols = image.symbols(inDynamicTable: isDynamic)
    guard let place = symbols.runtime ?? symbols.olderThread else { return [] }
    return placed(
      image.biases.map { bias in
        Candidate(
          address: place &+ bias, evidence: isDynamic ? .dynamicSymbol : .symbol, image: image,
          versionAddress: symbols.version.map { $0 &+ bias }, isOlder: symbols.runtime == nil)
      })
  }

  /// The section that holds `_PyRuntime` since 3.10.
  private func bySection(_ image: PythonImage) -> [Candidate] {
    let places = image.addresses(ofSection: ".PyRuntime")
    return placed(
      places.map { Candidate(address: $0, evidence: .section, image: image) })
  }

  /// Only what lies in writable memory; a second mapping of the same file may have none.
  private func placed(_ candidates: [Candidate]) -> [Candidate] {
    candidates.filter {
      maps.mapping(containing: RemoteAddress($0.address))?.isWritable ?? false
    }
  }

  /// The cookie that `_PyRuntime` begins with since 3.13.
  private func byCookie(_ image: PythonImage) -> [Candidate] {
    let cookie = withUnsafeBytes(of: PythonDebugOffsets.cookie.littleEndian) { Array($0) }
    return MemorySearch(memory).places(of: cookie, in: image.writableRanges(in: maps))
      .filter { $0 % 8 == 0 }
      .map { Candidate(address: $0, evidence: .debugCookie, image: image) }
  }

  // MARK: - Trying

  private func verdict(on candidate: Candidate) -> Verdict {
    if candidate.isOlder {
      let version = banner(in: candidate.image) ?? PythonVersion(path: candidate.image.path)
      return .unknownVersion(version?.description ?? "2")
    }
    let place = RemoteAddress(candidate.address)
    if let bytes = memory.read(at: place, count: PythonDebugOffsets.size),
      let offsets = PythonDebugOffsets(bytes.span.bytes)
    {
      return verdict(on: candidate, selfDescribed: offsets)
    }
    let versions = versions(of: candidate)
    guard !versions.isEmpty else { return .nothing }
    let known = versions.filter { $0.minor < 13 && PythonOffsets.layout(minor: $0.minor) != nil }
    // From 3.13 on a place without the cookie is not, or not yet, an interpreter.
    guard !known.isEmpty else {
      let newest = versions[0]
      return newest.minor >= 13 ? .notReady : .unknownVersion(newest.description)
    }
    var best = Verdict.nothing
    for version in known {
      guard let layout = PythonOffsets.layout(of: version),
        let runtime = PythonRuntime(
          address: RemoteAddress(candidate.address), version: version, layout: layout,
          evidence: candidate.evidence, path: candidate.image.path,
          loopStart: layout[.cframeFrame] != nil ? loopStart(in: candidate.image) : nil)
      else { continue }
      let verdict = check(runtime)
      if verdict.rank > best.rank { best = verdict }
      if case .found = best { return best }
    }
    return best
  }

  private func loopStart(in image: PythonImage) -> RemoteAddress? {
    let start =
      image.symbols(inDynamicTable: true).loop ?? image.symbols(inDynamicTable: false).loop
    guard let start else { return nil }
    return image.biases.lazy.map { RemoteAddress(start &+ $0) }
      .first { maps.mapping(containing: $0)?.isExecutable ?? false }
  }

  private func verdict(
    on candidate: Candidate, selfDescribed offsets: PythonDebugOffsets
  ) -> Verdict {
    if offsets.isFreeThreaded {
      return .unknownVersion("\(offsets.version) without its lock (free-threaded)")
    }
    guard
      let runtime = PythonRuntime(
        address: RemoteAddress(candidate.address), version: offsets.version, layout: offsets.layout,
        evidence: candidate.evidence, path: candidate.image.path)
    else {
      let isKnown = PythonOffsets.minors.contains(offsets.version.minor)
      return .unknownVersion(
        isKnown ? "\(offsets.version), built in a way of its own" : "\(offsets.version)")
    }
    let verdict = check(runtime)
    // The structure still moves between alphas, betas and candidates.
    if case .unreadable = verdict, offsets.version.isPreRelease {
      return .unknownVersion("\(offsets.version), a pre-release")
    }
    return verdict
  }

  /// Versions that the candidate may have, the likeliest first: one when something tells it.
  private func versions(of candidate: Candidate) -> [PythonVersion] {
    if let place = candidate.versionAddress,
      let bytes = memory.read(at: RemoteAddress(place), count: 4),
      let number = ByteReader(bytes.span.bytes).value(at: 0, as: UInt32.self),
      let version = PythonVersion(hexadecimal: number)
    {
      return [version]
    }
    if let version = banner(in: candidate.image) { return [version] }
    if let version = PythonVersion(path: candidate.image.path) { return [version] }
    return PythonOffsets.minors.reversed().filter { $0 < 13 }.map { PythonVersion(minor: $0) }
  }

  private func banner(in image: PythonImage) -> PythonVersion? {
    MemorySearch(memory).firstBanner(in: image.writableRanges(in: maps))
  }

  private func outcome(of runtime: PythonRuntime) -> PythonValidation.Outcome {
    let start = MonotonicClock.now().rawValue
    defer { checkTime -= MonotonicClock.now().rawValue - start }
    return PythonValidation(runtime, process: memory.tid).check(memory, until: start + checkTime)
  }

  private func check(_ runtime: PythonRuntime) -> Verdict {
    var last = Verdict.nothing
    // Nothing is stopped: a thread may have ended between two reads.
    for _ in 0..<4 where checkTime > 0 {
      switch outcome(of: runtime) {
      case .valid: return .found(runtime)
      case .finalising: return .finalising(runtime)
      case .empty: last = .notReady
      case .invalid(let reason): last = .unreadable("\(runtime.title): \(reason)")
      }
    }
    return last
  }

  // MARK: - Without any name

  /// Looks for the two pointers to interpreters, in data of an image that holds a version's text.
  private func byShape(_ image: PythonImage) -> PythonRuntime? {
    guard let version = banner(in: image), version.minor < 13,
      let layout = PythonOffsets.layout(of: version),
      let head = layout[.runtimeInterpreters]
    else { return nil }
    let search = MemorySearch(memory)
    var tries = 0
    for place in search.pairs(in: image.writableRanges(in: maps), maps: maps)
    where tries < 4096 && checkTime > 0 {
      guard place >= UInt64(head),
        let runtime = PythonRuntime(
          address: RemoteAddress(place - UInt64(head)), version: version, layout: layout,
          evidence: .memoryScan, path: image.path)
      else { continue }
      tries += 1
      if case .valid = outcome(of: runtime) { return runtime }
    }
    return nil
  }
}
