internal import ProfileModel

/// What shows whether a thread is at rest in an event loop, or in a handler of one.
package struct LoopEvidence: Hashable, Sendable {
  /// The innermost function of the loop in whose own wait the thread is; nil in none's.
  package let rest: SourceFrame?
  package let restsIn: EventLoop?
  /// Whether a function of the program's own polls for that loop.
  package let isByPollFunction: Bool
  /// The function of the loop that called the handler which waits, or which runs the loop of `rest`.
  package let caller: SourceFrame?
  package let handlerOf: EventLoop?
  /// Whether the loop of `rest` takes the events of the one that called the handler; nil where what it
  /// waits for tells, or there is only one.
  package let sharesEvents: Bool?
  /// The descriptors of the wait, and those by which the user's events come: 0 of 0 where none are known.
  package let descriptors: Int
  package let userDescriptors: Int

  init(_ stack: IdleRecognition.Stack, frames: [SourceFrame], wait: Wait?) {
    func frame(_ position: Int?) -> SourceFrame? {
      position.flatMap { frames.indices.contains($0) ? frames[$0] : nil }
    }
    let place = stack.place
    rest = frame(place.rest?.frames.lowerBound)
    restsIn = place.rest?.loop
    isByPollFunction = place.rest?.isByPollFunction ?? false
    caller = frame(place.handlerOf)
    handlerOf = place.handlerOf.flatMap { stack.roles[$0].loopOfHandlers }
    descriptors = (wait?.descriptors.count ?? 0) + max(0, wait?.omittedDescriptors ?? 0)
    userDescriptors = wait?.descriptors.count(where: \.bringsUserEvents) ?? 0
    let loops = place.rest?.frames.compactMap { stack.roles[$0].loop } ?? []
    if place.rest == nil || place.handlerOf == nil {
      sharesEvents = nil
    } else if loops.contains(where: { $0.nesting == .shared }) {
      sharesEvents = true
    } else {
      sharesEvents = loops.contains { $0.nesting == .own } ? false : nil
    }
  }
}
