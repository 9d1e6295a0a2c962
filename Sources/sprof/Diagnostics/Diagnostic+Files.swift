import CaptureFile
import Glibc

// MARK: - Why a file is not written or read

extension Diagnostic {
  private static let accessDenied = String(cString: strerror(EACCES))

  static func words(creating error: CaptureFileError) -> String {
    switch error {
    case .exists(let path):
      "\(path) already exists. Give another name, or overwrite it with --force."
    case .unfinishedExists(let path):
      "\(path) exists: a capture that was cut off, or is still being written. "
        + "Show it with: sprof report \(path); or overwrite it with --force."
    case .notRegular(let path): "\(path) is not a regular file. Give another name."
    case .system(let path, let reason): "Cannot write \(path): \(reason)."
    case .tooLarge(let bound):
      "The capture would be too large: it \(words(for: bound)). Merge fewer files, use a --label "
        + "that more of them share, or lift the bound with --allow-huge."
    case .empty, .foreign, .cutOff, .damaged, .noSampleTypes:
      "Cannot write the capture: \(words(reading: error, ""))"
    }
  }

  static func words(reading error: CaptureFileError, _ path: String) -> String {
    switch error {
    case .system(_, accessDenied):
      // Only its owner may read a capture, which is root after `sudo sprof attach -o`.
      "\(accessDenied). If it is a capture that root made, make it yours with: "
        + asRoot("chown $USER \(path)")
    case .system(_, let reason): "\(reason)."
    case .notRegular: "it is a directory. Give a capture file."
    case .empty: "it is empty."
    case .foreign: "it is not a capture, a pprof profile or folded stacks (a;b;c 12)."
    case .cutOff: "it is truncated, and nothing in it can be read."
    case .damaged(.compression): "it is damaged: invalid gzip data or checksum."
    case .damaged(.message): "it is damaged: not the messages of a profile."
    case .damaged(.reference):
      "it is damaged: it refers to strings, functions or locations that it lacks."
    case .damaged(.header):
      "its capture header is invalid: the file is damaged, or from a newer version of sprof."
    case .tooLarge(let bound): "it \(words(for: bound)). If you trust it, add --allow-huge."
    case .noSampleTypes: "it has neither times nor counts that sprof can show."
    case .exists, .unfinishedExists: "it exists."
    }
  }

  private static func words(for bound: ReadingLimits.Bound) -> String {
    switch bound {
    case .memory(let limit, let file):
      "would take more than \(limit >> 20) MiB of memory, too much for \(file >> 10) KiB of input"
    case .contents(let limit): "has more than \(limit >> 20) MiB uncompressed"
    case .tables(let limit): "has more than \(limit >> 20) MiB without its samples"
    case .field(let limit): "has a field of more than \(limit >> 20) MiB"
    case .line(let limit): "has a line of more than \(limit >> 20) MiB"
    case .samples(let limit): "has more than \(limit) samples"
    case .stacks(let limit): "has more than \(limit) distinct stacks"
    }
  }
}
