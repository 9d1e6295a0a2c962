import Foundation

/// As much of JSON Schema as sprof's own schemas use: type, enum, properties, required,
/// additionalProperties and items.
public struct JSONSchema {
  private let root: Any

  public init(file: String) throws {
    root = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
  }

  /// What of a document does not follow the schema, with its place.
  public func problems(of document: String) throws -> [String] {
    let value = try JSONSerialization.jsonObject(with: Data(document.utf8))
    var found: [String] = []
    check(value, root as? [String: Any] ?? [:], at: "$", &found)
    return found
  }

  private func check(
    _ value: Any, _ schema: [String: Any], at place: String, _ found: inout [String]
  ) {
    let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
    if !types.isEmpty, !types.contains(where: { Self.isOf($0, value) }) {
      found.append("\(place) is no \(types.joined(separator: " or "))")
    }
    if let allowed = schema["enum"] as? [NSObject], !allowed.contains(where: { $0.isEqual(value) })
    {
      found.append("\(place) is none of \(allowed)")
    }
    if let members = value as? [String: Any] {
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
    if let elements = value as? [Any], let items = schema["items"] as? [String: Any] {
      for (number, element) in elements.enumerated() {
        check(element, items, at: "\(place)[\(number)]", &found)
      }
    }
  }

  private static func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    case "integer": (value as? NSNumber).map { Double($0.int64Value) == $0.doubleValue } ?? false
    case "number": value is NSNumber
    case "boolean": value is Bool
    default: false
    }
  }
}
