internal import Glibc

/// What went wrong, in words; thrown, so that the test which calls a helper fails with them.
package struct TestFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// Calls `condition` until it holds; throws once `deadline` has passed without.
///
/// The deadline only ends a test that would fail anyway: a passing one goes on at once.
package func waitUntil(
  _ what: String, deadline: Duration = .seconds(20), _ condition: () throws -> Bool
) throws {
  let end = ContinuousClock.now + deadline
  while try !condition() {
    guard ContinuousClock.now < end else { throw TestFailure("never came true: \(what)") }
    usleep(1_000)
  }
}
