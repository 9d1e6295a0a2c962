internal import ProfileModel
internal import Testing

@Suite struct `What kind of lock` {
  @Test func `has the same traits again by its name`() {
    let flavor = LockFlavor([.recursive, .robust, .priorityInheriting])
    #expect(flavor?.rawName == "robust, priority-inheriting, recursive")
    #expect(flavor.map { LockFlavor(rawName: $0.rawName) } == flavor)
    #expect(LockFlavor([]) == nil)
  }

  @Test func `keeps a name of another version`() {
    let flavor = LockFlavor(rawName: "robust, fair")
    #expect(flavor.rawName == "robust, fair")
    #expect(flavor.has(.robust) && !flavor.has(.recursive))
  }

  @Test func `is robust among other traits`() {
    let object = WaitObject(
      address: RemoteAddress(1), flavor: LockFlavor(rawName: "robust, adaptive"))
    #expect(object.isRobust)
    #expect(!WaitObject(address: RemoteAddress(1)).isRobust)
  }
}
