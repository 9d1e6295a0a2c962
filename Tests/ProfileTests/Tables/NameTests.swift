internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `Names in tables` {
  @Test func `are shortened in the middle, and addresses so that they differ`() {
    #expect(PlainText.shortenedInMiddle("handle_request", to: 9) == "hand…uest")
    #expect(PlainText.shortenedInMiddle("0x7f12ab45", to: 10) == "0x7f12ab45")
    #expect(PlainText.shortenedInMiddle("0x7f12ab45", to: 6) == "…2ab45")
    // No address, in spite of its beginning.
    #expect(PlainText.shortenedInMiddle("0xdeadbeefs", to: 9) == "0xde…eefs")
  }

  @Test(arguments: [0, 1, 5, 12, 20, 30, 40, 60])
  func `have room before their places, and never more than there is`(room: Int) {
    let place = SourcePlace(module: "libpricing_without_debug_data.so.2.11.0")
    for name in ["0x7f12ab45cd01", "handle_request", "f"] {
      let shown = place.beside(name, room: room)
      let gap = shown.place.isEmpty ? 0 : 2
      let columns = PlainText.columns(shown.name) + gap + PlainText.columns(shown.place)
      #expect(columns <= room, "\(shown)")
      if name.hasPrefix("0x"), room >= 14 { #expect(shown.name == name) }
    }
    if room >= 60 { #expect(place.beside("f", room: room).place == place.text) }
  }
}
