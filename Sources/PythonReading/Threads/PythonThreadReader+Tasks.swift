internal import LinuxProcess
internal import ProfileModel
internal import RuntimeReading

extension PythonThreadReader {
  /// Puts the tasks into the stack behind the frame that is the outermost of the running one: its
  /// marker, then what the task that waits for it awaits, then the marker of that, and so on.
  ///
  /// The chain ends before the first task that could not be read whole.
  func addTasks(to stack: inout RuntimeStack, behind position: Int?) {
    guard let position, position < stack.frames.count else { return }
    let added = taskFrames()
    stack.frames.insert(contentsOf: added, at: position + 1)
    var end = 0
    for index in stack.groups.indices {
      end += stack.groups[index].frameCount
      guard position < end else { continue }
      stack.groups[index].frameCount += added.count
      break
    }
    if let elision = stack.elision, elision.position > position {
      stack.elision?.position += added.count
    }
  }

  private func taskFrames() -> [RuntimeFrame] {
    var frames: [RuntimeFrame] = []
    let generation = generation
    for link in tasks.links {
      guard link.isWhole, link.via.isNull || isOfAsyncio(link.via, generation),
        let own = self.frames(of: link, generation)
      else { break }
      frames += own
      frames.append(
        RuntimeFrame(
          function: reader.taskMarker(text(of: link)), code: link.task, line: nil, needsCaller: true
        ))
    }
    return frames
  }

  /// The coroutines of a task, the innermost first; nil where the functions were not read.
  private func frames(of link: PythonTaskChain.Link, _ generation: PythonCodeGeneration?)
    -> [RuntimeFrame]?
  {
    var frames: [RuntimeFrame] = []
    for raw in link.frames.reversed() {
      guard let function = function(at: raw.code, generation) else { return nil }
      let position = reader.runtime.frameShape.unit(of: raw)
      frames.append(
        RuntimeFrame(
          function: function, code: raw.code, line: function.line(at: position), needsCaller: true))
    }
    return frames
  }

  private func isOfAsyncio(_ code: RemoteAddress, _ generation: PythonCodeGeneration?) -> Bool {
    function(at: code, generation)?.file.hasSuffix("asyncio/tasks.py") ?? false
  }

  private func function(at code: RemoteAddress, _ generation: PythonCodeGeneration?)
    -> RuntimeFunction?
  {
    function(of: code)
      ?? reader.codes.function(at: code, generation: generation, in: copies)
  }

  /// What stands for a task: its name, unless asyncio made that up, as it does for each task anew.
  private func text(of link: PythonTaskChain.Link) -> String {
    SourceLine.taskMarker(named: name(link.name)) + (link.hasOthers ? " (awaited by several)" : "")
  }

  private func name(_ object: RemoteAddress) -> String? {
    guard let places = reader.taskPlaces,
      copies.pointer(at: object + reader.runtime.objects.type) == places.types.string,
      let header = reader.runtime.strings.header(copies, at: object),
      let text = reader.runtime.strings.text(copies, at: object, header)
    else { return nil }
    let isMadeUp =
      text.hasPrefix("Task-") && text.utf8.dropFirst(5).allSatisfy { (48...57).contains($0) }
    return isMadeUp ? nil : text
  }
}
