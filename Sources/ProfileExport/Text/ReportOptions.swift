package import ProfileAnalysis
internal import ProfileModel

/// A part of the text report that can be shown alone.
package enum ReportView: String, CaseIterable, Sendable {
  /// The first screen: the stacks that the verdict is about, the functions and lines that took the
  /// time, and the threads in groups.
  case summary
  /// The threads, and what they did with their time.
  case threads
  /// CPU time, ticks and samples of each line of the source, thread by thread.
  case lines
  /// Who called whom.
  case tree
  /// Every distinct stack of each thread.
  case stacks
  /// What each thread waited in, how long and how often.
  case waits
  /// Each thread's time, with its waits charged to what those did who held it up.
  case blame
  /// Who held up others, and what they did meanwhile.
  case blockers
  /// Threads over time.
  case timeline
  /// When threads did not respond, and by what.
  case freezes
  /// All the others.
  case all
}

/// Gives the lines of a source file as it was when the program was built; nil when it does not exist, is no
/// source, or was written to since.
///
/// `binary` is the file with the code, nil for code that an interpreter runs; `captured` is the time of the
/// capture in seconds since 1970.
package typealias SourceReader =
  @Sendable (
    _ path: String, _ binary: String?, _ captured: Double
  ) -> [Substring]?

/// What a report shows, and how.
package struct ReportOptions: Sendable {
  /// What the report shows, besides what was captured and what that cost.
  package var views: Set<ReportView>
  /// Nil for all threads.
  package var threadFilter: ThreadFilter?
  /// How long a thread must stay away from its event loop to count as frozen, in nanoseconds.
  package var freezeThreshold = FreezeRule.defaultThreshold
  /// Shown as one table of all threads in place of the views; nil for the views.
  package var unit: FlatTable.Unit?
  /// What tables and trees are sorted by; nil for each one's own order.
  package var sort: WeightUnit?
  /// Rows of a table, and stacks or waits of a thread; nil for as many as each usually has.
  package var top: Int?
  /// Whether headings and the like are highlighted by escape sequences; colour alone never carries
  /// information.
  package var color: Bool
  /// Columns of the longest line; at least 60.
  package var width: Int
  /// Whether the report begins with the verdict: not for a part of a capture, which may lack the
  /// threads or the time that the verdict needs.
  package var showsVerdict = true
  /// Whether the rule and the facts by which the verdict was found follow it.
  package var explainsVerdict = false
  /// Whether native frames are shown in stacks that have interpreted ones.
  package var showsNative = true

  /// Reads source files, where lines of them are to be shown; nil for none.
  package var sources: SourceReader?

  /// The views that answer most questions.
  package static let defaultViews: Set<ReportView> = [.summary]
  /// Where the capture is kept, to be named where more of it can be seen; nil for nowhere.
  package var file: String?

  package init(
    views: Set<ReportView> = Self.defaultViews, threadFilter: ThreadFilter? = nil,
    unit: FlatTable.Unit? = nil, sort: WeightUnit? = nil, top: Int? = nil, color: Bool = false,
    width: Int = 100
  ) {
    self.views = views.contains(.all) ? Set(ReportView.allCases) : views
    self.threadFilter = threadFilter
    self.unit = unit
    self.sort = sort
    self.top = top.map { max($0, 0) }
    self.color = color
    self.width = max(width, 60)
  }
}

extension ReportOptions {
  /// Rows of a table, outside of the first screen.
  var rows: Int { top ?? 20 }

  /// What counts as a freeze.
  var freezes: FreezeRule { FreezeRule(threshold: freezeThreshold, chosen: threadFilter) }
}

extension Diagnosis {
  /// What was diagnosed as views show it: with all frames, or without native ones.
  func shownIndex(withNative showsNative: Bool) -> ProfileIndex {
    showsNative ? index : ProfileIndex(index.profile.hidingNativeFrames())
  }
}
