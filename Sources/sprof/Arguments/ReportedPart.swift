import ProfileModel

/// What of a profile a command reports: the part that the options choose or, where they choose nothing
/// of it, all of it.
///
/// What was captured is never lost to a mistyped filter.
struct ReportedPart {
  let profile: Profile
  let report: ReportArguments
  /// Whether filters removed something, threads aside.
  let isPart: Bool
  /// Why it is not the part that was asked for.
  private let problem: Diagnostic?

  init(
    of profile: Profile, _ report: ReportArguments, _ filter: FilterArguments? = nil,
    end: TimeArgument? = nil
  ) throws {
    do {
      try report.checkFilter(profile)
      self.profile = try filter?.apply(to: profile, end: end) ?? profile
      self.report = report
      isPart = filter?.isEmpty == false || end != nil
      problem = nil
    } catch let diagnostic as Diagnostic {
      self.profile = profile
      var report = report
      report.thread = nil
      self.report = report
      isPart = false
      problem = diagnostic
    }
  }

  /// Runs `body`, which reports it, and then throws what was wrong with the filters.
  func show(_ body: (ReportedPart) throws -> Void) throws {
    try body(self)
    if let problem { throw problem }
  }
}
