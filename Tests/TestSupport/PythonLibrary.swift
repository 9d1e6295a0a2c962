internal import Foundation

/// A Python whose library a C program can be linked with.
package struct PythonLibrary: CustomStringConvertible, Sendable {
  package let description: String
  package let minor: Int
  package let flags: [String]

  /// Those that are loaded by the program.
  package static let shared = ofPyenv + ofDistribution

  private static let ofPyenv: [PythonLibrary] = Interpreter.all.compactMap { interpreter in
    guard let path = interpreter.command.first, path.contains("/.pyenv/") else { return nil }
    let root = path.replacingOccurrences(of: "/bin/python3", with: "")
    let name = "python3.\(interpreter.minor)" + (interpreter.minor == 7 ? "m" : "")
    guard FileManager.default.fileExists(atPath: "\(root)/lib/lib\(name).so") else { return nil }
    return PythonLibrary(
      description: interpreter.name, minor: interpreter.minor,
      flags: [
        "-I\(root)/include/\(name)", "-L\(root)/lib", "-l\(name)", "-Wl,-rpath,\(root)/lib",
      ])
  }

  private static let ofDistribution: [PythonLibrary] = Interpreter.minors.compactMap { minor in
    let library = "/usr/lib/x86_64-linux-gnu/libpython3.\(minor).so"
    guard FileManager.default.fileExists(atPath: library),
      FileManager.default.fileExists(atPath: "/usr/include/python3.\(minor)/Python.h")
    else { return nil }
    return PythonLibrary(
      description: "3.\(minor) of the system", minor: minor,
      flags: ["-I/usr/include/python3.\(minor)", "-lpython3.\(minor)"])
  }

  /// The archive of the distribution, for a program without any symbols of Python.
  package static let archive: PythonLibrary? = Interpreter.minors.lazy.compactMap { minor in
    let archive =
      "/usr/lib/python3.\(minor)/config-3.\(minor)-x86_64-linux-gnu/libpython3.\(minor).a"
    guard FileManager.default.fileExists(atPath: archive),
      FileManager.default.fileExists(atPath: "/usr/include/python3.\(minor)/Python.h")
    else { return nil }
    return PythonLibrary(
      description: "3.\(minor) of the system", minor: minor,
      flags: [
        "-I/usr/include/python3.\(minor)", "-no-pie", archive, "-lm", "-ldl", "-lutil", "-lexpat",
        "-lz",
        "-s",
      ])
  }.first
}
