import Foundation
import PackagePlugin

/// Makes Swift strings of the scripts and the style of the HTML page, so that they are in the
/// program itself.
@main struct EmbedPage: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    let folder = target.directoryURL.appending(path: "Page/Resources")
    // In the order of their names, whatever their folder.
    let inputs = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .map { folder.appending(path: $0) }.filter { !$0.pathExtension.isEmpty }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
    let script = root.appending(path: "scripts/embed-page.sh")
    let output = context.pluginWorkDirectoryURL.appending(path: "PageResources.swift")
    return [
      .buildCommand(
        displayName: "Embedding the page", executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: [script.path, output.path] + inputs.map(\.path),
        inputFiles: inputs + [script], outputFiles: [output])
    ]
  }
}
