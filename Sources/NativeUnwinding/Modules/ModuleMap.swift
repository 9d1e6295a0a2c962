internal import ELFReading
internal import Glibc
package import LinuxProcess
package import ProfileModel

/// The code of the process: which file is mapped where.
///
/// Not Sendable: it belongs to one resolver thread.
package final class ModuleMap {
  private struct FileKey: Hashable {
    let device: UInt64
    let inode: UInt64
    let path: String
  }

  /// One file, whether or not it is mapped now.
  private struct Entry {
    var mapping: MemoryMapping
    var hasBeenOpened = false
    var contents: LoadedImage.Contents?
    var file: MappedFile?
    /// By bias; a file is seldom mapped at two places.
    var images: [LoadedImage] = []
  }

  let memory: ProcessMemory
  /// The address space as it was at the last `refresh`.
  package private(set) var maps = MemoryMaps()
  /// Every file with code that was ever mapped, indexed by `ModuleID`; it only grows.
  ///
  /// Build IDs and problems are known of those whose code was found in a stack or whose file was needed.
  package private(set) var modules: [Module] = []
  private var entries: [Entry] = []
  private var imageCount = 0
  private var identifiers: [FileKey: ModuleID] = [:]
  private var executable: [MemoryMapping] = []
  private var moved = MovedCode()
  /// Whether memory files hold programs or libraries, by `device` and `inode`.
  private var memoryFiles: [[UInt64]: Bool] = [:]
  /// Whether the process still has the libraries of the sample in hand; asked after something was read.
  package var isCurrent: () -> Bool = { true }
  /// Counts the refreshes after which something found before may be wrong.
  private(set) var generation = 0

  /// Nothing is read until the first `refresh`.
  package init(memory: ProcessMemory) {
    self.memory = memory
  }

  /// Reads the maps again, unless they show something else than the sample in hand met (`isCurrent`);
  /// about 1 µs a line.
  ///
  /// Returns whether the executable mappings changed since; then rules and frames cached for
  /// changed ranges must be dropped (`NativeUnwinder.invalidate`).
  package func refresh() throws(SystemError) -> Bool {
    let maps = try memory.maps()
    return isCurrent() && update(to: maps)
  }

  /// The same with maps that were read elsewhere.
  ///
  /// With `findsMovedCode` memory of no file counts as a file's where it has the same bytes now.
  package func update(to read: MemoryMaps, findsMovedCode: Bool = true) -> Bool {
    // A process that has ended has no maps; where its code was stays true.
    guard !read.mappings.isEmpty else { return false }
    maps = read
    let now = code(in: maps, findsMovedCode: findsMovedCode)
    guard !Self.isSame(now, executable) else { return false }
    // A mapping that is new where none was makes nothing wrong that was found before.
    if loses(now) { generation += 1 }
    executable = now
    for mapping in now { note(mapping) }
    return true
  }

  /// Whether `maps` have all code that is known, at the same addresses.
  package func isContained(in maps: MemoryMaps) -> Bool {
    !loses(code(in: maps))
  }

  /// The mappings with code, those that hold a file's as parts of it.
  private func code(in maps: MemoryMaps, findsMovedCode: Bool = true) -> [MemoryMapping] {
    guard findsMovedCode else { return maps.mappings.filter(\.isExecutable) }
    var result: [MemoryMapping] = []
    for (index, mapping) in maps.mappings.enumerated() where mapping.isExecutable {
      result.append(
        moved.attributed(mapping, at: index, in: maps, memory: memory) { try? memory.open($0) })
    }
    return result
  }

  private func loses(_ now: [MemoryMapping]) -> Bool {
    let known = Dictionary(now.map { ($0.start, $0) }, uniquingKeysWith: { first, _ in first })
    return executable.contains { old in
      guard let new = known[old.start] else { return true }
      return !Self.isSame(old, new) || new.end < old.end
    }
  }

  private static func isSame(_ left: [MemoryMapping], _ right: [MemoryMapping]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) && $0.end == $1.end }
  }

  private static func isSame(_ left: MemoryMapping, _ right: MemoryMapping) -> Bool {
    left.start == right.start && left.device == right.device && left.inode == right.inode
      && left.fileOffset == right.fileOffset && left.path == right.path
  }

  /// Gives the file of an executable mapping its ID.
  private func note(_ mapping: MemoryMapping) {
    guard let key = key(of: mapping) else { return }
    if let known = identifiers[key] {
      entries[Int(known.rawValue)].mapping = mapping
      return
    }
    identifiers[key] = ModuleID(Int32(modules.count))
    modules.append(Module(path: mapping.path))
    entries.append(Entry(mapping: mapping))
  }

  /// Nil for code in no file.
  ///
  /// A JIT compiler's memory file counts as such: its code has no ELF
  /// headers, and the names in `perf-PID.map` go by plain addresses.
  private func key(of mapping: MemoryMapping) -> FileKey? {
    let path = mapping.path
    guard mapping.isFile else {
      return path == Self.vdso ? FileKey(device: 0, inode: 0, path: path) : nil
    }
    guard !mapping.isMemoryFile || isProgram(mapping) else { return nil }
    return FileKey(device: mapping.device, inode: mapping.inode, path: path)
  }

  /// Whether a memory file is a program or library, such as one that was unpacked into it.
  private func isProgram(_ mapping: MemoryMapping) -> Bool {
    let key = [mapping.device, mapping.inode]
    if let known = memoryFiles[key] { return known }
    let file = try? memory.open(mapping)
    let isProgram = file.flatMap { try? ELFFile($0.bytes) } != nil
    if memoryFiles.count < 4096 { memoryFiles[key] = isProgram }
    return isProgram
  }

  private static let vdso = "[vdso]"

  /// The place in its module of `address`, which is taken as it is: pass a return address minus 1.
  ///
  /// Nil when it is not in an executable mapping. Opens the file at its first use.
  package func codeAddress(of address: RemoteAddress) -> CodeAddress? {
    guard let mapping = executableMapping(containing: address) else { return nil }
    guard let image = image(of: mapping) else {
      return CodeAddress(module: .anonymous, address: FileAddress(address.rawValue))
    }
    return CodeAddress(module: image.module, address: image.fileAddress(of: address))
  }

  /// The place in its module of an address in the module's writable data; nil for all other memory.
  ///
  /// Opens the files next to it at their first use.
  package func dataAddress(of address: RemoteAddress) -> CodeAddress? {
    let next = executable.firstIndex { $0.start > address } ?? executable.count
    // A file's data is behind its code, seldom before it; a file may have code in pieces.
    let near = executable[..<next].suffix(4).reversed() + executable[next...].prefix(1)
    for mapping in near {
      guard let image = image(of: mapping), let elf = image.contents?.elf else { continue }
      let place = image.fileAddress(of: address)
      let isData = elf.segments.contains {
        $0.type == ELFFile.Segment.load && $0.isWritable && $0.address <= place
          && place.rawValue - $0.address.rawValue < $0.memorySize
      }
      if isData { return CodeAddress(module: image.module, address: place) }
    }
    return nil
  }

  /// The file of a module, opened once at the first call; nil when that failed.
  ///
  /// `Module.problem` then says why. The vdso is a copy from the process's memory.
  package func file(of module: ModuleID) -> MappedFile? {
    guard entries.indices.contains(Int(module.rawValue)) else { return nil }
    open(module)
    return entries[Int(module.rawValue)].file
  }

  /// The executable mapping that holds `address`, by binary search.
  func executableMapping(containing address: RemoteAddress) -> MemoryMapping? {
    let index = executable.partitioningIndex { $0.end > address }
    guard index < executable.count, executable[index].contains(address) else { return nil }
    return executable[index]
  }

  /// The image that `mapping` is part of; nil for code in no file.
  func image(of mapping: MemoryMapping) -> LoadedImage? {
    guard let key = key(of: mapping), let module = identifiers[key] else { return nil }
    open(module)
    let index = Int(module.rawValue)
    let contents = entries[index].contents
    // Without headers, addresses are counted as if the file were laid out like its memory.
    let bias =
      contents.flatMap { LoadedImage.bias(of: mapping, in: $0.elf) }
      ?? mapping.start.rawValue &- mapping.fileOffset
    if let known = entries[index].images.first(where: { $0.bias == bias }) { return known }
    let image = LoadedImage(module: module, bias: bias, contents: contents, number: imageCount)
    imageCount += 1
    entries[index].images.append(image)
    return image
  }
}

