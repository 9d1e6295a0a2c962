internal import LinuxProcess

/// All that passes between the tracer and the resolver of a capture.
struct SampleChannel: Sendable {
  let ring: SampleRing
  let requests = ThreadRequests()
  let spaces = AddressSpaces()
  /// Wakes the resolver when it has much to do, or is to end.
  let resolverWaker = Waker()
}
