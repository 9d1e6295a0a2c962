internal import ProfileAnalysis
internal import ProfileModel

extension VerdictWords {
  /// Whose code it is that is in no file, unless that may be one of several programs.
  private var programOfCode: String {
    let profile = diagnosis.index.profile
    guard profile.threads.allSatisfy({ $0.process == nil }) else { return "" }
    let program = profile.capture.executable?.lastPathPart ?? profile.capture.processName
    return program.isEmpty ? "" : " of " + program.shortName
  }

  /// The verdict's place, and the library's function that it called and that nearly all samples are in.
  func placeName(_ place: SourceFrame) -> String {
    guard let call = verdict.placeCall, call.line.isNamed else { return name(place) }
    return libraryName(call) + " called by " + name(place)
  }

  /// A function of a library, by the name that programs call it by, and without a place in the library.
  private func libraryName(_ frame: SourceFrame) -> String {
    let function = frame.line.function
    let name = isOfCLibrary(frame) ? FunctionName.published(function) : ShortName.bare(function)
    return PlainText.shortenedInMiddle(name.replacingQuotes, to: 60)
  }

  private func isOfCLibrary(_ frame: SourceFrame) -> Bool {
    let profile = diagnosis.index.profile
    return profile.position(of: frame.module).map { profile.modules[$0].isCLibrary } ?? false
  }

  /// A function, with its file and line.
  func name(_ frame: SourceFrame) -> String {
    if frame.line.isNamed, isOfCLibrary(frame) { return libraryName(frame) }
    if !frame.line.isNamed, frame.address != nil {
      guard let position = diagnosis.index.profile.position(of: frame.module) else {
        return "JIT code" + programOfCode
      }
      return frame.line.function + " in " + diagnosis.index.profile.modules[position].name.shortName
    }
    let place = frame.line.file.map { file in
      " (" + file.lastPathPart.shortName + (frame.line.line > 0 ? ":\(frame.line.line)" : "") + ")"
    }
    let function = PlainText.shortenedInMiddle(
      ShortName.bare(frame.line.function).replacingQuotes, to: 60)
    return function + (place ?? "")
  }
}
