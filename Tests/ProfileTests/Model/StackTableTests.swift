internal import ProfileModel
internal import Testing

@Suite struct `Stack table` {
  @Test func `gives equal stacks the same name and shares their callers`() {
    var table = StackTable()
    let frames = (0..<3).map { number in
      table.id(
        of: .code(CodeAddress(module: ModuleID(0), address: FileAddress(UInt64(number)))))
    }
    let main = table.stack(of: frames[0], calledBy: .empty)
    let first = table.stack(of: frames[1], calledBy: main)
    let second = table.stack(of: frames[2], calledBy: main)
    #expect(table.stack(of: frames[1], calledBy: main) == first)
    #expect(first != second)
    #expect(table.stackCount == 4)
    #expect(table.frames(of: second) == [frames[2], frames[0]])
    #expect(table.caller(of: first) == table.caller(of: second))
    #expect(table.innermostFrame(of: .empty) == nil)
    #expect(table.frames(of: .empty).isEmpty)
  }

  @Test func `keeps a weight that overflows from ending the program`() {
    let large = Weight(samples: .max, ticks: .max, cpu: .max, wall: .max, delay: .max)
    #expect((large + Weight(samples: 1)).samples == .min)
  }
}