// MARK: - Opening files

extension ModuleMap {
  private func open(_ module: ModuleID) {
    let index = Int(module.rawValue)
    guard !entries[index].hasBeenOpened else { return }
    entries[index].hasBeenOpened = true
    let mapping = entries[index].mapping
    do {
      let file = mapping.isFile ? try memory.open(mapping) : try copy(mapping)
      entries[index].file = file
      let elf = try ELFFile(file.bytes)
      if !LoadedFile(file, elf, mapping).isAsLoaded(in: memory, maps), isCurrent() {
        entries[index].file = nil
        describe(index, problem: .changed)
      } else if elf.machine == .host {
        entries[index].contents = LoadedImage.Contents(file: file, elf: elf)
        describe(index, buildID: elf.buildID(in: file.bytes))
      } else {
        describe(index, problem: .otherMachine)
      }
    } catch let error as SystemError {
      describe(index, problem: Self.problem(error, mapping))
    } catch ELFFile.Problem.notELF {
      describe(index, problem: .notELF)
    } catch ELFFile.Problem.unsupportedClass {
      describe(index, problem: .unsupportedClass)
    } catch {
      describe(index, problem: .cutOff)
    }
  }

  private static func problem(_ error: SystemError, _ mapping: MemoryMapping) -> ModuleProblem {
    // ProcessMemory found another file at the path.
    if error.code == ESTALE { return .replaced }
    return mapping.path.hasSuffix(" (deleted)") ? .deleted : .other(error.reason)
  }

  private func describe(_ index: Int, buildID: String? = nil, problem: ModuleProblem? = nil) {
    modules[index] = Module(path: modules[index].path, buildID: buildID, problem: problem)
  }

  /// A copy of a mapping that has no file: the kernel's vdso, a few pages.
  private func copy(_ mapping: MemoryMapping) throws(SystemError) -> MappedFile {
    let size = min(mapping.end.rawValue - mapping.start.rawValue, 1 << 20)
    guard let bytes = memory.read(at: mapping.start, count: Int(size)) else {
      throw SystemError("process_vm_readv", code: EFAULT)
    }
    return MappedFile(copying: bytes)
  }
}

extension ELFFile.Machine {
  /// What this build of sprof unwinds.
  static var host: ELFFile.Machine {
    #if arch(x86_64)
      .x86_64
    #else
      #error("NativeUnwinding knows x86_64 only")
    #endif
  }
}
