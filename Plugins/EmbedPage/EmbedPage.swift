import Foundation
import PackagePlugin

/// Makes Swift strings of the scripts and the style of the HTML page, so that they are in the
/// program itself.
@main struct EmbedPage: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    let folder = target.directoryURL.appending(path: "Page/Resources")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let inputs = names.map { folder.appending(path: $0) }
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
