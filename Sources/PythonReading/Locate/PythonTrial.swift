internal import ByteReading
internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A place where `_PyRuntime` may be, or what a Python had that has none.
struct PythonCandidate {
  let address: RemoteAddress
  let evidence: PythonEvidence
  let image: PythonImage
  /// Where `Py_Version` is, which is there since 3.11; its upper half is zero.
  var versionAddress: RemoteAddress?
  /// Whether it is of a Python older than 3.7.
  var isOlder = false
}

/// Tries places where an interpreter may be, for some time altogether.
final class PythonTrial {
  private let memory: ProcessMemory
  private let maps: MemoryMaps
  /// How long candidates may still be tried: one may lead through its memory for ever.
  private var timeLeft = Nanoseconds.milliseconds(200)
  /// Nothing is stopped: a thread may have ended between two reads.
  private static let tries = 4

  init(memory: ProcessMemory, maps: MemoryMaps) {
    self.memory = memory
    self.maps = maps
  }

  var hasTime: Bool { timeLeft > 0 }

  /// What is at a place.
  func result(of candidate: PythonCandidate) -> PythonSearchResult {
    if candidate.isOlder {
      let version = banner(in: candidate.image) ?? PythonVersion(path: candidate.image.path)
      return .unknown(PythonReader.build(version?.description ?? "2"))
    }
    if let bytes = memory.read(at: candidate.address, count: PythonDebugOffsets.size),
      // The bytes outlive the call.
      let offsets = unsafe PythonDebugOffsets(bytes.span.bytes)
    {
      return result(of: candidate, selfDescribed: offsets)
    }
    let versions = versions(of: candidate)
    guard let newest = versions.first else { return .none }
    let known = versions.filter { Self.isReadFromTable($0) }
    guard !known.isEmpty else {
      return Self.describesItself(newest)
        ? .notReady : .unknown(PythonReader.build(newest.description))
    }
    var best = PythonSearchResult.none
    for version in known {
      guard let layout = PythonOffsets.layout(of: version),
        let runtime = PythonRuntime(
          address: candidate.address, version: version, layout: layout,
          evidence: candidate.evidence, path: candidate.image.path,
          loopStart: layout[.cframeFrame] != nil ? loopStart(in: candidate.image) : nil)
      else { continue }
      best.takeBetter(check(runtime))
      if case .found = best { return best }
    }
    return best
  }

  /// From 3.13 on a place without the cookie is not, or not yet, an interpreter.
  private static func describesItself(_ version: PythonVersion) -> Bool {
    version.minor >= PythonDebugOffsets.firstMinor
  }

  private static func isReadFromTable(_ version: PythonVersion) -> Bool {
    !describesItself(version) && PythonOffsets.minors.contains(version.minor)
  }

  private func loopStart(in image: PythonImage) -> RemoteAddress? {
    let start =
      image.symbols(inDynamicTable: true).loop ?? image.symbols(inDynamicTable: false).loop
    guard let start else { return nil }
    return image.addresses(of: start).first { maps.mapping(containing: $0)?.isExecutable ?? false }
  }

  private func result(
    of candidate: PythonCandidate, selfDescribed offsets: PythonDebugOffsets
  ) -> PythonSearchResult {
    let version = offsets.version.description
    if offsets.isFreeThreaded { return .unknown(PythonReader.build(version, .withoutLock)) }
    guard
      let runtime = PythonRuntime(
        address: candidate.address, version: offsets.version, layout: offsets.layout,
        evidence: candidate.evidence, path: candidate.image.path)
    else {
      let isKnown = PythonOffsets.minors.contains(offsets.version.minor)
      return .unknown(PythonReader.build(version, isKnown ? .ownLayout : nil))
    }
    let result = check(runtime)
    // The structure still moves between alphas, betas and candidates.
    if case .unreadable = result, offsets.version.isPreRelease {
      return .unknown(PythonReader.build(version, .preRelease))
    }
    return result
  }

  /// Versions that the candidate may have, the likeliest first: one where something says so.
  private func versions(of candidate: PythonCandidate) -> [PythonVersion] {
    if let place = candidate.versionAddress,
      let bytes = memory.read(at: place, count: 4),
      // The span is used within this call only.
      let number = unsafe ByteReader(bytes.span.bytes).value(at: 0, as: UInt32.self),
      let version = PythonVersion(hexadecimal: number)
    {
      return [version]
    }
    if let version = banner(in: candidate.image) { return [version] }
    if let version = PythonVersion(path: candidate.image.path) { return [version] }
    return PythonOffsets.minors.reversed().map { PythonVersion(minor: $0) }
      .filter(Self.isReadFromTable)
  }

  private func banner(in image: PythonImage) -> PythonVersion? {
    MemorySearch(memory).firstBanner(in: image.writableRanges(in: maps))
  }

  // MARK: - Checks

  private func outcome(of runtime: PythonRuntime) -> PythonValidation.Outcome {
    let start = MonotonicClock.now()
    defer { timeLeft -= MonotonicClock.now() - start }
    return PythonValidation(runtime, process: memory.tid).check(memory, until: start + timeLeft)
  }

  private func check(_ runtime: PythonRuntime) -> PythonSearchResult {
    var last = PythonSearchResult.none
    for _ in 0..<Self.tries where hasTime {
      switch outcome(of: runtime) {
      case .valid: return .found(runtime)
      case .finalising: return .finalising(runtime)
      case .empty: last = .notReady
      case .invalid(let fault): last = .unreadable(fault, title: runtime.title)
      }
    }
    return last
  }

  /// Looks for the two pointers to interpreters, in data of an image that holds a version's text.
  func runtimeByShape(in image: PythonImage) -> PythonRuntime? {
    guard let version = banner(in: image), Self.isReadFromTable(version),
      let layout = PythonOffsets.layout(of: version),
      let head = layout[.runtimeInterpreters]
    else { return nil }
    let pairs = MemorySearch(memory).pairs(in: image.writableRanges(in: maps), maps: maps)
    for place in pairs.prefix(4096) where hasTime {
      guard
        let runtime = PythonRuntime(
          address: place - head, version: version, layout: layout, evidence: .memoryScan,
          path: image.path)
      else { continue }
      if case .valid = outcome(of: runtime) { return runtime }
    }
    return nil
  }
}
