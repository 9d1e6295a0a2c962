internal import ProfileAnalysis
package import ProfileModel

/// Folded stacks, one in a line with its ticks, as flame graph scripts read them: the thread first,
/// then functions from the outermost inwards; `_[i]` marks an inlined one.
///
/// A dump has no ticks; there the samples count.
/// The format: https://github.com/brendangregg/FlameGraph#2-fold-stacks
package struct FoldedExporter: ProfileExporter {
  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let index = ProfileIndex(profile)
    let unit: WeightUnit = profile.runs.contains { $0.weight.ticks > 0 } ? .ticks : .samples
    let names = index.stacks.functions.map { $0.name.inOneLine(separator: ";") }
    OutputBuffer.write(to: &output) { buffer in
      for (thread, info) in profile.threads.enumerated() {
        let thread = Self.stacks(of: thread, index, unit)
        let label = info.exportedName.inOneLine(separator: ";")
        for (stack, amount) in thread where amount > 0 {
          buffer.write(label)
          if let name = stack.root?.standInName { buffer.write(";" + name) }
          Self.write(stack.path, names, index, to: &buffer)
          buffer.write(" ")
          buffer.write(amount)
          buffer.write("\n")
        }
      }
    }
  }

  private struct Stack: Hashable {
    let path: Int
    let root: ExportedFrame?
  }

  /// What a thread did, by stack, in the order in which the stacks were first met.
  private static func stacks(
    of thread: Int, _ index: ProfileIndex, _ unit: WeightUnit
  ) -> [(Stack, Int64)] {
    var amounts: [(Stack, Int64)] = []
    var positions: [Stack: Int] = [:]
    for run in index.runs(of: thread) {
      let path = index.stacks.functionPaths.path(of: run.stack)
      let stack = Stack(path: path, root: .root(of: run.end, isEmpty: path == 0))
      if let position = positions[stack] {
        amounts[position].1 &+= run.weight[unit]
      } else {
        positions[stack] = amounts.count
        amounts.append((stack, run.weight[unit]))
      }
    }
    return amounts
  }

  private static func write(
    _ path: Int, _ names: [String], _ index: ProfileIndex, to buffer: inout OutputBuffer
  ) {
    let paths = index.stacks.functionPaths
    var steps: [Int] = []
    var current = path
    while current != 0 {
      steps.append(current)
      current = paths.caller(of: current)
    }
    for step in steps.reversed() {
      buffer.write(byte: UInt8(ascii: ";"))
      buffer.write(names[paths.item(of: step)])
      if paths.isInlined(step) { buffer.write("_[i]") }
    }
  }
}
