import Foundation
import TestSupport

/// What a program in Go prints when SIGQUIT ends it: each goroutine with its stack.
struct GoTrace {
  struct Goroutine {
    let reason: String
    var functions: [String] = []
    var creator: String?
    var creatorLine = 0
  }

  private(set) var goroutines: [UInt64: Goroutine] = [:]

  init(of program: RunningProgram) throws {
    kill(program.pid, SIGQUIT)
    let text = try program.errorOutput()
    var current: UInt64?
    var isCreator = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("goroutine "), line.hasSuffix(":") {
        let words = line.split(separator: " ", maxSplits: 2)
        current = UInt64(words[1])
        let inside = line.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }
        // `chan receive, 2 minutes`, `sync.Mutex.Lock (leaked)`.
        let reason = inside.split(separator: ",").first.map(String.init) ?? ""
        // 0 is the thread's own stack.
        if let current, current > 0 { goroutines[current] = Goroutine(reason: reason) }
      } else if line.hasPrefix("created by ") {
        let name = line.dropFirst("created by ".count)
        let end = name.range(of: " in goroutine ")?.lowerBound ?? name.endIndex
        current.map { goroutines[$0]?.creator = String(name[..<end]) }
        isCreator = true
      } else if line.hasPrefix("\t") {
        let place = line.split(separator: " ")[0].split(separator: ":").last
        if isCreator {
          current.map { goroutines[$0]?.creatorLine = place.flatMap { Int($0) } ?? 0 }
        }
        isCreator = false
      } else if let open = line.lastIndex(of: "("), line.hasSuffix(")"), let id = current {
        // Every goroutine's first function returns to it.
        let function = String(line[..<open])
        if function != "runtime.goexit" { goroutines[id]?.functions.append(function) }
      } else if line.hasPrefix("rax ") {
        break
      }
    }
  }
}
