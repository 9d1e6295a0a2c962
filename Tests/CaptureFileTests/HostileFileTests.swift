import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import CaptureFile

@Suite struct `Hostile capture file` {
  @Test func `is refused with its reason`() throws {
    let good = GzipMember.compressing(messages(of: RandomCapture.profile(seed: 1)))
    func failure(_ file: [UInt8]) -> CaptureFileError? {
      do throws(CaptureFileError) {
        _ = try CaptureReader.read(file, name: "x")
        return nil
      } catch {
        return error
      }
    }
    #expect(failure(good) == nil)
    #expect(failure([]) == .empty)
    #expect(failure(GzipMember.compressing([])) == .empty)
    #expect(failure(Array(good[..<(good.count / 2)])) == .cutOff)
    var flipped = good
    flipped[good.count / 2] ^= 4
    #expect(failure(flipped) == .damaged(.compression))
    #expect(failure(Array("#!/bin/sh\necho hello\n".utf8)) == .foreign)
    #expect(failure(GzipMember.compressing(Array("hello".utf8))) == .foreign)
    #expect(failure([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]) == .foreign)
    #expect(failure(Array(repeating: 0, count: 10_000)) == .foreign)
    #expect(
      failure(Array(messages(of: RandomCapture.profile(seed: 1)).dropLast(3)))
        == .damaged(.message))
  }

  @Test func `with members behind each other is read as one, padding skipped`() throws {
    let file =
      GzipMember.compressing([1, 2]) + GzipMember.compressing([]) + GzipMember.compressing([3]) + [
        0, 0, 0,
      ]
    let whole = try Self.contents(of: file)
    #expect(whole.bytes == [1, 2, 3])
    #expect(!whole.isTorn)
    let torn = try Self.contents(
      of: GzipMember.compressing([1, 2]) + GzipMember.compressing([3]).dropLast(1))
    #expect(torn.bytes == [1, 2])
    #expect(torn.isTorn)
  }

  /// The bytes of all complete members.
  private static func contents(of file: [UInt8]) throws -> (bytes: [UInt8], isTorn: Bool) {
    var contents = try FileContents(ByteSource(file), ReadingBudget())
    var bytes: [UInt8] = []
    while try contents.next(appendingTo: &bytes) == .more {}
    return (Array(bytes[..<contents.completeCount]), contents.isTorn)
  }

  /// Whatever happens to a file, it is either read, and then shown, or refused.
  @Test(arguments: 0..<5)
  func `never makes the reader crash`(kind: Int) throws {
    let trials = Repository.trials(short: 400, full: 2_000)
    var numbers = SeededNumbers(seed: kind)
    let base = try Self.file(kind)
    var (read, refused) = (0, 0)
    for _ in 0..<trials {
      var file = base
      for _ in 0..<Int.random(in: 1...4, using: &numbers) { Self.damage(&file, &numbers) }
      // A checksum would keep most damage from the reader of messages.
      if kind == 1 { file = GzipMember.compressing(file) }
      do throws(CaptureFileError) {
        let profile = try CaptureReader.read(file, name: "x")
        read += 1
        if let reports = try? everyReport(on: profile) {
          #expect(reports.allSatisfy { !$0.isEmpty })
        }
      } catch {
        refused += 1
      }
    }
    #expect(read + refused == trials)
    #expect(refused > 0)
    #expect(read > 0 || kind == 2, "kind \(kind): no file was read")
  }

  private static func file(_ kind: Int) throws -> [UInt8] {
    let profile = RandomCapture.profile(seed: 4, ticks: 6)
    switch kind {
    case 0, 1: return messages(of: profile)
    case 2: return GzipMember.compressing(messages(of: profile))
    case 3: return ForeignProfile.go
    default: return Array("main (12);work;copy 42\nmain (12);work 7\npool (13);wait 100\n".utf8)
    }
  }

  private static func damage(_ file: inout [UInt8], _ numbers: inout SeededNumbers) {
    guard !file.isEmpty else { return }
    let place = Int.random(in: 0..<file.count, using: &numbers)
    let end = min(file.count, place + Int.random(in: 1...40, using: &numbers))
    switch Int.random(in: 0..<7, using: &numbers) {
    case 0, 1: file[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
    case 2: file[place] = .random(in: 0...255, using: &numbers)
    case 3: file.removeSubrange(place..<end)
    case 4: file.insert(contentsOf: file[place..<end], at: place)
    case 5: for index in place..<end { file[index] = 0xff }
    default: file.removeSubrange(place...)
    }
  }
}
