internal import LinuxProcess
internal import ProfileModel

// Who waits for a task. From 3.14 on each task knows; before, its callbacks lead there.
extension PythonTaskChain {
  /// Places of the table of a set of tasks; larger ones end the chain.
  private static let setLimit = 4096
  /// Callbacks of one future that are read.
  private static let callbackLimit: UInt64 = 16
  /// Variables that a callback has of the function around it.
  private static let cellLimit: UInt64 = 16
  /// Event loops of one interpreter.
  private static let loopLimit = 1024

  // MARK: - The running task

  /// The task that the thread runs; before 3.14 those of all threads of its interpreter.
  mutating func running(_ context: Context) -> [RemoteAddress] {
    switch context.places.layout.origin {
    case .lists(let lists):
      let place = context.thread.state + lists.threadRunning
      let task = wants.pointer(place, in: context.copies) ?? .null
      return task.isNull ? [] : [task]
    case .sets:
      return context.places.current[context.thread.interpreter].map {
        values(ofDictionary: $0, context)
      } ?? []
    }
  }

  /// The values of a dictionary that shares no keys, and whose keys are no strings (3.12 and 3.13).
  private mutating func values(
    ofDictionary address: RemoteAddress, _ context: Context
  ) -> [RemoteAddress] {
    let (copies, shape) = (context.copies, context.shape.keys)
    guard let field = context.runtime.layout[.dictKeys],
      let keys = wants.pointer(address + field, in: copies),
      wants.has(keys, count: shape.headSize, room: 224, in: copies),
      let head = copies.word(at: keys + shape.slots),
      let count = copies.word(at: keys + shape.count),
      let entries = shape.entries(head: head, count: count, limit: Self.loopLimit),
      entries.count > 0, entries.size == PythonKeysShape.entrySize,
      case let start = keys + entries.start,
      wants.has(start, count: entries.count * entries.size, in: copies)
    else { return [] }
    return (0..<entries.count).compactMap { index in
      let place = start + index * entries.size + entries.key + PythonObjectShape.wordSize
      return copies.pointer(at: place).flatMap { $0.isNull ? nil : $0 }
    }
  }

  // MARK: - Who waits

  /// The tasks that wait for a task, the one to go on with first.
  mutating func awaiters(of task: RemoteAddress, _ context: Context) -> [Awaiter] {
    switch context.places.layout.origin {
    case .lists(let lists):
      let copies = context.copies
      guard let other = copies.pointer(at: task + lists.awaitedBy), !other.isNull,
        let isSet = copies.value(at: task + lists.awaitedByIsSet, as: UInt8.self)
      else { return [] }
      guard isSet != 0 else { return [Awaiter(task: other)] }
      return elements(ofSet: other, context).sorted().map { Awaiter(task: $0) }
    case .sets(let members):
      var found: [Awaiter] = []
      for callback in callbacks(of: task, members, context) {
        for awaiter in awaiters(by: callback, of: task, members, context)
        where !found.contains(where: { $0.task == awaiter.task }) { found.append(awaiter) }
      }
      return found
    }
  }

  private mutating func elements(
    ofSet address: RemoteAddress, _ context: Context
  ) -> [RemoteAddress] {
    let (copies, shape) = (context.copies, context.shape)
    // A small table is behind the head.
    guard wants.has(address, count: shape.setHeadSize, room: 128, in: copies),
      copies.pointer(at: address + shape.type) == context.places.types.set,
      let table = PythonSetTable(ofSet: address, shape, below: Self.setLimit, in: copies),
      wants.has(table.range.start, count: table.range.count, in: copies)
    else { return [] }
    return table.elements(in: copies)
  }

  // MARK: - 3.12 and 3.13

  /// What a future calls when it is done.
  private mutating func callbacks(
    of future: RemoteAddress, _ members: PythonTaskLayout.Members, _ context: Context
  ) -> [RemoteAddress] {
    let (copies, shape) = (context.copies, context.shape)
    guard wants.has(future, count: members.futureSize, in: copies),
      let first = copies.pointer(at: future + members.callback), !first.isNull
    else { return [] }
    let listSize = shape.listItems + PythonObjectShape.wordSize
    guard let list = copies.pointer(at: future + members.callbacks), !list.isNull,
      wants.has(list, count: listSize, in: copies),
      let count = copies.word(at: list + shape.count), count > 0, count <= Self.callbackLimit,
      let items = copies.pointer(at: list + shape.listItems),
      wants.has(items, count: Int(count) * PythonObjectShape.wordSize, in: copies)
    else { return [first] }
    // Each item is a tuple of the callback and its context.
    var others: [RemoteAddress] = []
    for index in 0..<Int(count) {
      if let tuple = copies.pointer(at: items + index * PythonObjectShape.wordSize),
        let callback = wants.pointer(tuple + shape.tupleItems, in: copies), !callback.isNull
      {
        others.append(callback)
      }
    }
    return [first] + others
  }

