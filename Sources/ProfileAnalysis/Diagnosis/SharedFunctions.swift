internal import ProfileModel

/// The program's functions by the samples that they hold together with what they call, by whatever way they
/// were called.
struct SharedFunctions {
  /// A function that holds samples.
  struct Function {
    let function: Int
    /// The frame in which it holds most of them.
    fileprivate(set) var frame: SourceFrame
    fileprivate(set) var samples: Int64 = 0
    fileprivate var mostInFrame: Int64 = -1
    /// The sum over the samples of how many frames are around it.
    fileprivate var depths: Double = 0
    /// Whether a thread begins in it.
    fileprivate var isEntry = false

    fileprivate var depth: Double { depths / Double(max(samples, 1)) }
  }

  private let owners: [ModuleOwner]
  private var functions: [Int: Function] = [:]
  /// By function: whether it is the program's own.
  private var isOfProgram: [Int: Bool] = [:]

  init(_ owners: [ModuleOwner]) { self.owners = owners }

  /// Counts samples in a stack, given by its frames, innermost first, and by the numbers of their functions.
  mutating func add(_ samples: Int64, frames: [SourceFrame], functions numbers: [Int]) {
    guard let place = owners.place(of: frames) else { return }
    let own = (place..<frames.count).filter { position in
      let number = numbers[position]
      let isOwn = isOfProgram[number] ?? owners.isOfProgram(frames[position])
      isOfProgram[number] = isOwn
      return isOwn
    }
    var seen: Set<Int> = []
    for position in own where seen.insert(numbers[position]).inserted {
      let number = numbers[position]
      var known = functions[number] ?? Function(function: number, frame: frames[position])
      known.samples &+= samples
      known.depths += Double(samples) * Double(frames.count - position)
      if samples > known.mostInFrame {
        (known.frame, known.mostInFrame) = (frames[position], samples)
      }
      if position == own.last || frames[position].isMain { known.isEntry = true }
      functions[number] = known
    }
  }

  /// The function that the fewest others are in, of those that hold this share of the samples; nil where a
  /// thread begins in it.
  func deepest(holding share: Double) -> Function? {
    let total = functions.values.map(\.samples).max() ?? 0
    let holding = functions.values.filter { Double($0.samples) >= Double(total) * share }
    let deepest = holding.max { ($0.depth, $1.function) < ($1.depth, $0.function) }
    return deepest.flatMap { $0.isEntry ? nil : $0 }
  }
}

extension [ModuleOwner] {
  /// Whether a thread begins in a function, given by its position in a stack: only a library, or what starts
  /// threads and programs, is around it.
  func isEntry(_ position: Int, in frames: [SourceFrame]) -> Bool {
    let around = frames[(position + 1)...].filter { isOfProgram($0) }
    return around.isEmpty || frames[position].isMain && around.allSatisfy(\.isMain)
  }
}

extension SourceFrame {
  /// Whether it is the function in which a program begins; one of Rust's is called by one of C's.
  fileprivate var isMain: Bool {
    let name = FunctionName.plain(line.function)
    return name == "main" || name.hasSuffix("::main")
  }
}
