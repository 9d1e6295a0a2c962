package import LinuxProcess
package import ProfileModel

extension LanguageRuntime {
  /// All goroutines that have not ended, read from live memory; nil for a runtime that has none.
  package func goroutines(from memory: some TargetMemory) -> Goroutines? { nil }
}
