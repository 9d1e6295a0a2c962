internal import LinuxProcess
internal import ProfileModel

// Who waits for a task. From 3.14 on each task knows; before, its callbacks lead there.
extension PythonTaskChain {
  /// Places of the table of a set of tasks; larger ones end the chain.
  private static let setLimit: UInt64 = 4096
  /// Callbacks of one future that are looked at.
  private static let callbackLimit: UInt64 = 16
  /// Variables that a callback has of the function around it.
  private static let cellLimit: UInt64 = 16
  /// Event loops of one interpreter.
  private static let loopLimit: UInt64 = 1024

  // MARK: - The running task

  /// The task that the thread runs; before 3.14 those of all threads of its interpreter.
  mutating func running(_ context: Context) -> [UInt64] {
    switch context.places.layout.origin {
    case .lists(let lists):
      let place = context.thread.state.rawValue &+ lists.threadRunning
      let task = wants.word(place, in: context.copies) ?? 0
      return task == 0 ? [] : [task]
    case .sets:
      return context.places.current[context.thread.interpreter].map {
        values(ofDictionary: $0, context)
      } ?? []
    }
  }

  /// The values of a dictionary that shares no keys, and whose keys are no strings (3.12 and 3.13).
  private mutating func values(ofDictionary address: UInt64, _ context: Context) -> [UInt64] {
    let copies = context.copies
    guard let field = context.runtime.layout[.dictKeys],
      let keys = wants.word(address &+ UInt64(field), in: copies),
      wants.has(keys, count: 32, room: 224, in: copies),
      // PyDictKeysObject: sizes at 8, dk_nentries at 24; entries of hash, key, value.
      let sizes = copies.value(at: keys &+ 8, as: UInt64.self), sizes >> 8 & 0xff <= 16,
      sizes >> 16 & 0xff == 0, let count = copies.value(at: keys &+ 24, as: UInt64.self),
      count > 0, count <= Self.loopLimit
    else { return [] }
    let entries = keys &+ 32 &+ (1 << (sizes >> 8 & 0xff))
    guard wants.has(entries, count: Int(count) * 24, in: copies) else { return [] }
    return (0..<count).compactMap { index in
      copies.value(at: entries &+ index &* 24 &+ 16, as: UInt64.self).flatMap { $0 == 0 ? nil : $0 }
    }
  }

  // MARK: - Who waits

  /// The tasks that wait for a task, the one to go on with first.
  mutating func awaiters(of task: UInt64, _ context: Context) -> [Awaiter] {
    switch context.places.layout.origin {
    case .lists(let lists):
      let copies = context.copies
      guard let other = copies.value(at: task &+ lists.awaitedBy, as: UInt64.self), other != 0,
        let isSet = copies.value(at: task &+ lists.awaitedByIsSet, as: UInt8.self)
      else { return [] }
      guard isSet != 0 else { return [Awaiter(task: other)] }
      return elements(ofSet: other, context).sorted().map { Awaiter(task: $0) }
    case .sets(let members):
      var found: [Awaiter] = []
      for callback in callbacks(of: task, context) {
        for awaiter in awaiters(by: callback, of: task, members, context)
        where !found.contains(where: { $0.task == awaiter.task }) { found.append(awaiter) }
      }
      return found
    }
  }

  private mutating func elements(ofSet address: UInt64, _ context: Context) -> [UInt64] {
    let copies = context.copies
    // A small table lies behind the head.
    guard wants.has(address, count: PythonSetTable.headSize, room: 128, in: copies),
      copies.value(at: address &+ 8, as: UInt64.self) == context.places.types.set,
      let table = PythonSetTable(ofSet: address, below: Self.setLimit, in: copies),
      wants.has(table.range.start.rawValue, count: table.range.count, in: copies)
    else { return [] }
    return table.elements(in: copies)
  }

  // MARK: - 3.12 and 3.13

  /// What a future calls when it is done: `fut_callback0`, then the list `fut_callbacks`.
  private mutating func callbacks(of future: UInt64, _ context: Context) -> [UInt64] {
    let copies = context.copies
    guard wants.has(future, count: 48, in: copies),
      let first = copies.value(at: future &+ 24, as: UInt64.self), first != 0
    else { return [] }
    guard let list = copies.value(at: future &+ 40, as: UInt64.self), list != 0,
      wants.has(list, count: 32, in: copies),
      let count = copies.value(at: list &+ 16, as: UInt64.self), count > 0,
      count <= Self.callbackLimit, let items = copies.value(at: list &+ 24, as: UInt64.self),
      wants.has(items, count: Int(count) * 8, in: copies)
    else { return [first] }
    // Each item is a tuple of the callback and its context.
    let tuples = (0..<count).compactMap { copies.value(at: items &+ $0 &* 8, as: UInt64.self) }
    let field = UInt64(context.runtime.layout[.tupleItems] ?? 24)
    var others: [UInt64] = []
    for tuple in tuples {
      if let callback = wants.word(tuple &+ field, in: copies), callback != 0 {
        others.append(callback)
      }
    }
    return [first] + others
  }

