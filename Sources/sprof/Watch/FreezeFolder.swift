import CaptureFile
import FoundationEssentials
import Glibc
import ProfileModel

/// The folder that `watch` keeps captures in, and how many of them.
struct FreezeFolder: Sendable {
  let path: String
  /// The most captures, and the most bytes that they may have together.
  let countLimit: Int
  let sizeLimit: Int64

  private static let prefix = "freeze-"
  private static let suffix = ".pb.gz"

  /// Creates the folder, which only its owner may enter, unless it is there.
  func create() throws {
    guard mkdir(path, 0o700) != 0 else { return }
    let code = errno
    var status = stat()
    guard code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Diagnostic.cannotWrite("\(path): \(String(cString: strerror(code)))")
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw Diagnostic.cannotWrite("\(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Where a capture grows that begins at this time, in seconds since 1970.
  func path(at time: Double) -> String { "\(path)/\(Self.prefix)\(Self.stamp(time))\(Self.suffix)" }

  /// Where it is when it is over: its name has the length of its longest freeze, in milliseconds.
  func path(at time: Double, length: Int64) -> String {
    "\(path)/\(Self.prefix)\(Self.stamp(time))-\(length / 1_000_000)ms\(Self.suffix)"
  }

  /// Removes captures until the limits are kept: the shortest of the older half first, the longest never.
  func prune() {
    var files = captures()
    while files.count > 1,
      files.count > countLimit || files.reduce(0, { $0 + $1.size }) > sizeLimit
    {
      let longest = files.max { ($0.length, $1.name) < ($1.length, $0.name) }
      let others = files.filter { $0.name != longest?.name }
      let older = others.prefix((others.count + 1) / 2)
      let next = older.min { ($0.length, $0.name) < ($1.length, $1.name) }
      guard let next else { return }
      unlink("\(path)/\(next.name)")
      files.removeAll { $0.name == next.name }
    }
  }

  private struct Kept {
    let name: String
    let length: Int64
    let size: Int64
  }

  /// The finished captures of this folder, oldest first: their names begin with the time.
  private func captures() -> [Kept] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.sorted().compactMap { name in
      var status = stat()
      guard let length = Self.length(of: name), lstat("\(path)/\(name)", &status) == 0,
        status.st_mode & S_IFMT == S_IFREG
      else { return nil }
      return Kept(name: name, length: length, size: Int64(status.st_size))
    }
  }

  private static func length(of name: String) -> Int64? {
    guard name.hasPrefix(prefix), name.hasSuffix("ms\(suffix)") else { return nil }
    let middle = name.dropFirst(prefix.count).dropLast(suffix.count + 2)
    return middle.split(separator: "-").last.flatMap { Int64($0) }
  }

  /// `20261201-142233-456`, in UTC: names are in the order of time.
  private static func stamp(_ seconds: Double) -> String {
    var whole = time_t(seconds)
    var parts = tm()
    gmtime_r(&whole, &parts)
    let milliseconds = Int((seconds - seconds.rounded(.down)) * 1000)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let day = [Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { padded($0, 2) }.joined()
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }.joined()
    return "\(Int(parts.tm_year) + 1900)\(day)-\(clock)-\(padded(milliseconds, 3))"
  }
}
