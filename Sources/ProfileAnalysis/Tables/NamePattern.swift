package import ProfileModel

extension ThreadInfo {
  /// The name with each number in it as a `*`: `worker-12` is `worker-*`.
  package var namePattern: String { name.numbersAsStars }
}

extension String {
  /// The text with each number in it as a `*`.
  package var numbersAsStars: String {
    var pattern = ""
    var inNumber = false
    for scalar in unicodeScalars {
      let isDigit = ("0"..."9").contains(scalar)
      if !isDigit { pattern.unicodeScalars.append(scalar) }
      if isDigit && !inNumber { pattern.append("*") }
      inNumber = isDigit
    }
    return pattern
  }
}