  /// The tasks that a callback of `future` tells of its end.
  private mutating func awaiters(
    by callback: UInt64, of future: UInt64, _ members: PythonTaskLayout.Members, _ context: Context
  ) -> [Awaiter] {
    let copies = context.copies
    guard wants.has(callback, count: 32, room: 48, in: copies),
      let type = copies.value(at: callback &+ 8, as: UInt64.self)
    else { return [] }
    let types = context.places.types
    switch type {
    case types.builtin:
      // PyCFunctionObject.m_self, a task whose `__wakeup` it is.
      guard let task = copies.value(at: callback &+ 24, as: UInt64.self), isTask(task, context),
        wants.word(task &+ members.waiter, in: copies) == future
      else { return [] }
      return [Awaiter(task: task)]
    case types.method:
      return parent(ofGroupBy: callback, context).map { [Awaiter(task: $0)] } ?? []
    case types.function: return awaiters(byClosure: callback, of: future, members, context)
    default: return []
    }
  }

  /// The task of the `TaskGroup` whose bound method a callback is.
  private mutating func parent(ofGroupBy callback: UInt64, _ context: Context) -> UInt64? {
    let copies = context.copies
    // PyMethodObject: im_func, im_self.
    guard let function = copies.value(at: callback &+ 16, as: UInt64.self),
      let object = copies.value(at: callback &+ 24, as: UInt64.self),
      let type = wants.word(object &+ 8, in: copies), let group = context.places.groups[type],
      group.whenDone == function
    else { return nil }
    let index = UInt64(group.parent) * 8
    if let size = group.values {
      // A head whose fourth byte says "valid", then the values.
      let head = wants.word(object &+ size, in: copies) ?? 0
      guard head >> 24 & 0xff != 0 else { return nil }
      let first = UInt64(context.runtime.layout[.valuesItems] ?? 8)
      return wants.word(object &+ size &+ first &+ index, in: copies)
    }
    // 3.12: before the object; the lower bit tells values from a dictionary.
    guard let values = wants.word(object &- 24, in: copies), values & 1 == 1 else { return nil }
    return wants.word(values &+ 1 &+ index, in: copies)
  }

  /// The tasks that wait for a future which a callback knows that is a function of asyncio: those of
  /// `gather`, `wait` and `shield` have one in a variable of the function around them.
  private mutating func awaiters(
    byClosure callback: UInt64, of future: UInt64, _ members: PythonTaskLayout.Members,
    _ context: Context
  ) -> [Awaiter] {
    let copies = context.copies
    // PyFunctionObject: func_code, func_closure.
    guard let code = wants.word(callback &+ 48, in: copies),
      let closure = wants.word(callback &+ 72, in: copies), closure != 0,
      wants.has(closure, count: 24, room: 128, in: copies),
      let count = copies.value(at: closure &+ 16, as: UInt64.self), count > 0,
      count <= Self.cellLimit,
      case let field = UInt64(context.runtime.layout[.tupleItems] ?? 24),
      wants.has(closure &+ field, count: Int(count) * 8, in: copies)
    else { return [] }
    var awaiters: [Awaiter] = []
    for index in 0..<count {
      // PyCellObject.ob_ref.
      guard let cell = copies.value(at: closure &+ field &+ index &* 8, as: UInt64.self),
        let object = wants.word(cell &+ 16, in: copies), object != 0,
        isOne(object, of: context.places.futureTypes, size: 48, context)
      else { continue }
      awaiters += self.awaiters(ofInner: object, code: code, members, context)
    }
    return awaiters
  }

  private mutating func awaiters(
    ofInner object: UInt64, code: UInt64, _ members: PythonTaskLayout.Members, _ context: Context
  ) -> [Awaiter] {
    let copies = context.copies
    var awaiters: [Awaiter] = []
    for callback in callbacks(of: object, context) {
      guard wants.has(callback, count: 32, in: copies),
        copies.value(at: callback &+ 8, as: UInt64.self) == context.places.types.builtin,
        let task = copies.value(at: callback &+ 24, as: UInt64.self), isTask(task, context),
        wants.word(task &+ members.waiter, in: copies) == object
      else { continue }
      awaiters.append(Awaiter(task: task, via: code))
    }
    return awaiters
  }
}

extension PythonTaskPlaces {
  /// How many bytes of a task are read.
  var recordSize: Int {
    let fields =
      switch layout.origin {
      case .lists(let lists): [lists.awaitedBy + 8, lists.awaitedByIsSet + 1]
      case .sets(let members): [members.size]
      }
    return Int(([layout.name + 8, layout.coroutine + 8] + fields).max() ?? 0)
  }
}
