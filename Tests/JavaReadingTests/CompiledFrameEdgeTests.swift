import ProfileModel
import Testing

@testable import JavaReading

/// The entry of a method as the first compiler of JDK 25 makes it: mov [rsp - 0x14000], eax; push rbp;
/// sub rsp, 0x20; cmp dword [r15 + 0x20], 1; je.
private let entry: [UInt8] = [
  0x90, 0x90, 0x90, 0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff, 0x55, 0x48, 0x83, 0xec, 0x20, 0x41,
  0x81, 0x7f, 0x20, 0x01, 0x00, 0x00, 0x00, 0x74, 0x05,
]

@Suite struct `The edge of a compiled frame` {
  private func entering(at offset: Int, in code: [UInt8] = entry) -> CompiledFrameEdge {
    CompiledFrameEdge(entering: Array(code[offset...]))
  }

  @Test func `is bare before the frame pointer is pushed`() {
    #expect(entering(at: 0) == .bare(offset: 0, isFramePointerSaved: false))
    #expect(entering(at: 7) == .bare(offset: 0, isFramePointerSaved: false))
  }

  @Test func `has the saved frame pointer once that was pushed`() {
    #expect(entering(at: 8) == .bare(offset: 8, isFramePointerSaved: true))
    // push rbp; mov rbp, rsp; sub rsp, 0x10.
    let code: [UInt8] = [0x00, 0x00, 0x55, 0x48, 0x8b, 0xec, 0x48, 0x83, 0xec, 0x10]
    #expect(entering(at: 0, in: code) == .bare(offset: 8, isFramePointerSaved: true))
    #expect(entering(at: 3, in: code) == .bare(offset: 8, isFramePointerSaved: true))
  }

  @Test func `is whole once there is room for it`() {
    #expect(entering(at: 12) == .whole)
    #expect(entering(at: 20) == .whole)
  }

  @Test func `may store the frame pointer later`() {
    // sub rsp, 0x18; mov [rsp + 0x10], rbp.
    let code: [UInt8] = [0, 0, 0, 0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x6c, 0x24, 0x10]
    #expect(entering(at: 0, in: code) == .bare(offset: 0, isFramePointerSaved: false))
    #expect(entering(at: 4, in: code) == .unsaved)
  }

  @Test(arguments: [[0x49, 0x3b, 0xa7, 0x38, 0x03, 0x00, 0x00], [0x49, 0x3b, 0x67, 0x28]])
  func `is bare behind the frame`(comparison: [UInt8]) {
    // pop rbp; cmp rsp, [r15 + n]; ja; ret.
    let code = [0x5d] + comparison + [0x0f, 0x87, 0x01, 0x00, 0x00, 0x00, 0xc3]
    #expect(CompiledFrameEdge(leaving: code) == .bare(offset: 8, isFramePointerSaved: true))
    #expect(
      CompiledFrameEdge(leaving: Array(code[1...]))
        == .bare(offset: 0, isFramePointerSaved: false))
    #expect(CompiledFrameEdge(leaving: [0xc3]) == .bare(offset: 0, isFramePointerSaved: false))
    // add rsp, 0x10 comes before.
    #expect(CompiledFrameEdge(leaving: [0x48, 0x83, 0xc4, 0x10] + code) == .whole)
    #expect(CompiledFrameEdge(leaving: [0x8b, 0xc3, 0xc3]) == .whole)
  }
}

@Suite struct `Names of classes` {
  @Test(arguments: [
    ("java/util/Map", "java.util.Map", "java/util/"), ("Main", "Main", ""),
    ("Main$$Lambda$14+0x00007f4cf0000a08", "Main$$Lambda", ""),
    ("a/b/Main$$Lambda+0x0000000019040210", "a.b.Main$$Lambda", "a/b/"),
    ("java/lang/invoke/LambdaForm$MH+0x1", "java.lang.invoke.LambdaForm$MH", "java/lang/invoke/"),
    (
      "java/lang/invoke/LambdaForm$MH/0x0000000800066c40", "java.lang.invoke.LambdaForm$MH",
      "java/lang/invoke/"
    ),
  ])
  func `are those of the source`(name: String, shown: String, folder: String) {
    let result = JavaClassName.split(name)
    #expect(result.name == shown)
    #expect(result.folder == folder)
  }
}

@Suite struct `Pointers to objects` {
  @Test func `of most collectors are addresses`() {
    #expect(JavaObjects.object(0x69ec_19b8)?.rawValue == 0x69ec_19b8)
    #expect(JavaObjects.object(0) == nil)
    #expect(JavaObjects.object(0x69ec_19b9) == nil)
  }

  @Test(arguments: 0..<4) func `of generational ZGC are shifted`(bit: UInt64) {
    let address: UInt64 = 0x4000_0012_3458
    let pointer = address << (13 + bit) | 1 << (12 + bit)
    #expect(JavaObjects.object(pointer)?.rawValue == address)
    #expect(JavaObjects.object(pointer | 15 << 12) == nil)
  }
}
