import Foundation

/// As much of JSON Schema as sprof's own schemas use: type, enum, properties, required,
/// additionalProperties, items, anyOf, and $ref to $defs of the same document.
package struct JSONSchema {
  private let root: [String: Any]
  private let definitions: [String: Any]

  package init(file: String) throws {
    let document = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: file)))
    root = document as? [String: Any] ?? [:]
    definitions = root["$defs"] as? [String: Any] ?? [:]
  }

  /// One of `docs/`, such as that of the `report`.
  package init(of document: String) throws {
    try self.init(file: Repository.path("docs/\(document).schema.json"))
  }

  /// What of a document does not follow the schema, with its place; no more than twenty.
  package func problems(of document: String) throws -> [String] {
    let value = try JSONSerialization.jsonObject(with: Data(document.utf8))
    var found: [String] = []
    check(value, root, at: "$", &found)
    return found
  }

  /// Throws when a document does not follow the schema.
  package func check(_ document: String) throws {
    let problems = try problems(of: document)
    guard problems.isEmpty else { throw TestFailure("not as the schema has it: \(problems)") }
  }

  private func check(
    _ value: Any, _ schema: [String: Any], at place: String, _ found: inout [String]
  ) {
    guard found.count < 20 else { return }
    if let name = (schema["$ref"] as? String)?.split(separator: "/").last {
      guard let definition = definitions[String(name)] as? [String: Any] else {
        return found.append("the schema lacks \(name)")
      }
      return check(value, definition, at: place, &found)
    }
    if let choices = schema["anyOf"] as? [[String: Any]] {
      return check(value, anyOf: choices, at: place, &found)
    }
    let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
    if !types.isEmpty, !types.contains(where: { Self.isOf($0, value) }) {
      found.append("\(place) is no \(types.joined(separator: " or "))")
    }
    if let allowed = schema["enum"] as? [NSObject],
      !allowed.contains(where: { $0.isEqual(value) || $0 is NSNull && value is NSNull })
    {
      found.append("\(place) is none of \(allowed)")
    }
    if let members = value as? [String: Any] { check(members: members, schema, place, &found) }
    if let elements = value as? [Any], let items = schema["items"] as? [String: Any] {
      for (number, element) in elements.enumerated() {
        check(element, items, at: "\(place)[\(number)]", &found)
      }
    }
  }

  private func check(
    members: [String: Any], _ schema: [String: Any], _ place: String, _ found: inout [String]
  ) {
    let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
    for key in schema["required"] as? [String] ?? [] where members[key] == nil {
      found.append("\(place) lacks \(key)")
    }
    for (key, member) in members {
      if let property = properties[key] {
        check(member, property, at: "\(place).\(key)", &found)
      } else if schema["additionalProperties"] as? Bool == false {
        found.append("\(place) has \(key)")
      }
    }
  }

  /// The problems are those with the first choice, which is never null.
  private func check(
    _ value: Any, anyOf choices: [[String: Any]], at place: String, _ found: inout [String]
  ) {
    let problems = choices.map { choice in
      var problems: [String] = []
      check(value, choice, at: place, &problems)
      return problems
    }
    if problems.allSatisfy({ !$0.isEmpty }) { found += problems.first ?? [] }
  }

  private static func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    case "integer":
      !isTruth(value)
        && (value as? NSNumber).map { Double($0.int64Value) == $0.doubleValue } == true
    case "number": !isTruth(value) && value is NSNumber
    case "boolean": isTruth(value)
    default: false
    }
  }

  /// Foundation keeps `true` as a number that remembers that it was none.
  private static func isTruth(_ value: Any) -> Bool {
    (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? (value is Bool)
  }
}
