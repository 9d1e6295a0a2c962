import ArgumentParser
import CaptureFile

/// The option that lifts the bounds on what reading a file may take.
struct ReadingArguments: ParsableArguments {
  @Flag(help: "Read files however much memory that takes.")
  var allowHuge = false

  var limits: ReadingLimits { allowHuge ? .huge : .standard }
}
