package import ProfileModel

/// Where the time of threads went, with the time that they waited for each other charged to what
/// those did who held them up.
///
/// A root is a thread. Below a wait is who held it up, and below that what this one did in the same
/// time, and so on. The time of a thread's nodes adds up to its wall time.
package struct BlameTree: Sendable {
  package enum Kind: Hashable, Sendable {
    /// A thread: as a root, or as the one that held up the wait above it.
    case thread(Int)
    /// A process that held up the wait above it, and has no samples that say what it did.
    case process(pid: Int32, name: String)
    /// Any of several held up the wait above it: threads or processes, of which nothing says which.
    case anyOf([WaitOwner])
    /// A thread that has exited, and still owns the lock.
    case endedThread(Int32)
    /// So many readers of a lock, of which nothing says who they are.
    case readers(Int)
    /// It ran on a CPU.
    case computed
    /// It could run, and had no CPU.
    case runnable
    /// It waited: index into `waits`.
    case wait(Int)
    case stopped
    /// What it did is not known.
    case unknown
    /// Who held up the wait above it is not known.
    case ownerUnknown
    /// There is no sample of what the one above did then.
    case notSampled
    /// The one that held it up waited for one above it in the tree.
    case cycle(isDeadlock: Bool)
    /// The chain is longer than it is followed.
    case limit
  }

  package struct Node: Sendable {
    package let kind: Kind
    /// Where: index into `places`; nil where that is not known or means nothing.
    package let place: Int?
    /// Index into `nodes`, smaller than the node's own; nil for a root.
    package let parent: Int?
    /// Nanoseconds that are divided no further.
    package fileprivate(set) var own: Int64 = 0
    /// Nanoseconds with those of all nodes below it.
    package fileprivate(set) var total: Int64 = 0
  }

  /// A function in which threads spent time.
  package struct Place: Hashable, Sendable {
    package let function: String
    package let file: String?
    package let module: ModuleID
  }

  package private(set) var nodes: [Node] = []
  /// By thread: its root; nil for one that was not asked for.
  package private(set) var roots: [Int?]
  package private(set) var places: [Place] = []
  /// What was waited for, without owners.
  package private(set) var waits: [Wait] = []
  private var children: [[Int]] = []

  /// The tree of some threads, given by indexes into `profile.threads`.
  package init(_ diagnosis: Diagnosis, threads: [Int]) {
    var builder = BlameBuilder(diagnosis)
    for thread in threads { builder.addRoot(thread) }
    nodes = builder.nodes.map {
      Node(kind: $0.kind, place: $0.place, parent: $0.parent, own: $0.own)
    }
    roots = Array(repeating: nil, count: diagnosis.index.profile.threads.count)
    for (thread, node) in builder.roots { roots[thread] = node }
    places = builder.places
    waits = builder.waits
    children = Array(repeating: [], count: nodes.count)
    for node in nodes.indices.reversed() {
      nodes[node].total = nodes[node].total.addingClamped(nodes[node].own)
      guard let parent = nodes[node].parent else { continue }
      nodes[parent].total = nodes[parent].total.addingClamped(nodes[node].total)
      children[parent].append(node)
    }
    for node in nodes.indices {
      children[node].sort { (nodes[$0].total, $1) > (nodes[$1].total, $0) }
    }
  }

  /// The nodes directly below a node, those with most time first.
  package func children(of node: Int) -> [Int] { children[node] }
}
