internal import ProfileAnalysis
internal import ProfileModel

extension FirefoxDocument {
  /// The types of markers: which of their fields the reader shows, and how.
  func writeMarkerSchema(to json: inout JSONWriter) {
    json.array("markerSchema") { json in
      json.object { json in
        json.member("name", WaitMarker.type)
        json.member("tooltipLabel", "{marker.name}")
        json.member("tableLabel", "{marker.data.reason}")
        json.member("chartLabel", "{marker.data.reason}")
        json.array("display", of: ["marker-chart", "marker-table"]) { $0.value($1) }
        json.member("description", "What the thread waited for.")
        json.array("fields", of: WaitMarker.fields) { json, field in
          json.object { json in
            json.member("key", field.key)
            json.member("label", field.label)
            json.member("format", field.format)
          }
        }
      }
      json.object { json in
        json.member("name", FreezeMarker.type)
        json.member("tooltipLabel", "{marker.name}")
        json.member("tableLabel", "{marker.data.what}")
        json.member("chartLabel", "{marker.data.what}")
        json.array("display", of: ["marker-chart", "marker-table", "timeline-overview"]) {
          $0.value($1)
        }
        json.member("description", "The thread did not respond.")
        json.array("fields") { json in
          json.object { json in
            json.member("key", "what")
            json.member("label", "What it did")
            json.member("format", "string")
          }
        }
      }
    }
  }

  func writeMarkers(of thread: Int, to json: inout JSONWriter) {
    let waits = index.runs(of: thread).filter { $0.activity.isWait }
    let freezes = freezes[thread] ?? []
    let known = blockings[thread] ?? []
    let words = WaitWords(profile)
    json.object("markers") { json in
      json.array("data") { json in
        for freeze in freezes { json.object { freeze.write(to: &$0) } }
        for run in waits {
          let marker = WaitMarker(run, known, words, isDump: profile.capture.kind == .dump)
          json.object { marker.write(to: &$0) }
        }
      }
      json.array("name") { json in
        for _ in freezes { json.value(texts.freeze) }
        for run in waits { json.value(texts.number(of: run.activity)) }
      }
      json.array("startTime") { json in
        for freeze in freezes { json.value(milliseconds: freeze.start) }
        for run in waits { json.value(milliseconds: run.start) }
      }
      json.array("endTime") { json in
        for freeze in freezes { json.value(milliseconds: freeze.stop) }
        for run in waits { json.value(milliseconds: run.start &+ max(0, run.weight.wall)) }
      }
      let count = freezes.count + waits.count
      // 1 is an interval with a start and an end.
      json.array("phase", repeating: 1, count: count)
      json.array("category") { json in
        for _ in freezes { json.value(FirefoxCategory.other.rawValue) }
        for run in waits { json.value(FirefoxCategory(run.activity).rawValue) }
      }
      json.member("length", count)
    }
  }

  /// The freezes of the threads, by thread.
  static func freezes(of diagnosis: Diagnosis) -> [Int: [FreezeMarker]] {
    let words = FreezeWords(diagnosis)
    var freezes: [Int: [FreezeMarker]] = [:]
    for freeze in diagnosis.freezes.freezes {
      freezes[freeze.thread, default: []].append(
        FreezeMarker(
          start: freeze.start, stop: freeze.stop,
          words: words.phrase(freeze, namesLoop: true)))
    }
    return freezes
  }

  /// What the threads of the profile were found to wait for, by thread.
  static func blockings(of profile: Profile) -> [Int: [Blocking]] {
    struct Key: Hashable { let pid, tid: Int32 }
    var threads: [Key: [Int]] = [:]
    for (number, thread) in profile.threads.enumerated() {
      let key = Key(pid: thread.pid(in: profile.capture.pid), tid: thread.tid)
      threads[key, default: []].append(number)
    }
    var blockings: [Int: [Blocking]] = [:]
    for blocking in profile.blockings {
      // Two threads may have had one number, one after the other: the times part them.
      for thread in threads[Key(pid: blocking.waiter.pid, tid: blocking.waiter.tid)] ?? [] {
        blockings[thread, default: []].append(blocking)
      }
    }
    return blockings
  }
}

/// A freeze, as the payload of a marker.
struct FreezeMarker {
  fileprivate static let type = "Freeze"

  let start, stop: Int64
  let words: String

  fileprivate func write(to json: inout JSONWriter) {
    json.member("type", Self.type)
    json.member("what", words)
  }
}

/// What is known of a wait, as the payload of a marker.
private struct WaitMarker {
  static let type = "Wait"
  /// The formats are words of the reader: it can leave out paths where a profile is shared.
  static let fields = [
    (key: "reason", label: "Waits", format: "string"),
    (key: "lock", label: "Lock", format: "string"),
    (key: "holder", label: "Held by", format: "string"),
    (key: "file", label: "File", format: "file-path"),
    (key: "call", label: "System call", format: "string"),
  ]

  private let reason: String
  private let lock, holder, file, call: String?

  /// What is known of the wait of `run`: the one of `blockings` that was seen in most of its time.
  init(_ run: Run, _ blockings: [Blocking], _ words: WaitWords, isDump: Bool) {
    call = run.activity.wait
    let end = run.start &+ max(0, run.weight.wall)
    func overlap(_ blocking: Blocking) -> Int64 {
      let (first, last) = (max(run.start, blocking.firstSeen), min(end, blocking.lastSeen))
      return isDump ? 0 : last < first ? -1 : last &- first
    }
    let best = blockings.filter { $0.wait.systemCall == run.activity.wait && overlap($0) >= 0 }
      .max { overlap($0) < overlap($1) }
    let times = run.hasManyWaits ? ", many times" : ""
    guard let best else {
      reason = run.activity.words + times
      (lock, holder, file) = (nil, nil, nil)
      return
    }
    let (wait, pid) = (best.wait, best.waiter.pid)
    reason = words.action(wait, in: pid) + times
    lock = wait.object.map { object in
      object.variable.map { $0 + (object.field ?? "") } ?? object.address.description
    }
    let owners = wait.owners.isEmpty ? wait.descriptors.flatMap(\.peers) : wait.owners
    holder = owners.isEmpty ? nil : words.owners(owners, in: pid)
    file = wait.object?.file ?? wait.descriptors.first { $0.hasPath }?.name
  }

  func write(to json: inout JSONWriter) {
    json.member("type", Self.type)
    json.member("reason", reason)
    if let lock { json.member("lock", lock) }
    if let holder { json.member("holder", holder) }
    if let file { json.member("file", file) }
    if let call { json.member("call", call) }
  }
}

extension WaitDescriptor {
  fileprivate var hasPath: Bool { name.hasPrefix("/") }
}
