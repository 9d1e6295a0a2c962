import Testing

@testable import JavaReading

/// The code of compiled methods as JDK 17 and 25 made it (`-XX:+PrintNMethods`).
@Suite struct `The edge of a compiled frame` {
  @Test func `is bare before the frame pointer is pushed`() {
    // mov [rsp - 0x14000], eax; push rbp; sub rsp, 0x20.
    let code: [UInt8] = [
      0x90, 0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff, 0x55, 0x48, 0x83, 0xec, 0x20,
    ]
    #expect(CompiledFrameEdge(entering: code) == .bare(offset: 0, isFramePointerSaved: false))
    #expect(
      CompiledFrameEdge(entering: Array(code[7...]))
        == .bare(offset: 0, isFramePointerSaved: false))
  }

  @Test func `has the saved frame pointer once that was pushed`() {
    // push rbp was just executed; sub rsp, 0x20 is next.
    #expect(
      CompiledFrameEdge(entering: [0x55, 0x48, 0x83, 0xec, 0x20, 0x90])
        == .bare(offset: 8, isFramePointerSaved: true))
  }

  @Test func `is whole once there is room for it`() {
    // sub rsp, 0x18 was executed; mov [rsp + 0x10], rbp is next.
    #expect(
      CompiledFrameEdge(entering: [0x00, 0x48, 0x89, 0x6c, 0x24, 0x10]) == .none)
  }

  @Test func `is bare behind the frame`() {
    // pop rbp; cmp rsp, [r15 + 0x338]; ja; ret.
    let code: [UInt8] = [
      0x5d, 0x49, 0x3b, 0xa7, 0x38, 0x03, 0x00, 0x00, 0x0f, 0x87, 0x01, 0x00, 0x00, 0x00, 0xc3,
    ]
    #expect(CompiledFrameEdge(leaving: code) == .bare(offset: 8, isFramePointerSaved: true))
    #expect(
      CompiledFrameEdge(leaving: Array(code[1...]))
        == .bare(offset: 0, isFramePointerSaved: false))
    // add rsp, 0x10 comes before.
    #expect(CompiledFrameEdge(leaving: [0x48, 0x83, 0xc4, 0x10] + code) == .none)
    #expect(CompiledFrameEdge(leaving: [0x8b, 0xc3, 0xc3]) == .none)
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
