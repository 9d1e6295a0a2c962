import ELFReading
import Foundation
import GoReading
import LinuxProcess
import ProfileModel
import TestSupport
import Testing

extension `Go` {
  @Suite struct `Table of functions` {
    @Test(arguments: GoToolchain.all)
    func `says of an address what the program's own runtime says`(toolchain: GoToolchain) throws {
      let path = try toolchain.build("table.go", .stripped)
      let file = try Go.file(path)
      let table = try #require(GoFunctionTable(try ELFFile(file.bytes), bytes: file.bytes))
      var compared = 0
      var inlined = 0
      for line in try run([path]).stdout.split(separator: "\n") {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let address = UInt64(parts[0]) else { continue }
        let own = table.lines(at: FileAddress(address), in: file.bytes)
        // What fills up the space to the next function has no line.
        guard let first = own.first, first.line > 0 else { continue }
        // The runtime prints `Sort[...]` of a generic function.
        let name = first.function.split(separator: "[")[0]
        let generic = name.utf8.count < first.function.utf8.count ? "[...]" : ""
        #expect("\(name)\(generic) \(first.file ?? ""):\(first.line)" == parts[1])
        compared += 1
        if own.count > 1 { inlined += 1 }
      }
      #expect(compared > 200 && inlined > 10)
    }

    @Test func `that is broken is read without harm`() throws {
      let toolchain = try #require(GoToolchain.all.first)
      let file = try Go.file(toolchain.build("goroutines.go", .stripped))
      let elf = try ELFFile(file.bytes)
      let section = try #require(elf.section(named: ".gopclntab"))
      let range = try #require(elf.bytes(of: section, fileSize: file.count))
      var random = SystemRandomNumberGenerator()
      var read = 0
      for round in 0..<300 {
        var bytes = [UInt8](file.pointer)
        // Mostly the header and the first records, which all else depends on.
        let place = round % 3 == 0 ? range.count : round % 3 == 1 ? 72 : 4096
        for _ in 0..<(round % 40 + 1) {
          bytes[range.lowerBound + Int.random(in: 0..<place, using: &random)] =
            UInt8.random(in: 0...255, using: &random)
        }
        if round % 10 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
        let broken = MappedFile(copying: bytes)
        guard let elf = try? ELFFile(broken.bytes),
          let table = GoFunctionTable(elf, bytes: broken.bytes)
        else { continue }
        read += 1
        for index in stride(from: 0, to: min(table.count, 4000), by: 97) {
          guard let function = table.function(at: index, in: broken.bytes) else { continue }
          let lines = table.lines(at: function.start, in: broken.bytes)
          #expect(lines.count <= 65)
          _ = table.frameSize(at: function.start, of: function, in: broken.bytes)
          var count = 0
          table.forEachFrameSize(of: function, in: broken.bytes) { _, _ in
            count += 1
            return count < 100_000
          }
        }
      }
      #expect(read > 100)
    }
  }
}
