internal import CLinux
internal import Glibc
package import ProfileModel

/// What an open descriptor refers to, as its link in `/proc/PID/fd` says.
package enum DescriptorTarget: Equatable, Sendable {
  case pipe(inode: UInt64)
  case socket(inode: UInt64)
  /// An object without a place in the file system, by its name: `eventpoll`, `eventfd`, `inotify`.
  case anonymous(String)
  case path(String)

  /// Reads the text of the link.
  package init(parsing link: String) {
    if let inode = Self.inode(in: link, prefix: "pipe:[") {
      self = .pipe(inode: inode)
    } else if let inode = Self.inode(in: link, prefix: "socket:[") {
      self = .socket(inode: inode)
    } else if link.hasPrefix("pidfd:") {
      self = .anonymous("pidfd")
    } else if link.hasPrefix("anon_inode:") {
      self = .anonymous(link.dropFirst(11).filter { $0 != "[" && $0 != "]" })
    } else {
      self = .path(link)
    }
  }

  private static func inode(in link: String, prefix: String) -> UInt64? {
    guard link.hasPrefix(prefix), link.last == "]" else { return nil }
    return UInt64(link.dropFirst(prefix.count).dropLast())
  }
}

/// What `/proc/PID/fdinfo` says of an open descriptor.
package struct DescriptorInfo: Equatable, Sendable {
  /// One descriptor that an epoll instance watches.
  package struct Watched: Equatable, Sendable {
    package let descriptor: Int32
    /// The bits of `epoll_event.events`.
    package let events: UInt32
    /// The inode that was registered, 0 on kernels that do not say: the number may since be another
    /// file's.
    package let inode: UInt64
  }

  /// The flags of `open`, access mode included.
  package var flags: Int32 = 0
  /// What an epoll instance watches; empty for all others.
  package var watched: [Watched] = []
  /// The process of a pidfd, -1 when it has ended; nil for all others.
  package var process: Int32?
  /// The time until a timerfd fires, 0 for one that is not set; nil for all others.
  package var timer: Nanoseconds?
  /// Files and folders that an inotify instance watches.
  package var watches = 0

  /// Reads the file's text; lines that are not known are skipped.
  package init(parsing text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard let key = words.first else { continue }
      switch key {
      case "flags:": flags = words.dropFirst().first.flatMap { Int32($0, radix: 8) } ?? 0
      case "Pid:": process = words.dropFirst().first.flatMap { Int32($0) }
      case "inotify": watches += 1
      case "it_value:": timer = Self.timer(line)
      case "tfd:":
        if let entry = Self.watched(words) { watched.append(entry) }
      default: break
      }
    }
  }

  /// `tfd: 5 events: 19 data: 5 pos:0 ino:9a1b sdev:9`, the numbers but the first in hexadecimal.
  private static func watched(_ words: [Substring]) -> Watched? {
    guard words.count > 3, let descriptor = Int32(words[1]), words[2] == "events:",
      let events = UInt32(words[3], radix: 16)
    else { return nil }
    let inode = words.first { $0.hasPrefix("ino:") }.flatMap { UInt64($0.dropFirst(4), radix: 16) }
    return Watched(descriptor: descriptor, events: events, inode: inode ?? 0)
  }

  /// `it_value: (3, 49406829)`: seconds and nanoseconds.
  private static func timer(_ line: Substring) -> Nanoseconds? {
    let numbers = line.split { !$0.isNumber }.compactMap { Int64($0) }
    guard numbers.count == 2 else { return nil }
    let (nanoseconds, overflow) = numbers[0].multipliedReportingOverflow(by: 1_000_000_000)
    return Nanoseconds(overflow ? .max : nanoseconds &+ numbers[1])
  }
}

