internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

/// A coroutine with those that it awaits.
struct PythonCoroutineChain {
  /// Of the coroutine itself; nil when it is none that could be read.
  var state: PythonGeneratorState?
  /// From the coroutine's own frame inwards.
  var frames: [RuntimeFrame] = []
  /// The first local variable of the innermost frame; null when there is none.
  var firstLocal = RemoteAddress.null
}

/// Follows many coroutines to what they await, a step of all of them at a time: the reads are as
/// many as the longest chain has steps, and not as there are coroutines.
struct PythonCoroutineWalk<Memory: TargetMemory> {
  private let reader: PythonReader
  private let objects: PythonObjects<Memory>
  /// `types.CoroutineType`, `GeneratorType` and `AsyncGeneratorType`.
  private let types: Set<RemoteAddress>
  private var wrappers: [RemoteAddress: Bool] = [:]
  private var seen: Set<RemoteAddress> = []
  private var frames: [Found] = []

  /// Coroutines that await each other; more are a torn chain.
  private static var depthLimit: Int { 4096 }
  /// Coroutines of all tasks together.
  private static var frameLimit: Int { 1 << 19 }
  /// Code objects of all of them.
  private static var codeLimit: Int { 1 << 14 }

  /// A coroutine that is read for the sake of a chain.
  private struct Step {
    let chain: Int
    let object: RemoteAddress
  }

  private struct Found {
    let chain: Int
    let frame: PythonRawFrame
  }

  /// What the frame of a chain awaits.
  private struct Awaited {
    let chain: Int
    let place: PythonCoroutineStep.Awaited
  }

  init(reader: PythonReader, objects: PythonObjects<Memory>) {
    self.reader = reader
    self.objects = objects
    let names: Set = ["CoroutineType", "GeneratorType", "AsyncGeneratorType"]
    types = Set(
      reader.interpreters.prefix(1).flatMap { interpreter in
        objects.contents(of: ["types"], in: interpreter)["types"].map {
          Array(objects.values(of: names, inDictionary: $0).values)
        } ?? []
      })
  }

  mutating func chains(of coroutines: [RemoteAddress]) -> [PythonCoroutineChain] {
    var chains = [PythonCoroutineChain](repeating: PythonCoroutineChain(), count: coroutines.count)
    var steps = coroutines.enumerated().filter { !$0.element.isNull }
      .map { Step(chain: $0.offset, object: $0.element) }
    for _ in 0..<Self.depthLimit where !steps.isEmpty && frames.count < Self.frameLimit {
      steps = follow(steps, &chains)
    }
    addFrames(to: &chains)
    return chains
  }

  /// One step of all chains; gives what is awaited there.
  private mutating func follow(
    _ steps: [Step], _ chains: inout [PythonCoroutineChain]
  ) -> [Step] {
    let runtime = reader.runtime
    guard let size = runtime.coroutineSize else { return [] }
    let copies = objects.copies(
      steps.map { MemoryRange(start: $0.object, count: size) })
    var awaits: [Awaited] = []
    var next: [Step] = []
    for step in steps where seen.insert(step.object).inserted {
      guard let type = copies.pointer(at: step.object + runtime.objects.type) else { continue }
      guard types.contains(type) else {
        next += wrapped(step, type)
        continue
      }
      guard let coroutine = runtime.coroutine(at: step.object, in: copies) else { continue }
      chains[step.chain].state = chains[step.chain].state ?? coroutine.state
      guard coroutine.state != .cleared else { continue }
      frames.append(Found(chain: step.chain, frame: coroutine.frame))
      chains[step.chain].firstLocal =
        copies.pointer(at: step.object + (size - PythonObjectShape.wordSize)) ?? .null
      if let place = coroutine.awaited { awaits.append(Awaited(chain: step.chain, place: place)) }
    }
    return next + awaited(awaits)
  }

  /// The objects at those places.
  private func awaited(_ awaits: [Awaited]) -> [Step] {
    let ranges = awaits.flatMap { awaited in
      [MemoryRange(start: awaited.place.slot, count: PythonObjectShape.wordSize)]
        + (awaited.place.instruction.map { [MemoryRange(start: $0, count: 2)] } ?? [])
    }
    let copies = objects.copies(ranges)
    return awaits.compactMap { awaited in
      reader.runtime.object(at: awaited.place, in: copies)
        .map { Step(chain: awaited.chain, object: $0) }
    }
  }

  /// What an object stands for between a coroutine and another that it awaits.
  private mutating func wrapped(_ step: Step, _ type: RemoteAddress) -> [Step] {
    guard isWrapper(type), let inner = objects.pointer(step.object + objects.shape.wrapperInner)
    else { return [] }
    return [Step(chain: step.chain, object: inner)]
  }

  private mutating func isWrapper(_ type: RemoteAddress) -> Bool {
    if let known = wrappers[type] { return known }
    let isOne =
      objects.typeName(type).map { PythonGeneratorShape.wrapperNames.contains($0) } ?? false
    wrappers[type] = isOne
    return isOne
  }

  // MARK: - Names and lines

  private func addFrames(to chains: inout [PythonCoroutineChain]) {
    let codes = Set(frames.lazy.map(\.frame.code).prefix(Self.frameLimit)).prefix(Self.codeLimit)
    var copies = MemoryCopies()
    for _ in 0..<4 {
      let missing = codes.flatMap {
        reader.codes.missing(for: $0, generation: nil, in: copies)
      }
      guard !missing.isEmpty else { break }
      copies.copy(missing, from: objects.memory)
    }
    var functions: [RemoteAddress: RuntimeFunction] = [:]
    reader.codes.beginReading()
    for code in codes {
      functions[code] = reader.codes.function(at: code, generation: nil, in: copies)
    }
    let shape = reader.runtime.frameShape
    for found in frames {
      let function = functions[found.frame.code]
      let position = shape.unit(of: found.frame)
      chains[found.chain].frames.append(
        RuntimeFrame(
          function: function, code: found.frame.code, line: function?.line(at: position),
          needsCaller: true))
    }
  }
}
