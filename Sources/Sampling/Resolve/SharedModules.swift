internal import LinuxProcess
internal import ProfileModel
internal import Synchronization

/// The modules of many processes under common numbers, so that code which they share is named once.
///
/// May be used from any thread.
final class SharedModules: Sendable {
  /// What makes two files the same: the build ID, or else the file itself.
  fileprivate struct Key: Hashable {
    let path: String
    let buildID: String?
    let file: FileIdentity?
  }

  fileprivate struct Tables: Sendable {
    var modules: [Module] = []
    var numbers: [Key: ModuleID] = [:]
    var files: [ModuleID: MappedFile] = [:]
  }

  private let tables = Mutex(Tables())

  /// A process's frames with the common numbers of their modules, in the same order.
  ///
  /// `modules` are the process's, `files` those that the frames are in.
  func share(
    _ frames: [Frame], modules: [Module], files: [ModuleID: MappedFile]
  ) -> [Frame] {
    tables.withLock { tables in
      var known: [ModuleID: ModuleID] = [:]
      return frames.map { frame in
        guard case .code(let code) = frame else { return frame }
        let module =
          known[code.module]
          ?? tables.number(of: code.module, in: modules, file: files[code.module])
        known[code.module] = module
        return .code(CodeAddress(module: module, address: code.address))
      }
    }
  }

  /// All so far.
  var modules: [Module] { tables.withLock { $0.modules } }

  /// The file of each module that could be opened.
  var files: [ModuleID: MappedFile] { tables.withLock { $0.files } }
}

extension SharedModules.Tables {
  fileprivate mutating func number(
    of module: ModuleID, in others: [Module], file: MappedFile?
  ) -> ModuleID {
    guard others.indices.contains(Int(module.rawValue)) else { return .anonymous }
    let new = others[Int(module.rawValue)]
    let key = SharedModules.Key(
      path: new.path, buildID: new.buildID, file: new.buildID == nil ? file?.identity : nil)
    if let number = numbers[key] { return number }
    let number = ModuleID(Int32(clamping: modules.count))
    modules.append(new)
    numbers[key] = number
    files[number] = file
    return number
  }
}
