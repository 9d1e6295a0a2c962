import ProfileModel
import RuntimeReading
import Testing

@Suite struct `Stacks of several interpreters on one thread` {
  /// Frames whose code lies at these addresses, in groups of one frame.
  private func stack(
    _ codes: [UInt64], anchors: [UInt64], elision: RuntimeStack.Elision? = nil
  ) -> RuntimeStack {
    var stack = RuntimeStack()
    stack.frames = codes.map { code in
      RuntimeFrame(function: nil, code: RemoteAddress(code), line: nil)
    }
    stack.groups = anchors.enumerated().map { index, anchor in
      let isLast = index == anchors.count - 1
      return RuntimeFrameGroup(
        frameCount: isLast ? codes.count - index : 1, anchor: RemoteAddress(anchor))
    }
    stack.elision = elision
    return stack
  }

  @Test func `say where frames were left out, wherever the others lie`() throws {
    let outer = stack(
      [11, 12, 13, 14], anchors: [100, 200],
      elision: RuntimeStack.Elision(position: 2, count: 900))
    let inner = stack([21, 22], anchors: [10, 20])
    for stacks in [[outer, inner], [inner, outer]] {
      let joined = RuntimeStack.joined(stacks)
      #expect(joined.frames.map(\.code.rawValue) == [21, 22, 11, 12, 13, 14])
      #expect(joined.elision == RuntimeStack.Elision(position: 4, count: 900))
    }
  }
}
