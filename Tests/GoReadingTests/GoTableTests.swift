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
    func `of a stripped program names what addr2line names of the whole one`(
      toolchain: GoToolchain
    ) throws {
      let plain = try Go.file(toolchain.build("goroutines.go"))
      let table = try #require(GoFunctionTable(try ELFFile(plain.bytes), bytes: plain.bytes))
      var addresses: [FileAddress] = []
      for index in stride(from: 3, to: table.count, by: 7) {
        guard let function = table.function(at: index, in: plain.bytes) else { continue }
        let size = function.code.upperBound.rawValue - function.start.rawValue
        addresses.append(FileAddress(function.start.rawValue + size / 3))
      }
      let outcome = try run(
        ["addr2line", "-f", "-i", "-a", "-e", toolchain.build("goroutines.go")],
        stdin: addresses.map { "\($0)\n" }.joined())
      var truth: [UInt64: [String]] = [:]
      var current: UInt64 = 0
      var name = ""
      for line in outcome.stdout.split(separator: "\n") {
        if line.hasPrefix("0x") {
          current = UInt64(line.dropFirst(2), radix: 16) ?? 0
        } else if name.isEmpty {
          name = String(line)
        } else {
          let place = line.split(separator: " ").first.map(String.init) ?? ""
          truth[current, default: []].append("\(name) \(place)")
          name = ""
        }
      }
      var agreeing = 0
      var compared = 0
      for address in addresses {
        guard let words = truth[address.rawValue], words.allSatisfy({ !$0.contains("?") }) else {
          continue
        }
        compared += 1
        let own = table.lines(at: address, in: plain.bytes).map {
          "\($0.function) \($0.file ?? ""):\($0.line)"
        }
        if own == words { agreeing += 1 }
      }
      #expect(compared > 200)
      // Where code was moved the two line tables of the compiler differ.
      #expect(Double(agreeing) >= 0.97 * Double(compared), "\(agreeing) of \(compared)")
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
