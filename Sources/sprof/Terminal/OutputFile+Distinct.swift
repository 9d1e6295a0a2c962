import Glibc

extension OutputFile {
  /// Throws when one of the files is another one, is an input, or is where stdout or stderr goes:
  /// by whatever path or link, for the command would destroy it; or has the name that other tools give to stdout.
  static func checkDistinct(_ outputs: [OutputFile], reading inputs: [String] = []) throws {
    let standardOutput = FilePlace.places(of: STDOUT_FILENO)
    var known = inputs.map { (name: "an input", path: $0, places: FilePlace.places(of: $0)) }
    // `>> FILE` would append to what is read.
    if let input = known.first(where: { !$0.places.isDisjoint(with: standardOutput) }) {
      throw Diagnostic.isTwice(input.path, "stdout", input.name)
    }
    known.append(("stdout", "", standardOutput))
    known.append(("stderr", "", FilePlace.places(of: STDERR_FILENO)))
    for output in outputs {
      guard output.path != "-" else {
        throw Diagnostic.isMisused("\(output.option) needs a file, not -.")
      }
      let places = FilePlace.places(of: output.path)
      if let other = known.first(where: { !$0.places.isDisjoint(with: places) }) {
        throw Diagnostic.isTwice(output.path, output.option, other.name)
      }
      known.append((output.option, output.path, places))
    }
  }
}

/// What tells whether two paths lead to one file.
private enum FilePlace: Hashable {
  case file(device: UInt, number: UInt)
  /// A name in a folder, whether or not there is such a file.
  case name(String, folderDevice: UInt, folderNumber: UInt)

  /// The place of an open file; none for what is not a regular one, which several may write to.
  static func places(of descriptor: CInt) -> Set<FilePlace> {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
    return [.file(device: status.st_dev, number: status.st_ino)]
  }

  /// The places that a path stands for; none for what is not a regular file.
  static func places(of path: String) -> Set<FilePlace> {
    var places: Set<FilePlace> = []
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG else { return [] }
      places.insert(.file(device: status.st_dev, number: status.st_ino))
    }
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let folder = start == path.startIndex ? "." : String(path[..<start])
    if stat(folder, &status) == 0 {
      places.insert(
        .name(String(path[start...]), folderDevice: status.st_dev, folderNumber: status.st_ino))
    }
    return places
  }
}
