/// How much of each part a brief report writes; less where the whole would be too long.
struct BriefRoom {
  let threads: Int
  let frames: Int
  /// Lines of the chain.
  let chain: Int
  /// Characters of a sentence, and of a name.
  let sentence: Int
  let name: Int

  private init(_ threads: Int, frames: Int, chain: Int, sentence: Int, name: Int) {
    self.threads = threads
    self.frames = frames
    self.chain = chain
    self.sentence = sentence
    self.name = name
  }

  /// Of threads that wait behind each other the first and the last say the most, with their frames.
  static let forChain = [
    BriefRoom(6, frames: 5, chain: 8, sentence: 600, name: 100),
    BriefRoom(4, frames: 5, chain: 6, sentence: 400, name: 60),
    BriefRoom(3, frames: 4, chain: 4, sentence: 300, name: 50),
    BriefRoom(2, frames: 4, chain: 3, sentence: 240, name: 44),
    BriefRoom(2, frames: 3, chain: 2, sentence: 200, name: 36),
    BriefRoom(1, frames: 2, chain: 1, sentence: 200, name: 24),
    BriefRoom(1, frames: 1, chain: 1, sentence: 120, name: 16),
  ]

  /// Of those that wait for each other each one has its part: frames go before threads.
  static let forCycle = [
    BriefRoom(8, frames: 5, chain: 8, sentence: 600, name: 100),
    BriefRoom(8, frames: 4, chain: 8, sentence: 400, name: 60),
    BriefRoom(8, frames: 3, chain: 8, sentence: 240, name: 44),
    BriefRoom(8, frames: 2, chain: 8, sentence: 160, name: 32),
    BriefRoom(8, frames: 1, chain: 8, sentence: 130, name: 24),
    BriefRoom(8, frames: 1, chain: 3, sentence: 110, name: 20),
    BriefRoom(6, frames: 1, chain: 3, sentence: 100, name: 20),
    BriefRoom(4, frames: 1, chain: 3, sentence: 100, name: 20),
    BriefRoom(3, frames: 1, chain: 2, sentence: 100, name: 20),
    BriefRoom(2, frames: 1, chain: 1, sentence: 100, name: 16),
    BriefRoom(1, frames: 1, chain: 1, sentence: 100, name: 16),
  ]

  func sentence(_ text: String) -> String { Self.cut(text, sentence) }
  func name(_ text: String) -> String { Self.cut(text, name) }

  /// The first and the last of the threads: in the order of a chain the last one holds up all others.
  func threads<Thread>(of all: [Thread]) -> [Thread] {
    guard all.count > threads, threads > 1 else { return Array(all.prefix(threads)) }
    return all.prefix(threads - 1) + all.suffix(1)
  }

  private static func cut(_ text: String, _ length: Int) -> String {
    PlainText.shortenedInMiddle(PlainText.printable(text), to: length)
  }
}
