internal import ProfileAnalysis
package import ProfileModel

/// The format of callgrind, for kcachegrind and callgrind_annotate: wall and CPU time in
/// nanoseconds, by line; inlined functions are functions of their own.
///
/// The format holds who called whom, not whole stacks, and asks how often: a sampler cannot know,
/// so every call counts as one. Readers take functions that nobody calls for the outermost ones; since
/// one of them may be called elsewhere (as Python's are, by their interpreter's C functions), there is
/// one that calls them all. The format: https://valgrind.org/docs/manual/cl-format.html
package struct CallgrindExporter: ProfileExporter {
  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let index = ProfileIndex(profile)
    let graph = CallGraph(index)
    OutputBuffer.write(to: &output) { buffer in
      writeHeader(profile.capture, graph.total, to: &buffer)
      var names = CallgrindNames(index)
      for function in graph.functions {
        names.writeFunction(function.item, to: &buffer)
        for line in function.own {
          buffer.write(line.line)
          buffer.write(costs: line.weight)
        }
        for call in function.calls {
          names.writeCall(of: call.callee, to: &buffer)
          buffer.write("calls=1 ")
          buffer.write(call.calleeLine)
          buffer.write("\n")
          buffer.write(call.line)
          buffer.write(costs: call.weight)
        }
      }
      buffer.write("\ntotals:")
      buffer.write(costs: graph.total)
    }
  }

  private func writeHeader(
    _ capture: CaptureInfo, _ total: Weight, to buffer: inout OutputBuffer
  ) {
    let command = capture.commandLine.isEmpty ? [capture.processName] : capture.commandLine
    buffer.write(
      """
      # callgrind format
      version: 1
      creator: sprof \(SprofVersion.current)
      pid: \(capture.pid)
      cmd: \(command.joined(separator: " ").inOneLine())
      positions: line
      event: Wall : Wall-clock nanoseconds
      event: CPU : CPU nanoseconds
      events: Wall CPU
      summary:
      """)
    buffer.write(costs: total)
  }
}

extension OutputBuffer {
  fileprivate mutating func write(costs weight: Weight) {
    write(" ")
    write(max(0, weight.wall))
    write(" ")
    write(max(0, weight.cpu))
    write("\n")
  }
}

/// What functions did themselves and in the functions that they called, by line.
private struct CallGraph {
  struct Function {
    let item: ExportedFrame
    var own: [(line: Int, weight: Weight)] = []
    var calls: [Call] = []
  }

  struct Call {
    let line: Int
    let callee: ExportedFrame
    let calleeLine: Int
    let weight: Weight
  }

  private struct Edge: Hashable {
    let caller: Place
    let callee: ExportedFrame
  }

  private struct Place: Hashable {
    let function: ExportedFrame
    let line: Int
  }

  private(set) var functions: [Function] = []
  private(set) var total = Weight()

  init(_ index: ProfileIndex) {
    var own: [Place: Weight] = [:]
    var calls: [Edge: (line: Int, weight: Weight)] = [:]
    for (stack, weight) in Self.stacks(index) {
      let places = Self.places(of: stack, index)
      if let leaf = places.last { own[leaf, default: Weight()] += weight }
      total += weight
      // A call that recursion made several times in a stack took the time once.
      var seen: Set<Edge> = []
      for (caller, callee) in zip(places, places.dropFirst()) {
        let edge = Edge(caller: caller, callee: callee.function)
        guard seen.insert(edge).inserted else { continue }
        calls[edge, default: (callee.line, Weight())].weight += weight
      }
    }
    add(own, calls)
  }

  private struct Stack: Hashable {
    let path: Int
    let root: ExportedFrame?
  }

  private static func stacks(_ index: ProfileIndex) -> [Stack: Weight] {
    var stacks: [Stack: Weight] = [:]
    for thread in index.profile.threads.indices {
      for run in index.runs(of: thread) {
        let path = index.stacks.linePaths.path(of: run.stack)
        let stack = Stack(path: path, root: .root(of: run.end, isEmpty: path == 0))
        stacks[stack, default: Weight()] += run.weight
      }
    }
    return stacks
  }

  private static func places(of stack: Stack, _ index: ProfileIndex) -> [Place] {
    let root = stack.root.map { [Place(function: $0, line: 0)] } ?? []
    return [Place(function: .everything, line: 0)] + root
      + index.stacks.linePaths.items(of: stack.path).map { item in
        let line = index.stacks.lines[item]
        return Place(function: .source(line.function), line: max(0, line.line))
      }
  }

  private mutating func add(
    _ own: [Place: Weight], _ calls: [Edge: (line: Int, weight: Weight)]
  ) {
    var byFunction: [ExportedFrame: Function] = [:]
    for (place, weight) in own {
      byFunction[place.function, default: Function(item: place.function)].own
        .append((place.line, weight))
    }
    for (edge, call) in calls {
      byFunction[edge.caller.function, default: Function(item: edge.caller.function)].calls
        .append(
          Call(
            line: edge.caller.line, callee: edge.callee, calleeLine: call.line,
            weight: call.weight))
    }
    functions = byFunction.values.map { function in
      var function = function
      function.own.sort { $0.line < $1.line }
      function.calls.sort {
        $0.line != $1.line ? $0.line < $1.line : $0.callee.order < $1.callee.order
      }
      return function
    }.sorted { $0.item.order < $1.item.order }
  }
}

extension ExportedFrame {
  /// An order that does not depend on the hashing.
  fileprivate var order: (Int, String) {
    if case .source(let number) = self { return (number, "") }
    return (.max, standInName ?? "")
  }
}

/// Names by number: each is written out once.
private struct CallgrindNames {
  private let index: ProfileIndex
  private var objects: [String: Int] = [:]
  private var files: [String: Int] = [:]
  private var functions: [ExportedFrame: Int] = [:]

  init(_ index: ProfileIndex) { self.index = index }

  mutating func writeFunction(_ item: ExportedFrame, to buffer: inout OutputBuffer) {
    buffer.write("\n")
    writePlace(of: item, keys: ("ob=", "fl=", "fn="), to: &buffer)
  }

  mutating func writeCall(of item: ExportedFrame, to buffer: inout OutputBuffer) {
    writePlace(of: item, keys: ("cob=", "cfi=", "cfn="), to: &buffer)
  }

  private mutating func writePlace(
    of item: ExportedFrame, keys: (object: String, file: String, function: String),
    to buffer: inout OutputBuffer
  ) {
    var (object, file, name) = ("???", "???", item.standInName ?? "")
    if case .source(let number) = item {
      let function = index.stacks.functions[number]
      name = function.name
      file = function.file ?? "???"
      if let module = index.profile.position(of: function.module) {
        object = index.profile.modules[module].path
      }
    }
    buffer.write(keys.object + Self.name(object, object, &objects))
    buffer.write(keys.file + Self.name(file, file, &files))
    buffer.write(keys.function + Self.name(item, name, &functions))
  }

  private static func name<Key: Hashable>(
    _ key: Key, _ name: String, _ known: inout [Key: Int]
  ) -> String {
    if let number = known[key] { return "(\(number))\n" }
    known[key] = known.count + 1
    return "(\(known.count)) \(name.inOneLine())\n"
  }
}
