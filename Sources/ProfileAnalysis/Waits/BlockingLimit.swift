package import ProfileModel

extension Profile {
  /// The most waits that a profile keeps, and the most descriptors and owners of each.
  package static let blockingLimit = 4096
  package static let descriptorLimit = 64

  /// The profile with the last of its waits when there are more than the limit, which a note says.
  ///
  /// So a capture's size is bounded whatever the program does.
  package func limitingBlockings(to limit: Int = Self.blockingLimit) -> Profile {
    var profile = self
    profile.limitBlockings(to: limit)
    return profile
  }

  private mutating func limitBlockings(to limit: Int) {
    for index in blockings.indices {
      let wait = blockings[index].wait
      let extra = wait.descriptors.count - Self.descriptorLimit
      if extra > 0 {
        blockings[index].wait.descriptors.removeLast(extra)
        blockings[index].wait.omittedDescriptors = max(0, wait.omittedDescriptors) &+ extra
      }
      // Without all of its owners nothing could be said of who can end the wait.
      if wait.owners.count > Self.descriptorLimit { blockings[index].wait.owners = [] }
      for place in blockings[index].wait.descriptors.indices
      where blockings[index].wait.descriptors[place].peers.count > Self.descriptorLimit {
        blockings[index].wait.descriptors[place].peers = []
      }
    }
    let extra = blockings.count - limit
    guard extra > 0 else { return }
    let kept = blockings.indices.sorted { left, right in
      (blockings[left].lastSeen, blockings[left].lasted, right)
        > (blockings[right].lastSeen, blockings[right].lasted, left)
    }.prefix(limit).sorted()
    blockings = kept.map { blockings[$0] }
    capture.notes.append(
      "Only the last \(limit) of \(limit + extra) inspected waits were kept.")
  }
}
