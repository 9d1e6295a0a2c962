/// The version of this program.
package enum SprofVersion {
  /// As `sprof --version` and the JSON reports give it.
  package static let current = "0.1.0"
}
