package import ProfileAnalysis

/// A part of the text report that can be asked for alone.
package enum ReportView: String, CaseIterable, Sendable {
  /// The heaviest stack of the main thread.
  case summary
  /// The threads, and what they did with their time.
  case threads
  /// CPU time, ticks and samples of each line of the source, thread by thread.
  case lines
  /// Who called whom.
  case tree
  /// Every distinct stack of each thread.
  case stacks
}

/// What a report shows, and how.
package struct ReportOptions: Sendable {
  /// What the report shows: what was captured and what it cost is always said.
  package var views: Set<ReportView>
  /// Nil for all threads.
  package var threadFilter: ThreadFilter?
  /// Rows of the line table for each thread.
  package var top: Int
  /// Whether headings and the like are set off by escape sequences; nothing is said by colour alone.
  package var color: Bool
  /// Columns that no line goes beyond; at least 60.
  package var width: Int

  /// All views but `stacks`, which would bury the others.
  package static let defaultViews: Set<ReportView> = [.summary, .threads, .lines, .tree]

  package init(
    views: Set<ReportView> = Self.defaultViews, threadFilter: ThreadFilter? = nil, top: Int = 20,
    color: Bool = false, width: Int = 100
  ) {
    self.views = views
    self.threadFilter = threadFilter
    self.top = max(top, 0)
    self.color = color
    self.width = max(width, 60)
  }
}
