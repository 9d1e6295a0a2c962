internal import ELFReading
internal import ProfileModel

/// Where an image has code.
///
/// Debug data of code that the linker dropped is for other addresses, mostly 0.
struct CodeRanges {
  private let ranges: [Range<FileAddress>]

  init(_ elf: ELFFile) {
    var merged: [Range<FileAddress>] = []
    let sections = elf.sections.filter { $0.flags & 4 != 0 && $0.size > 0 }
    for section in sections.sorted(by: { $0.address < $1.address }) {
      let (end, overflow) = section.address.rawValue.addingReportingOverflow(section.size)
      let range = section.address..<FileAddress(overflow ? .max : end)
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    ranges = merged
  }

  func contains(_ address: FileAddress) -> Bool {
    let end = ranges.partitioningIndex { $0.lowerBound > address }
    return end > 0 && address < ranges[end - 1].upperBound
  }
}
