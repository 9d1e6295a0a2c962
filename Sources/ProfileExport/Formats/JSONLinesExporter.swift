internal import ProfileAnalysis
package import ProfileModel

/// One run a line, each a JSON object with its thread and its frames, for tools that read lines;
/// `docs/json.md` describes it.
package struct JSONLinesExporter: ProfileExporter {
  package init() {}

  package func write(_ profile: Profile, to output: inout some TextOutputStream) {
    let index = ProfileIndex(profile)
    JSONWriter.write(to: &output) { json in
      for (thread, info) in profile.threads.enumerated() {
        for run in index.runs(of: thread) {
          json.object { Self.write(run, info, index, to: &$0) }
          json.endLine()
        }
      }
    }
  }

  private static func write(
    _ run: Run, _ info: ThreadInfo, _ index: ProfileIndex, to json: inout JSONWriter
  ) {
    json.members(ofProcess: info, index.profile.capture)
    json.member("tid", info.tid)
    json.member("name", info.name)
    json.member("start_ns", run.start)
    json.member("activity", run.activity.rawName)
    json.member("wait", run.activity.wait)
    json.member("end", run.end.rawName)
    json.members(of: run.weight)
    json.array("frames", of: index.sourceFrames(of: run.stack)) { json, frame in
      let frame = index.stacks.frames[frame]
      json.object { json in
        json.member("function", frame.line.function)
        json.member("file", frame.line.file)
        json.member("line", frame.line.line > 0 ? frame.line.line : nil)
        json.member("module", index.moduleName(frame.module))
        json.member("address", frame.address?.description)
        json.member("inlined", frame.line.isInlined)
      }
    }
  }
}
