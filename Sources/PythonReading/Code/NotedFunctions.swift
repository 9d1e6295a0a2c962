internal import ProfileModel
internal import RuntimeReading

/// The functions of the code objects that one sample of a thread knows, nil for what is none.
///
/// Those of the samples before stay in their places, since to take a function out and to put it in
/// again are not free: each counts at the function itself, which is in no cache between two ticks.
final class NotedFunctions {
  /// The place of each code object that was noted, in this sample or before.
  private var places = WordTable()
  private var functions: [RuntimeFunction?] = []
  /// The numbers of the functions, 0 for none: they show whether one is to be put in place of another.
  private var numbers: [UInt32] = []
  private var areCleanups: [Bool] = []
  /// Where each was last, and the line there: callers stay where they are.
  private var positions: [(position: Int32, line: Int32?)] = []
  private static let nowhere: (position: Int32, line: Int32?) = (.min, nil)
  /// The sample that each was last noted in.
  private var samples: [UInt32] = []
  private var sample: UInt32 = 1
  /// Of deep stacks that change all the time not all that was ever there is kept.
  private static let limit = 4096
  /// What the functions that were noted take of our memory, and how much they may.
  private var byteCount = 0
  private static let byteLimit = 4 << 20

  /// Begins a sample, which knows nothing yet.
  func begin() {
    sample &+= 1
    let isFull = functions.count > Self.limit || byteCount > Self.byteLimit
    guard isFull || sample == 0 else { return }
    byteCount = 0
    places.removeAll()
    functions.removeAll()
    numbers.removeAll()
    areCleanups.removeAll()
    positions.removeAll()
    samples.removeAll()
    sample = 1
  }

  /// Where a code object's function is, if the sample knows the code object.
  func place(of code: RemoteAddress) -> UInt32? {
    guard let place = places.number(of: code.rawValue), samples[Int(place)] == sample else {
      return nil
    }
    return place
  }

  /// Whether there is a function at a place.
  func hasFunction(at place: UInt32) -> Bool { numbers[Int(place)] != 0 }

  /// Whether the function at a place is a cleanup.
  func isCleanup(at place: UInt32) -> Bool { areCleanups[Int(place)] }

  /// The line that the function at a place has at a position (`RuntimeFunction.line`).
  func line(at place: UInt32, position: Int32) -> Int32? {
    let last = positions[Int(place)]
    if last.position == position { return last.line }
    let line = functions[Int(place)]?.line(at: position)
    positions[Int(place)] = (position, line)
    return line
  }

  /// The function at a place that the sample knows.
  subscript(place: UInt32) -> RuntimeFunction? { functions[Int(place)] }

  /// Notes that a code object has the function with a number, which `function` gives where the samples
  /// before did not have it.
  func note(
    number: UInt32, for code: RemoteAddress, _ function: @autoclosure () -> RuntimeFunction?
  ) {
    guard let place = places.number(of: code.rawValue), numbers[Int(place)] == number else {
      note(function(), for: code)
      return
    }
    samples[Int(place)] = sample
  }

  /// Notes the function of a code object, or that it is none; returns the place.
  @discardableResult
  func note(_ function: RuntimeFunction?, for code: RemoteAddress) -> UInt32 {
    let number = function?.number ?? 0
    byteCount += function?.byteCount ?? 0
    guard let place = places.number(of: code.rawValue) else {
      let place = UInt32(functions.count)
      places.set(place, for: code.rawValue)
      functions.append(function)
      numbers.append(number)
      areCleanups.append(function?.isCleanup == true)
      positions.append(Self.nowhere)
      samples.append(sample)
      return place
    }
    functions[Int(place)] = function
    numbers[Int(place)] = number
    areCleanups[Int(place)] = function?.isCleanup == true
    positions[Int(place)] = Self.nowhere
    samples[Int(place)] = sample
    return place
  }
}

extension RuntimeFunction {
  /// Whether its frames are those that 3.13 and later push below `__init__`, to throw away what it
  /// returns: no code of the program.
  fileprivate var isCleanup: Bool { name == "__init__" && file == "__init__" }
}
