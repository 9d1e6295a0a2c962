internal import ProfileModel

/// The time in which a thread was awake: on a CPU, or ready for one.
///
/// The kernel counts both; what a thread was found to do at the ticks says less, because each tick takes a
/// CPU from it. Without counts the samples must do.
struct AwakeTime {
  private(set) var wall: Int64 = 0
  private var cpu: Int64 = 0
  private var delay: Int64 = 0
  /// Of `wall`, in samples that found it waiting.
  private var foundWaiting: Int64 = 0

  init(_ runs: some Sequence<Run>) {
    for run in runs where run.activity.isRunnable {
      wall = wall.addingClamped(max(0, run.weight.wall))
      cpu = cpu.addingClamped(max(0, run.weight.cpu))
      delay = delay.addingClamped(max(0, run.weight.delay))
      if run.activity == .waitingForCPU {
        foundWaiting = foundWaiting.addingClamped(max(0, run.weight.wall))
      }
    }
  }

  /// How much of it the thread waited for a CPU.
  ///
  /// The delay is at the samples that found it waiting; its CPU time may be at samples before the freeze.
  var waited: Int64 {
    cpu.addingClamped(delay) > 0 ? min(wall, delay) : foundWaiting
  }

  /// How much of it the thread was awake by the kernel's counts; zero without them.
  var counted: Int64 { min(wall, cpu.addingClamped(delay)) }

  /// How much of it the thread ran.
  var ran: Int64 { wall - min(wall, waited) }
}
