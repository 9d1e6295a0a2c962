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

  /// Asks `modules` for all that the names of these sleeps and of these waits need.
  init(_ records: [SleepRecord], _ waits: [WaitFeed.Span], _ modules: ModuleMap) {
    var objects: Set<RemoteAddress> = []
    for record in records {
      files.merge(modules.sleepFiles(of: record.frames)) { known, _ in known }
      if let object = record.sample.wait.object { objects.insert(object.address) }
      // Those of `SleepNames.hints`.
      guard record.frames.count <= 2 else { continue }
      for address in record.sample.returnAddresses {
        let call = address.advanced(by: -1)
        guard code[call] == nil, let place = modules.codeAddress(of: call) else { continue }
        code[call] = place
        if files[place.module] == nil { files[place.module] = modules.file(of: place.module) }
      }
    }
    for span in waits { if let object = span.wait.object { objects.insert(object.address) } }
    for address in objects {
      if let place = modules.dataAddress(of: address) {
        data[address] = place
        if files[place.module] == nil { files[place.module] = modules.file(of: place.module) }
      }
      names[address] = modules.mappingName(of: address)
    }
  }

  func sleepFiles(of frames: [Frame]) -> [ModuleID: MappedFile] { files }
  func codeAddress(of address: RemoteAddress) -> CodeAddress? { code[address] }
  func dataAddress(of address: RemoteAddress) -> CodeAddress? { data[address] }
  func file(of module: ModuleID) -> MappedFile? { files[module] }
  func mappingName(of address: RemoteAddress) -> String? { names[address] }
}
