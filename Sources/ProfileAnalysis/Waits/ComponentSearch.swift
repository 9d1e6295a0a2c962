/// Tarjan's search for strongly connected parts of a graph (1972), without recursion: a chain may
/// be as long as there are threads.
struct ComponentSearch {
  private struct Visit {
    let node: Int
    let successors: [Int]
    var next = 0
  }

  private(set) var parts: [[Int]] = []
  private var number: [Int]
  private var low: [Int]
  private var isOpen: [Bool]
  private var open: [Int] = []
  private var count = 0

  init(count: Int) {
    number = Array(repeating: -1, count: count)
    low = number
    isOpen = Array(repeating: false, count: count)
  }

  func isKnown(_ node: Int) -> Bool { number[node] >= 0 }

  mutating func visit(from root: Int, successors: (Int) -> [Int]) {
    var visits = [begin(root, successors)]
    while var visit = visits.popLast() {
      if visit.next < visit.successors.count {
        let target = visit.successors[visit.next]
        visit.next += 1
        visits.append(visit)
        if number[target] < 0 {
          visits.append(begin(target, successors))
        } else if isOpen[target] {
          low[visit.node] = min(low[visit.node], number[target])
        }
        continue
      }
      if let caller = visits.last?.node { low[caller] = min(low[caller], low[visit.node]) }
      if low[visit.node] == number[visit.node] { close(visit.node) }
    }
  }

  private mutating func begin(_ node: Int, _ successors: (Int) -> [Int]) -> Visit {
    number[node] = count
    low[node] = count
    count += 1
    open.append(node)
    isOpen[node] = true
    return Visit(node: node, successors: successors(node))
  }

  private mutating func close(_ node: Int) {
    var part: [Int] = []
    while let last = open.popLast() {
      isOpen[last] = false
      part.append(last)
      if last == node { break }
    }
    parts.append(part)
  }
}
