internal import ProfileModel

/// By what a function is recognised on both sides of a comparison.
struct FunctionKey: Hashable {
  let name: String
  /// Without the numbers of lambdas, which change with each lambda that is added before them.
  let unnumbered: String
  /// Without its folders, which differ between checkouts; nil when not known.
  let file: String?
  /// Empty for the program itself, whose file may have another name.
  let module: String

  init(_ function: SourceFunction, in profile: Profile) {
    let index = Int(function.module.rawValue)
    let known = profile.modules.indices.contains(index) ? profile.modules[index] : nil
    let isProgram = known.map { $0.path == profile.capture.executable } ?? false
    let short = known?.name ?? "no file"
    module = isProgram ? "" : Self.withoutVersion(short)
    file = function.file?.lastPathPart
    // Addresses change with each build, so that all code without names counts as one function.
    let isNamed = !SourceLine.isAddress(function.name)
    name =
      isNamed ? FunctionName.numbered(function.name) : "[\(isProgram ? "program" : short)]"
    unnumbered = isNamed ? FunctionName.normalized(function.name) : name
  }

  /// What all lambdas of one function have in common.
  var ofAllLambdas: [String] { [unnumbered, file ?? "", module] }

  private static func withoutVersion(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let so = parts.firstIndex(of: "so") else { return name }
    return parts[..<so].joined(separator: ".")
  }
}

/// The functions of one side, with what is needed to find them on the other.
struct FunctionCensus {
  struct Entry {
    let key: FunctionKey
    let function: SourceFunction
    let moduleName: String
    var samples: Int64 = 0
    var callers: Set<Int> = []
    var callees: Set<Int> = []
    /// Whether the compiler inlined every call that was seen.
    var isInlined = true
  }

  private(set) var entries: [Entry] = []
  /// By capture, by index into `SourceStacks.functions`: index into `entries`.
  private(set) var entryOfFunction: [[Int]] = []
  private var positions: [FunctionKey: Int] = [:]

  mutating func add(_ index: ProfileIndex, threads: [Int]) {
    let profile = index.profile
    entryOfFunction.append(
      index.stacks.functions.map { function in
        let key = FunctionKey(function, in: profile)
        if let known = positions[key] { return known }
        positions[key] = entries.count
        let module = Int(function.module.rawValue)
        entries.append(
          Entry(
            key: key, function: function,
            moduleName: profile.modules.indices.contains(module)
              ? profile.modules[module].name : "no file"))
        return entries.count - 1
      })
    let entryOf = entryOfFunction[entryOfFunction.count - 1]
    let paths = index.stacks.functionPaths
    var samples: [Int64] = Array(repeating: 0, count: paths.count)
    for run in threads.lazy.flatMap({ index.runs(of: $0) }) {
      samples[paths.path(of: run.stack)] &+= run.weight.samples
    }
    for path in stride(from: paths.count - 1, to: 0, by: -1) where samples[path] != 0 {
      let caller = paths.caller(of: path)
      samples[caller] &+= samples[path]
      let entry = entryOf[paths.item(of: path)]
      entries[entry].samples &+= samples[path]
      if !paths.isInlined(path) { entries[entry].isInlined = false }
      guard caller != 0 else { continue }
      let callerEntry = entryOf[paths.item(of: caller)]
      entries[entry].callers.insert(callerEntry)
      entries[callerEntry].callees.insert(entry)
    }
  }
}
