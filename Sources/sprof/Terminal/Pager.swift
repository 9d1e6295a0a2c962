import Glibc

/// Shows long output on a terminal page by page, as git does.
struct Pager {
  private let command: String

  /// Nil where the user wants none: `PAGER` is `cat` or empty.
  init?() {
    let chosen = (getenv("SPROF_PAGER") ?? getenv("PAGER")).map { String(cString: $0) }
    if chosen == "" || chosen == "cat" { return nil }
    command = chosen ?? "less"
  }

  /// Shows `bytes`, and returns when the user has left; returns false where the pager does not start.
  func show(_ bytes: [UInt8]) -> Bool {
    var environment: [String: String] = [:]
    // Ends by itself where all fits, shows colours, and leaves the text on the screen.
    if getenv("LESS") == nil { environment["LESS"] = "FRX" }
    if getenv("LV") == nil { environment["LV"] = "-c" }
    let words = command.contains(" ") ? ["/bin/sh", "-c", command] : [command]
    // Ctrl-C is the pager's.
    Interrupts.ignore()
    let end = ChildProgram(words: words, environment: environment).run(output: STDOUT_FILENO) {
      descriptor in
      try? FileOutput.write(to: descriptor) { $0.write(bytes) }
    }
    switch end {
    case .success(let status): return status >> 8 != 127
    case .failure: return false
    }
  }
}

/// The user's web browser.
enum Browser {
  /// Opens a page; sprof does not wait for it.
  ///
  /// A failure is told.
  static func open(_ path: String) {
    let null = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    let url = path.hasPrefix("/") ? path : (realpath(path, nil).map(owned) ?? path)
    if case .failure(let error) = ChildProgram(words: ["xdg-open", url]).start(
      input: null, output: null)
    {
      Terminal.writeMessage("Cannot open the page: xdg-open: \(error.words). It is in \(path)")
    }
  }

  private static func owned(_ text: UnsafeMutablePointer<CChar>) -> String {
    defer { free(text) }
    return String(cString: text)
  }
}