  /// The tasks that a callback of `future` wakes at its end.
  private mutating func awaiters(
    by callback: RemoteAddress, of future: RemoteAddress, _ members: PythonTaskLayout.Members,
    _ context: Context
  ) -> [Awaiter] {
    guard wants.has(callback, count: Self.callbackSize, room: 48, in: context.copies),
      let type = context.copies.pointer(at: callback + context.shape.type)
    else { return [] }
    let types = context.places.types
    switch type {
    case types.builtin:
      return wokenTask(by: callback, of: future, members, context).map { [Awaiter(task: $0)] } ?? []
    case types.method:
      return parent(ofGroupBy: callback, context).map { [Awaiter(task: $0)] } ?? []
    case types.function: return awaiters(byClosure: callback, of: future, members, context)
    default: return []
    }
  }

  /// What is read of a callback, whatever it is.
  private static let callbackSize = 32

  /// The task whose `__wakeup` a built-in method is, if it does wait for `future`.
  private mutating func wokenTask(
    by callback: RemoteAddress, of future: RemoteAddress, _ members: PythonTaskLayout.Members,
    _ context: Context
  ) -> RemoteAddress? {
    guard let task = context.copies.pointer(at: callback + context.shape.builtinReceiver),
      isTask(task, context), wants.pointer(task + members.waiter, in: context.copies) == future
    else { return nil }
    return task
  }

  /// The task of the `TaskGroup` whose bound method a callback is.
  private mutating func parent(
    ofGroupBy callback: RemoteAddress, _ context: Context
  ) -> RemoteAddress? {
    let (copies, shape) = (context.copies, context.shape)
    guard let function = copies.pointer(at: callback + shape.methodFunction),
      let object = copies.pointer(at: callback + shape.methodReceiver),
      let type = wants.pointer(object + shape.type, in: copies),
      let group = context.places.groups[type], group.whenDone == function
    else { return nil }
    let index = group.parent * PythonObjectShape.wordSize
    switch shape.instances.values {
    case .inline:
      guard let size = group.values else { return nil }
      // A head whose fourth byte says whether the values are in use.
      let head = wants.word(object + size, in: copies) ?? 0
      guard head >> 24 & 0xff != 0 else { return nil }
      return wants.pointer(object + size + shape.instances.items + index, in: copies)
    case .taggedPointer(let before):
      guard let values = wants.pointer(object - before, in: copies), values.rawValue & 1 == 1
      else { return nil }
      return wants.pointer(values + 1 + index, in: copies)
    case .none, .pointer: return nil
    }
  }

  /// The tasks that wait for a future which a callback knows that is a function of asyncio: those of
  /// `gather`, `wait` and `shield` have one in a variable of the function around them.
  private mutating func awaiters(
    byClosure callback: RemoteAddress, of future: RemoteAddress,
    _ members: PythonTaskLayout.Members, _ context: Context
  ) -> [Awaiter] {
    let (copies, shape) = (context.copies, context.shape)
    guard let codeField = context.runtime.layout[.functionCode],
      let closureField = context.runtime.layout[.functionClosure],
      let code = wants.pointer(callback + codeField, in: copies),
      let closure = wants.pointer(callback + closureField, in: copies), !closure.isNull,
      wants.has(closure, count: shape.count + PythonObjectShape.wordSize, room: 128, in: copies),
      let count = copies.word(at: closure + shape.count), count > 0, count <= Self.cellLimit,
      case let items = closure + shape.tupleItems,
      wants.has(items, count: Int(count) * PythonObjectShape.wordSize, in: copies)
    else { return [] }
    var awaiters: [Awaiter] = []
    for index in 0..<Int(count) {
      guard let cell = copies.pointer(at: items + index * PythonObjectShape.wordSize),
        let object = wants.pointer(cell + shape.cellContent, in: copies), !object.isNull,
        isOne(object, of: context.places.futureTypes, size: members.futureSize, context)
      else { continue }
      awaiters += self.awaiters(ofInner: object, code: code, members, context)
    }
    return awaiters
  }

  private mutating func awaiters(
    ofInner object: RemoteAddress, code: RemoteAddress, _ members: PythonTaskLayout.Members,
    _ context: Context
  ) -> [Awaiter] {
    var awaiters: [Awaiter] = []
    for callback in callbacks(of: object, members, context) {
      guard wants.has(callback, count: Self.callbackSize, in: context.copies),
        context.copies.pointer(at: callback + context.shape.type) == context.places.types.builtin,
        let task = wokenTask(by: callback, of: object, members, context)
      else { continue }
      awaiters.append(Awaiter(task: task, via: code))
    }
    return awaiters
  }
}
