import Foundation
import TestSupport

/// A PostgreSQL server on a fresh database, reachable through a socket in its own folder.
final class PostgresServer {
  private let folder: TemporaryFolder
  private let server: RunningProgram
  private var load: RunningProgram?

  init() throws {
    folder = try TemporaryFolder()
    let data = "\(folder.path)/data"
    // PostgreSQL refuses to run as root; its package makes a user.
    var prefix: [String] = []
    if Repository.isRoot {
      try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
      prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    }
    let initdb = Tool.path("initdb") ?? "initdb"
    let outcome = try run(
      prefix + [initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
      timeout: .seconds(120))
    guard outcome.status == 0 else { throw TestFailure("initdb: \(outcome.stderr)") }
    let postgres = Tool.path("postgres") ?? "postgres"
    server = try RunningProgram(
      prefix + [postgres, "-D", data, "-k", folder.path, "-h", "", "-F"], ready: nil)
    try waitUntil("postgres is ready") {
      let text = try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8)
      return text?.contains("ready") ?? false
    }
  }

  /// A client that sends the lines it is given.
  func session() throws -> RunningProgram {
    let psql = Tool.path("psql") ?? "psql"
    let session = try RunningProgram(
      [psql, "-X", "-q", "-t", "-A", "-h", folder.path, "-U", "postgres", "postgres"], ready: nil)
    try session.send(line: "select 'connected';")
    _ = try session.readLine()
    return session
  }

  /// Keeps four sessions at work, for as long as the value lives.
  func startLoad() throws {
    let pgbench = [Tool.path("pgbench") ?? "pgbench", "-h", folder.path, "-U", "postgres"]
    let outcome = try run(pgbench + ["-i", "-q", "postgres"], timeout: .seconds(60))
    guard outcome.status == 0 else { throw TestFailure("pgbench: \(outcome.stderr)") }
    load = try RunningProgram(
      pgbench + ["-n", "-c", "4", "-j", "2", "-T", "900", "postgres"], ready: nil)
  }

  /// The server and its workers.
  var processes: [Int32] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let workers = all.compactMap { Int32($0) }
      .filter { ProcessStatus(pid: $0)?.parent == server.pid }
    return [server.pid] + workers.sorted()
  }
}

/// A redis server on a socket in its own folder.
final class RedisServer {
  let socket: String
  private let folder: TemporaryFolder
  private let server: RunningProgram

  var pid: Int32 { server.pid }

  init(_ options: [String] = []) throws {
    folder = try TemporaryFolder()
    let socket = folder.path + "/redis.sock"
    self.socket = socket
    server = try RunningProgram(
      [
        "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--daemonize", "no",
        "--dir", folder.path,
      ] + options, ready: nil)
    try waitUntil("redis-server listens") { FileManager.default.fileExists(atPath: socket) }
  }

  /// Sends a command, and waits until it was answered.
  func send(_ command: String...) throws {
    let outcome = try run(["redis-cli", "-s", socket] + command)
    guard outcome.status == 0 else { throw TestFailure("redis-cli: \(outcome.stderr)") }
  }
}
