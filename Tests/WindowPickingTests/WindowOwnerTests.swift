import Testing

@testable import WindowPicking

@Suite struct `The owner of a window` {
  /// Processes by their numbers here, each with those in its PID namespaces.
  private static let processes: [Int32: [Int32]] = [
    100: [100], 200: [200], 300: [300, 2],
  ]

  private func owner(
    stated: Int32? = nil, host: String? = nil, client: Int32? = nil
  ) throws(WindowProblem) -> PickedWindow {
    try WindowOwner(title: "Mail", statedPID: stated, host: host, clientPID: client)
      .process(thisHost: "desk") { Self.processes[$0] }
  }

  @Test func `is the client that the server knows, whatever the window says`() throws {
    #expect(try owner(client: 100).pid == 100)
    #expect(try owner(stated: 100, host: "desk", client: 100).pid == 100)
    #expect(try owner(stated: 200, host: "desk", client: 100).pid == 100)
    #expect(try owner(client: 100).innerPID == nil)
  }

  @Test func `has not moved when only the name of this host has changed`() throws {
    #expect(try owner(stated: 100, host: "desk-before-dhcp", client: 100).pid == 100)
  }

  @Test func `is on another host when the client only hands its windows on`() {
    let other = WindowProblem.isOfOtherHost(window: "Mail", host: "server")
    #expect(throws: other) { try owner(stated: 4_242, host: "server", client: 100) }
    #expect(throws: other) { try owner(host: "server", client: 100) }
    #expect(throws: other) { try owner(stated: 200, host: "server") }
  }

  @Test func `is told by its number in a container, too`() throws {
    let picked = PickedWindow(title: "Mail", pid: 300, innerPID: 2)
    #expect(try owner(stated: 2, host: "5d41402abc4b", client: 300) == picked)
    #expect(try owner(stated: 2, host: "desk", client: 300) == picked)
  }

  @Test(arguments: ["desk", "DESK", "desk.example.org"])
  func `is what the window says where the server does not know`(host: String) throws {
    #expect(try owner(stated: 200, host: host).pid == 200)
    // The client of a program that has forked since is gone.
    #expect(try owner(stated: 200, host: host, client: 999).pid == 200)
  }

  @Test func `is unknown when the window does not say enough`() {
    #expect(throws: WindowProblem.isSilent(window: "Mail")) { try owner() }
    #expect(throws: WindowProblem.isSilent(window: "Mail")) { try owner(host: "desk") }
    #expect(throws: WindowProblem.hasNoHost(window: "Mail", pid: 200)) { try owner(stated: 200) }
    #expect(throws: WindowProblem.hasEnded(window: "Mail", pid: 999)) {
      try owner(host: "desk", client: 999)
    }
    #expect(throws: WindowProblem.isOfOtherHost(window: "Mail", host: "desktop")) {
      try owner(stated: 200, host: "desktop")
    }
  }

  @Test func `is of another PID namespace when nobody here has its number`() {
    #expect(throws: WindowProblem.isOfOtherNamespace(window: "Mail", pid: 7)) {
      try owner(stated: 7, host: "desk")
    }
  }
}

@Suite struct `The bytes of the X protocol` {
  @Test func `of a request are padded to four`() {
    let request = XRequest.internAtom("WM_STATE!")
    #expect(
      request.padded == [16, 1, 0, 0, 9, 0, 0, 0] + Array("WM_STATE!".utf8) + [0, 0, 0])
    #expect(XRequest.grabKey(9, modifiers: 2, 0x0102_0304).padded.count == 16)
    #expect(XRequest.createGlyphCursor(1, font: 2, glyph: 34).padded.count == 32)
    #expect(XRequest.grabPointer(1, cursor: 2).padded.count == 24)
  }

  /// The answer to a connection: one format, and two screens of one depth with one visual each.
  private static let setup: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 40)
    bytes[14] = 0x20
    (bytes[24], bytes[28], bytes[29], bytes[34], bytes[35]) = (5, 2, 1, 8, 255)
    bytes += Array("Maker".utf8) + [0, 0, 0] + [UInt8](repeating: 0, count: 8)
    for root in [UInt8(11), 22] {
      var screen = [UInt8](repeating: 0, count: 40)
      (screen[0], screen[39]) = (root, 1)
      var depth = [UInt8](repeating: 0, count: 32)
      depth[2] = 1
      bytes += screen + depth
    }
    return bytes
  }()

  @Test func `tell the root window of each screen`() throws {
    #expect(try #require(XSetup(Self.setup, screen: 0)).root == 11)
    let second = try #require(XSetup(Self.setup, screen: 1))
    #expect(second.root == 22)
    #expect(second.keyCodes == 8...255)
    #expect(second.ownResource == 0x20_0000)
    #expect(XSetup(Self.setup, screen: 7)?.root == 22)
  }

  @Test func `may be cut off anywhere, or say anything`() {
    for count in 0..<Self.setup.count { _ = XSetup(Array(Self.setup.prefix(count)), screen: 1) }
    for place in Self.setup.indices {
      var torn = Self.setup
      torn[place] = 255
      _ = XSetup(torn, screen: 1)
    }
    #expect(XSetup([], screen: 0) == nil)
  }
}
