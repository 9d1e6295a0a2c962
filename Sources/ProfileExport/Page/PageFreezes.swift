internal import ProfileAnalysis
internal import ProfileModel

extension JSONWriter {
  /// The freezes of a page's list: the longest, in the order of time, and how many there are.
  mutating func members(ofPageFreezesOf diagnosis: Diagnosis) {
    let all = diagnosis.freezes.freezes
    let shown = all.sorted { ($1.length, $0.start) < ($0.length, $1.start) }
      .prefix(pageFreezeLimit).sorted { ($0.start, $0.thread) < ($1.start, $1.thread) }
    let words = FreezeWords(diagnosis)
    member("freezeCount", all.count)
    array("freezes", of: shown) { json, freeze in
      json.object { json in
        json.member("thread", freeze.thread)
        json.member("from", freeze.start)
        json.member("to", freeze.stop)
        json.member("atLeast", freeze.isAtLeast)
        json.member("words", words.phrase(freeze, namesLoop: true))
      }
    }
  }
}

/// More rows than a person reads.
private let pageFreezeLimit = 2000
