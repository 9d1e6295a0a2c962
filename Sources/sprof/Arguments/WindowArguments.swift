import ArgumentParser
import LinuxProcess
import WindowPicking

/// The option that finds the process by its window.
struct WindowArguments: ParsableArguments {
  @Flag(
    name: .customLong("window"),
    help: ArgumentHelp(
      "Find the process by its window: click the one that hangs (X11).",
      discussion: "Esc or the right button cancels."))
  var isWanted = false

  static let isTwice = ValidationError(
    "--window finds the process by a click; it cannot be combined with a PID, a name or a program.")

  /// Waits for the click, and says what was found.
  func pick(for command: String) throws -> TargetArgument {
    let picked: PickedWindow
    do throws(WindowProblem) {
      picked = try WindowPicker.pick {
        Terminal.writeMessage(
          "Click the window of the program that hangs (Esc cancels)."
            + (WindowPicker.isWayland
              ? " In a Wayland session only the windows of X programs can be clicked." : ""))
      }
    } catch {
      throw Diagnostic.cannotPick(error, command: command)
    }
    let name = ProcessSearch.processName(picked.pid) ?? "?"
    let inside = picked.innerPID.map {
      ", which is \($0) in a PID namespace of its own, such as a container's"
    }
    Terminal.writeMessage(
      "\(Diagnostic.name(of: picked.title)) belongs to \(name) (PID \(picked.pid)\(inside ?? "")).")
    return .pid(picked.pid)
  }
}
