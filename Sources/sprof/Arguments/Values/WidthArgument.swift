import ArgumentParser

/// The columns of a text, as the user gives them with `--width`.
enum WidthArgument {
  /// Throws for a width that no report can have.
  static func check(_ width: Int?) throws {
    guard width.map({ 60...1000 ~= $0 }) ?? true else {
      throw ValidationError("--width must be from 60 to 1000.")
    }
  }

  /// Those of the terminal by default, 100 elsewhere.
  static func columns(_ width: Int?) -> Int { width ?? Terminal.size?.columns ?? 100 }
}
