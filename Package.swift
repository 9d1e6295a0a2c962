// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  // Exclusive access is checked in debug builds, in which the tests run, and not again at each sample
  // of a thread: with the checks a stop of a Python thread is 5 % longer, and sprof uses 6 % more CPU time
  // (medians of 4 pairs at 1,000 Hz, Python 3.11).
  .unsafeFlags(
    ["-enforce-exclusivity=unchecked", "-cross-module-optimization"],
    .when(configuration: .release)),
]

/// A target of our own with the settings that every target shares.
///
/// One that reads hostile bytes has strict memory safety as well: each use of an unsafe operation has a
/// mark, and a comment that says why it is safe.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], isStrictlySafe: Bool = false
) -> Target {
  .target(
    name: name, dependencies: dependencies,
    swiftSettings: isStrictlySafe ? strict + [.strictMemorySafety()] : strict)
}

let package = Package(
  name: "sprof",
  products: [.executable(name: "sprof", targets: ["sprof"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    // Layer 0: one Swift importer each.
    .target(name: "CLinux"),
    .systemLibrary(
      name: "CLibunwind", pkgConfig: "libunwind-generic", providers: [.apt(["libunwind-dev"])]),
    .systemLibrary(name: "CElfutils", pkgConfig: "libdw", providers: [.apt(["libdw-dev"])]),
    // Without pkg-config, which gives it flags that SwiftPM refuses.
    .systemLibrary(name: "CNcurses", providers: [.apt(["libncurses-dev"])]),
    .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),

    // Layer 1: pure.
    module("ByteReading", isStrictlySafe: true),
    module("ProfileModel"),

    // Layer 2.
    .target(
      name: "CaptureFile",
      dependencies: [
        "ByteReading", "CZlib", "ProfileModel",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Pprof/profile.proto"], swiftSettings: strict),
    module("ELFReading", ["ByteReading", "ProfileModel"], isStrictlySafe: true),
    module("LinuxProcess", ["ByteReading", "CLinux", "ProfileModel"]),

    // Layer 3.
    module("BlockingAnalysis", ["ByteReading", "LinuxProcess", "ProfileModel"]),
    module("ProfileAnalysis", ["ProfileModel"]),
    module(
      "NativeUnwinding",
      ["ByteReading", "CLibunwind", "ELFReading", "LinuxProcess", "ProfileModel"]),
    module("RuntimeReading", ["LinuxProcess", "ProfileModel"]),
    module("WindowPicking", ["ByteReading", "LinuxProcess", "ProfileModel"]),
    module(
      "Symbolication",
      [
        "ByteReading", "CDeflate", "CElfutils", "CLzma", "CZstd", "ELFReading", "LinuxProcess",
        "ProfileModel",
      ]),

    // Layer 4.
    module(
      "PythonReading",
      ["ByteReading", "ELFReading", "LinuxProcess", "ProfileModel", "RuntimeReading"],
      isStrictlySafe: true),
    module(
      "GoReading",
      ["ByteReading", "ELFReading", "LinuxProcess", "ProfileModel", "RuntimeReading"],
      isStrictlySafe: true),
    module(
      "JavaReading",
      ["ByteReading", "ELFReading", "LinuxProcess", "ProfileModel", "RuntimeReading"],
      isStrictlySafe: true),
    .target(
      name: "ProfileExport", dependencies: ["ProfileAnalysis", "ProfileModel"],
      exclude: ["Page/Resources"], swiftSettings: strict, plugins: ["EmbedPage"]),
    .plugin(name: "EmbedPage", capability: .buildTool()),
    module("TerminalUI", ["CNcurses"]),

    // Layer 5.
    module(
      "Sampling",
      [
        "BlockingAnalysis", "ELFReading", "GoReading", "JavaReading", "LinuxProcess",
        "NativeUnwinding",
        "ProfileModel", "PythonReading", "RuntimeReading", "Symbolication",
      ]),

    // Layer 6.
    module("Checkup", ["ELFReading", "LinuxProcess", "ProfileModel", "Sampling"]),

    // Layer 7.
    .executableTarget(
      name: "sprof",
      dependencies: [
        "CaptureFile", "Checkup", "LinuxProcess", "ProfileAnalysis", "ProfileExport",
        "ProfileModel",
        "Sampling", "TerminalUI", "WindowPicking",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "sprof-bench",
      dependencies: [
        "LinuxProcess", "NativeUnwinding", "ProfileModel", "PythonReading", "RuntimeReading",
        "Sampling",
        "TestSupport",
      ],
      swiftSettings: strict),

    // Tests.
    .target(
      name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "ProfileTests",
      dependencies: [
        "ProfileAnalysis", "ProfileExport", "ProfileModel", "TerminalUI", "TestSupport",
      ],
      exclude: ["Goldens"], swiftSettings: strict),
    .testTarget(
      name: "CaptureFileTests",
      dependencies: [
        "CaptureFile", "ProfileAnalysis", "ProfileExport", "ProfileModel", "TestSupport",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LinuxProcessTests",
      dependencies: ["LinuxProcess", "ProfileModel", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "UnwindingTests",
      dependencies: [
        "CLinux", "ELFReading", "LinuxProcess", "NativeUnwinding", "ProfileModel", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PythonReadingTests",
      dependencies: [
        "ByteReading", "LinuxProcess", "ProfileModel", "PythonReading", "RuntimeReading",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "GoReadingTests",
      dependencies: [
        "ByteReading", "ELFReading", "GoReading", "LinuxProcess", "ProfileModel", "RuntimeReading",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "JavaReadingTests",
      dependencies: [
        "JavaReading", "LinuxProcess", "ProfileModel", "RuntimeReading", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SymbolicationTests",
      dependencies: [
        "ByteReading", "ELFReading", "LinuxProcess", "ProfileModel", "Symbolication", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SamplingTests",
      dependencies: [
        "CLinux", "LinuxProcess", "ProfileModel", "PythonReading", "RuntimeReading", "Sampling",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BlockingTests",
      dependencies: [
        "BlockingAnalysis", "LinuxProcess", "ProfileModel", "Sampling", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PageTests",
      dependencies: ["ProfileAnalysis", "ProfileExport", "ProfileModel", "TestSupport"],
      exclude: ["Browser"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "CheckupTests",
      dependencies: ["Checkup", "LinuxProcess", "ProfileModel", "Sampling", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "WindowPickingTests", dependencies: ["TestSupport", "WindowPicking"],
      swiftSettings: strict),
    .testTarget(
      name: "LayeringTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ]
)
