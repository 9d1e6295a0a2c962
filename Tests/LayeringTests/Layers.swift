/// One target of `Sources`, and what its files may import.
struct LayeredTarget: Equatable {
  let layer: Int
  let name: String
  let imports: Set<String>
}

/// The table of DESIGN and README: who may import whom.
enum Layers {
  static let table = [
    LayeredTarget(layer: 1, name: "ByteReading", imports: []),
    LayeredTarget(layer: 1, name: "ProfileModel", imports: []),
    LayeredTarget(
      layer: 2, name: "CaptureFile",
      imports: [
        "ByteReading", "CZlib", "FoundationEssentials", "Glibc", "ProfileModel", "SwiftProtobuf",
        "Synchronization",
      ]),
    LayeredTarget(layer: 2, name: "ELFReading", imports: ["ByteReading", "ProfileModel"]),
    LayeredTarget(
      layer: 2, name: "LinuxProcess",
      imports: ["CLinux", "Glibc", "ProfileModel", "Synchronization"]),
    LayeredTarget(
      layer: 3, name: "BlockingAnalysis", imports: ["Glibc", "LinuxProcess", "ProfileModel"]),
    LayeredTarget(layer: 3, name: "ProfileAnalysis", imports: ["ProfileModel"]),
    LayeredTarget(
      layer: 3, name: "NativeUnwinding",
      imports: [
        "ByteReading", "CLibunwind", "ELFReading", "Glibc", "LinuxProcess", "ProfileModel",
      ]),
    LayeredTarget(
      layer: 3, name: "RuntimeReading",
      imports: ["LinuxProcess", "ProfileModel", "Synchronization"]),
    LayeredTarget(
      layer: 3, name: "Symbolication",
      imports: [
        "ByteReading", "CElfutils", "ELFReading", "Glibc", "LinuxProcess", "ProfileModel",
        "Synchronization",
      ]),
    LayeredTarget(
      layer: 4, name: "PythonReading",
      imports: [
        "ByteReading", "ELFReading", "Glibc", "LinuxProcess", "ProfileModel", "RuntimeReading",
      ]),
    LayeredTarget(
      layer: 4, name: "ProfileExport", imports: ["ProfileAnalysis", "ProfileModel"]),
    LayeredTarget(
      layer: 4, name: "TerminalUI", imports: ["Glibc", "ProfileAnalysis", "ProfileModel"]),
    LayeredTarget(
      layer: 5, name: "Sampling",
      imports: [
        "BlockingAnalysis", "ELFReading", "Glibc", "LinuxProcess", "NativeUnwinding",
        "ProfileModel", "PythonReading", "RuntimeReading", "Symbolication", "Synchronization",
      ]),
    LayeredTarget(
      layer: 6, name: "sprof",
      imports: [
        "ArgumentParser", "CaptureFile", "Foundation", "Glibc", "LinuxProcess", "ProfileAnalysis",
        "ProfileExport", "ProfileModel", "Sampling", "Synchronization", "TerminalUI",
      ]),
    LayeredTarget(
      layer: 6, name: "sprof-bench",
      imports: [
        "Foundation", "Glibc", "LinuxProcess", "NativeUnwinding", "ProfileModel", "PythonReading",
        "RuntimeReading", "Sampling", "Synchronization", "TestSupport",
      ]),
  ]

  /// The targets of layer 0: C, and imported by one Swift target each.
  static let cModules: Set<String> = ["CLinux", "CLibunwind", "CElfutils", "CZlib"]
}
