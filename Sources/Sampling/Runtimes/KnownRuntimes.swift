internal import PythonReading
internal import RuntimeReading

/// The language runtimes that are looked for in each process: the one place that names them.
enum KnownRuntimes {
  static var all: [any LanguageRuntime.Type] { [PythonReader.self] }
}
