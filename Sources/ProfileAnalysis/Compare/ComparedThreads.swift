internal import ProfileModel

/// The threads of both sides, paired by name and root function.
struct ComparedThreads {
  struct Group {
    var name: String
    var root: String?
    /// Threads of each side, all captures together.
    var counts = [0, 0]
  }

  private struct Key: Hashable {
    let isMain: Bool
    let name: String
    let root: String?
  }

  private(set) var groups: [Group] = []
  /// By side, capture and thread: index into `groups`; -1 for threads that were not chosen.
  private(set) var groupOfThread: [[[Int]]] = []

  /// - Parameter sides: for each side and capture the index and the chosen threads.
  init(_ sides: [[(index: ProfileIndex, threads: [Int])]]) {
    let keys = sides.map { side in
      side.map { capture in capture.threads.map { Self.key(capture.index, thread: $0) } }
    }
    let names = keys.map { Set($0.joined()) }
    var groupOfKey: [[Key: Int]] = [[:], [:]]
    for key in keys.joined().joined() where names[0].contains(key) && names[1].contains(key) {
      guard groupOfKey[0][key] == nil else { continue }
      groupOfKey[0][key] = groups.count
      groupOfKey[1][key] = groups.count
      groups.append(Group(name: key.name, root: key.root))
    }
    pair(names, &groupOfKey) { [$0.isMain ? "main" : "", $0.name] }
    pair(names, &groupOfKey) { $0.isMain ? ["main"] : nil }
    pair(names, &groupOfKey) { $0.root.map { ["", $0] } }
    groupOfThread = sides.map {
      $0.map { Array(repeating: -1, count: $0.index.profile.threads.count) }
    }
    for side in sides.indices {
      for capture in sides[side].indices {
        for (thread, key) in zip(sides[side][capture].threads, keys[side][capture]) {
          let group = groupOfKey[side][key] ?? groups.count
          if group == groups.count {
            groupOfKey[side][key] = group
            groups.append(Group(name: key.name, root: key.root))
          }
          groups[group].counts[side] += 1
          groupOfThread[side][capture][thread] = group
        }
      }
    }
  }

  /// Pairs keys without a partner that are the only ones of their looser key on both sides.
  private mutating func pair(
    _ names: [Set<Key>], _ groupOfKey: inout [[Key: Int]], by loose: (Key) -> [String]?
  ) {
    var candidates: [[[String]: [Key]]] = [[:], [:]]
    for side in 0..<2 {
      for key in names[side] where groupOfKey[side][key] == nil {
        if let loose = loose(key) { candidates[side][loose, default: []].append(key) }
      }
    }
    let shared = candidates[0].keys.filter {
      candidates[0][$0]?.count == 1 && candidates[1][$0]?.count == 1
    }
    for loose in shared.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let one = candidates[0][loose]?.first, let two = candidates[1][loose]?.first else {
        continue
      }
      groupOfKey[0][one] = groups.count
      groupOfKey[1][two] = groups.count
      groups.append(Group(name: two.name, root: two.root ?? one.root))
    }
  }

  private static func key(_ index: ProfileIndex, thread: Int) -> Key {
    let info = index.profile.threads[thread]
    let pattern = info.isMain ? info.name : info.namePattern
    return Key(isMain: info.isMain, name: pattern, root: rootFunction(index, thread: thread))
  }

  /// The first functions of all threads, which do not distinguish them.
  private static let generic: Set<String> = [
    "_start", "clone", "clone3", "__clone", "__clone3", "__clone_internal", "start_thread",
    "thread_start", "__libc_start_main", "__libc_start_call_main", "__libc_start_main_impl",
    "execute_native_thread_routine", "__rust_start_thread", "thread_start_routine",
  ]

  /// The outermost function of a thread's heaviest stack that is its own.
  private static func rootFunction(_ index: ProfileIndex, thread: Int) -> String? {
    let paths = index.stacks.functionPaths
    var times: [Int: Int64] = [:]
    for run in index.runs(of: thread) where run.end == .complete {
      times[paths.path(of: run.stack), default: 0] &+= max(run.weight.wall, run.weight.samples)
    }
    let heaviest = times.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
    var result: String?
    var path = heaviest
    while path != 0 {
      let function = index.stacks.functions[paths.item(of: path)]
      let plain = function.name.split(separator: "@").first.map(String.init) ?? function.name
      if !SourceLine.isAddress(plain), !generic.contains(plain), !function.isElided {
        result = FunctionName.normalized(plain)
      }
      path = paths.caller(of: path)
    }
    return result
  }
}
