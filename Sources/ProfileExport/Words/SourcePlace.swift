internal import ProfileModel

/// Where code is: a file of the source, perhaps with a line, or the module where that is not known.
struct SourcePlace {
  let text: String
  private let isModule: Bool

  /// For what is not in the source at all.
  static let none = SourcePlace(text: "", isModule: false)

  private init(text: String, isModule: Bool) {
    self.text = text
    self.isModule = isModule
  }

  /// `file:line`, without a line for 0.
  init(file: String, line: Int) {
    self.init(text: PlainText.printable(line > 0 ? "\(file):\(line)" : file), isModule: false)
  }

  /// The module in parentheses.
  init(module: String) { self.init(text: "(" + module + ")", isModule: true) }

  /// The text in at most `width` columns.
  func shortened(to width: Int) -> String {
    isModule
      ? PlainText.shortenedInMiddle(text, to: width) : PlainText.shortenedAtLeft(text, to: width)
  }

  /// A name and the place of it, as they fit side by side into `room` columns, two of them between both.
  ///
  /// The place gives way to what is needed to recognise the name.
  func beside(_ name: String, room: Int) -> (name: String, place: String) {
    let wanted = max(leastColumns, room - 2 - PlainText.columns(name))
    let left = room - 2 - PlainText.leastColumns(ofName: name)
    // Of less nothing can be recognised.
    let place = left < min(4, PlainText.columns(text)) ? "" : shortened(to: min(wanted, left))
    let nameRoom = room - (place.isEmpty ? 0 : 2 + PlainText.columns(place))
    return (PlainText.shortenedInMiddle(name, to: nameRoom), place)
  }

  /// The columns that it should have, whatever else needs room: those of the file's own name, up to a
  /// limit.
  var leastColumns: Int {
    min(PlainText.columns(text), PlainText.columns(text.lastPathPart) + 2, 28)
  }
}
