internal import BlockingAnalysis
internal import LinuxProcess
internal import NativeUnwinding
internal import ProfileModel

/// What the names of sleeps need to know of the program's files and memory.
protocol SleepModules {
  func sleepFiles(of frames: [Frame]) -> [ModuleID: MappedFile]
  func codeAddress(of address: RemoteAddress) -> CodeAddress?
  func dataAddress(of address: RemoteAddress) -> CodeAddress?
  func file(of module: ModuleID) -> MappedFile?
  /// The file that memory is mapped from, `[heap]` and the like, or `anonymous memory`.
  func mappingName(of address: RemoteAddress) -> String?
}

extension ModuleMap: SleepModules {
  func sleepFiles(of frames: [Frame]) -> [ModuleID: MappedFile] { files(of: frames, in: self) }

  func mappingName(of address: RemoteAddress) -> String? {
    if let place = dataAddress(of: address) {
      return modules[Int(place.module.rawValue)].path
    }
    guard let mapping = maps.mapping(containing: address) else { return nil }
    if mapping.path.hasPrefix("[") { return mapping.path }
    return mapping.isFile ? mapping.path : "anonymous memory"
  }
}

/// The answers of a module map to all that some sleeps will ask: the map belongs to the resolver, and names
/// are looked up elsewhere.
struct AnsweredModules: SleepModules, Sendable {
  private var files: [ModuleID: MappedFile] = [:]
  private var code: [RemoteAddress: CodeAddress] = [:]
  private var data: [RemoteAddress: CodeAddress] = [:]
  private var names: [RemoteAddress: String] = [:]
  private var objects: Set<RemoteAddress> = []
  /// Stacks whose files are known: most threads sleep in few.
  private var stacks: [[Frame]] = []
  private static let stackLimit = 16
  /// What the answers are of, and when the first was given.
  private var moduleCount = 0
  private var beginning = MonotonicClock.Instant.distantPast
  private static let life = Nanoseconds.seconds(5)

  init() {}

  /// Asks `modules` for all that the names of these sleeps and of these waits need, and was not answered in
  /// the last seconds.
  mutating func ask(_ records: [SleepRecord], _ waits: [WaitFeed.Span], _ modules: ModuleMap) {
    let now = MonotonicClock.now()
    if moduleCount != modules.modules.count || now - beginning > Self.life {
      self = AnsweredModules()
      (moduleCount, beginning) = (modules.modules.count, now)
    }
    var new: Set<RemoteAddress> = []
    for record in records {
      if !stacks.contains(record.frames) {
        files.merge(modules.sleepFiles(of: record.frames)) { known, _ in known }
        if stacks.count < Self.stackLimit { stacks.append(record.frames) }
      }
      if let object = record.sample.wait.object { note(object.address, in: &new) }
      // Those of `SleepNames.hints`.
      guard record.frames.count <= 2 else { continue }
      for address in record.sample.returnAddresses {
        let call = address.advanced(by: -1)
        guard code[call] == nil, let place = modules.codeAddress(of: call) else { continue }
        code[call] = place
        if files[place.module] == nil { files[place.module] = modules.file(of: place.module) }
      }
    }
    for span in waits { if let object = span.wait.object { note(object.address, in: &new) } }
    for address in new {
      if let place = modules.dataAddress(of: address) {
        data[address] = place
        if files[place.module] == nil { files[place.module] = modules.file(of: place.module) }
      }
      names[address] = modules.mappingName(of: address)
    }
  }

  private mutating func note(_ object: RemoteAddress, in new: inout Set<RemoteAddress>) {
    if objects.insert(object).inserted { new.insert(object) }
  }

  func sleepFiles(of frames: [Frame]) -> [ModuleID: MappedFile] { files }
  func codeAddress(of address: RemoteAddress) -> CodeAddress? { code[address] }
  func dataAddress(of address: RemoteAddress) -> CodeAddress? { data[address] }
  func file(of module: ModuleID) -> MappedFile? { files[module] }
  func mappingName(of address: RemoteAddress) -> String? { names[address] }
}