/// The open descriptors of a process.
///
/// Reading them needs the right to trace it, and costs the process nothing. They go by number: the
/// caller makes sure that the thread or process was there before and after (`ProcessIdentity`).
package enum OpenDescriptors {
  /// What a file is, for a descriptor that has a path.
  package enum FileKind: Sendable { case file, directory, fifo, socket, terminal, device, other }

  /// The identity and kind of an open file.
  package struct FileStatus: Equatable, Sendable {
    package let kind: FileKind
    /// `st_dev` of stat(2); with the inode it names the file.
    package let device: UInt64
    package let inode: UInt64
  }

  /// The target of a descriptor, and the link's own text; nil when there is none of that number.
  ///
  /// `id` is a thread: threads may have descriptors of their own.
  package static func target(
    of descriptor: Int32, in id: Int32
  ) -> (target: DescriptorTarget, link: String)? {
    guard let link = try? ProcFile.link("/proc/\(id)/fd/\(descriptor)") else { return nil }
    return (DescriptorTarget(parsing: link), link)
  }

  /// What the kernel says of it in `fdinfo`.
  package static func info(of descriptor: Int32, in id: Int32) -> DescriptorInfo? {
    guard let text = try? ProcFile.read("/proc/\(id)/fdinfo/\(descriptor)") else { return nil }
    return DescriptorInfo(parsing: text)
  }

  /// What kind of file is open under that number.
  package static func status(of descriptor: Int32, in id: Int32) -> FileStatus? {
    status(ofFileAt: "/proc/\(id)/fd/\(descriptor)")
  }

  /// What kind of file a path names for a process: from its working directory, or its root.
  package static func status(ofPath path: String, for id: Int32) -> FileStatus? {
    status(ofFileAt: path.hasPrefix("/") ? "/proc/\(id)/root\(path)" : "/proc/\(id)/cwd/\(path)")
  }

  private static func status(ofFileAt path: String) -> FileStatus? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    let kind: FileKind
    switch status.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .directory
    case S_IFIFO: kind = .fifo
    case S_IFSOCK: kind = .socket
    case S_IFCHR: kind = isTerminal(status.st_rdev) ? .terminal : .device
    case S_IFBLK: kind = .device
    default: kind = .other
    }
    return FileStatus(kind: kind, device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// Majors 4 and 5 are the consoles and serial lines, 136 to 143 the pseudo-terminals (kernel:
  /// Documentation/admin-guide/devices.txt).
  private static func isTerminal(_ device: dev_t) -> Bool {
    let major = (UInt64(device) >> 8) & 0xfff
    return major == 4 || major == 5 || (136...143).contains(major)
  }

  /// Whether the descriptor was opened for reading and for writing, in one call; nil when it is gone.
  package static func access(
    of descriptor: Int32, in id: Int32
  ) -> (canRead: Bool, canWrite: Bool)? {
    var status = stat()
    // The link's own permissions are those that the file was opened with (proc(5), /proc/PID/fd).
    guard lstat("/proc/\(id)/fd/\(descriptor)", &status) == 0 else { return nil }
    return (status.st_mode & S_IRUSR != 0, status.st_mode & S_IWUSR != 0)
  }

  /// The pipes and sockets that a process has open, and its files with one of the paths in `wants`;
  /// nil when they may not be read.
  ///
  /// About 2 µs a descriptor.
  package static func channels(
    of pid: Int32, limit: Int = 65_536, wants: Set<String> = []
  ) -> [(descriptor: Int32, target: DescriptorTarget)]? {
    guard let stream = opendir("/proc/\(pid)/fd") else { return nil }
    defer { closedir(stream) }
    let folder = dirfd(stream)
    var result: [(descriptor: Int32, target: DescriptorTarget)] = []
    var seen = 0
    while seen < limit, let entry = readdir(stream) {
      guard let descriptor = entry.descriptorNumber else { continue }
      seen += 1
      let base = UnsafeMutableRawPointer(entry).advanced(by: dirent.nameOffset)
      let name = base.assumingMemoryBound(to: CChar.self)
      guard let target = channel(name, in: folder, wants: wants) else { continue }
      result.append((descriptor, target))
    }
    return result
  }

  /// The pipe, the socket or the wanted file that a link of an `fd` folder names.
  private static func channel(
    _ name: UnsafePointer<CChar>, in folder: CInt, wants: Set<String>
  ) -> DescriptorTarget? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlinkat(folder, name, start, buffer.count)
      guard count > 6 else { return nil }
      let first = UInt8(bitPattern: buffer[0])
      let isChannel = first == UInt8(ascii: "p") || first == UInt8(ascii: "s")
      guard isChannel || !wants.isEmpty else { return nil }
      let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[..<count]))
      let target = DescriptorTarget(parsing: String(decoding: bytes, as: UTF8.self))
      switch target {
      case .pipe, .socket: return target
      case .path(let path): return wants.contains(path) ? target : nil
      case .anonymous: return nil
      }
    }
  }
}

extension dirent {
  fileprivate static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
}

extension UnsafeMutablePointer<dirent> {
  /// Like `number`, with descriptor 0.
  fileprivate var descriptorNumber: Int32? {
    if pointee.d_name.0 == 48, pointee.d_name.1 == 0 { return 0 }
    return number
  }
}
