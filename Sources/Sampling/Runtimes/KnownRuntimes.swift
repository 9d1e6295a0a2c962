internal import GoReading
internal import JavaReading
internal import PythonReading
internal import RuntimeReading

/// The language runtimes that are looked for in each process.
enum KnownRuntimes {
  static var all: [any LanguageRuntime.Type] {
    [PythonReader.self, GoReader.self, JavaReader.self]
  }
}
