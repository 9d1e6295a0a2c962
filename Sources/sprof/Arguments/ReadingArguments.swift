import ArgumentParser
import CaptureFile

/// The option that lifts the bounds on what reading a file may take.
struct ReadingArguments: ParsableArguments {
  @Flag(help: "Read files regardless of the memory they need.")
  var allowHuge = false

  var limits: ReadingLimits { allowHuge ? .huge : .standard }
}
