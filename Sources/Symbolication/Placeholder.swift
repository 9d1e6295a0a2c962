package import LinuxProcess
package import ProfileModel
package final class Symbolizer {
  package enum Detail { case functions, lines }
  package init(file: @escaping (ModuleID) -> MappedFile?) {}
  package func resolve(_ addresses: [CodeAddress], detail: Detail, progress: ((_ done: Int, _ of: Int) -> Void)?) -> [ResolvedFrame] { [] }
  package var problems: [ModuleID: String] = [:]
}
