/// Distinct values by number, in the order of their first use.
struct Numbering<Element: Hashable> {
  private(set) var elements: [Element] = []
  private var numbers: [Element: Int] = [:]
  private let compared: Int

  /// - Parameter compared: how many of the first values are found by comparison, which is faster than
  ///   hashing where nearly all are among them.
  init(comparingFirst compared: Int = 0) { self.compared = compared }

  /// The number of a value, which is added when it is new.
  mutating func number(of element: Element) -> Int {
    for number in 0..<min(elements.count, compared) where elements[number] == element {
      return number
    }
    if let known = numbers[element] { return known }
    let number = elements.count
    elements.append(element)
    numbers[element] = number
    return number
  }
}

extension Numbering: Sendable where Element: Sendable {}
