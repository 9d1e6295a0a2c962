import ArgumentParser
import Sampling

/// The option that also captures the processes that a program waits for.
struct PeerArguments: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Also sample the processes that the program waits for, such as a server across a socket.",
      discussion: """
        Those at the other ends of pipes and of sockets on this machine, and children that it waits \
        for, are found during the capture and sampled from then on, at most 8. --view blame shows \
        what they did meanwhile.
        """))
  var peers = false

  /// What a plan needs for it.
  var requests: PeerRequests? { peers ? PeerRequests() : nil }
}
