internal import ProfileModel
internal import TestSupport
internal import Testing

@testable internal import ProfileAnalysis
@testable internal import ProfileExport

@Suite struct `Short names` {
  @Test(arguments: [
    ("void std::sort<int*>(int*, int*)", "std::sort<int*>"),
    ("SearchIndex::lookup(std::string const&) const", "SearchIndex::lookup"),
    (
      "std::vector<std::string, std::allocator<std::string> >::push_back(std::string&&)",
      "std::vector<std::string, …>::push_back"
    ),
    ("(anonymous namespace)::run(int)", "(anonymous namespace)::run"),
    ("std::ostream& operator<< <char>(std::ostream&, char)", "operator<< <char>"),
    ("Matcher::operator()(int) const", "Matcher::operator()"),
    ("Value::operator bool() const", "Value::operator bool"),
    ("main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"),
    (
      "auto main::{lambda()#1}::operator()() const::{lambda(int)#2}::operator()(int) const",
      "main::{lambda()#1}::operator()() const::{lambda(int)#2}::operator()"
    ),
    (
      "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >::append(char const*)",
      "std::string::append"
    ),
    ("parse(int) [clone .isra.0]", "parse"),
    ("cache[abi:cxx11].m", "cache.m"), ("Log::text[abi:cxx11](int) const", "Log::text"),
    ("f[abi:v1][abi:v2]()", "f"), ("f[abi:", "f[abi:"),
    ("non-virtual thunk to Window::draw(int)", "non-virtual thunk to Window::draw"),
    (
      "bool (anonymous namespace)::less<Row>(Row const&, Row const&)",
      "(anonymous namespace)::less<Row>"
    ),
    ("main", "main"), ("__libc_start_main@@GLIBC_2.34", "__libc_start_main@@GLIBC_2.34"),
    ("0x55ab12", "0x55ab12"), ("<module>", "<module>"),
    ("f.<locals>.<lambda>", "f.<locals>.<lambda>"),
    (
      "core::ptr::drop_in_place<alloc::vec::Vec<alloc::string::String>>",
      "core::ptr::drop_in_place<…>"
    ),
    (
      "<core::iter::Map<I,F> as core::iter::Iterator>::next",
      "<core::iter::Map<I,F> as core::iter::Iterator>::next"
    ),
    (
      "closure #1 (Swift.Int) -> Swift.Bool in App.main() -> ()",
      "closure #1 (Swift.Int) -> Swift.Bool in App.main() -> ()"
    ),
    ("", ""), ("(", "("), (")", ")"), ("operator", "operator"), ("a<<<(", "a<<<("),
    ("f)(>", "f)(>"),
  ])
  func `leave out what tells no function from others`(name: String, short: String) {
    #expect(ShortName.bare(name) == short)
  }

  @Test func `keep parameters where functions differ by them alone`() {
    var maker = ProfileMaker()
    let module = maker.module("/opt/app")
    for name in ["void put(int)", "void put(char const*)", "take(int)"] {
      let frame = maker.frame(SourceLine(function: name), in: module)
      if maker.profile.threads.isEmpty { _ = maker.thread(1, "main", isMain: true) }
      maker.run(0, maker.stack(outermostFirst: [frame]), .running, ticks: 1)
    }
    let names = maker.profile.withShortNames().symbols.flatMap { $0.lines.map(\.function) }
    #expect(Set(["put(int)", "put(char const*)", "take"]).isSubset(of: Set(names)), "\(names)")
  }

  @Test func `are those of the verdict in every report`() {
    let type = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"
    let function = "std::vector<\(type)> Cache<\(type), int>::get<\(type)>(\(type), int)"
    var maker = WaitMaker()
    maker.thread(4242, "", "", .running)
    maker.maker.profile.runs = []
    let module = maker.maker.module("/opt/app/bin/cache")
    let frame = maker.maker.frame(
      SourceLine(function: function, file: "c.cpp", line: 3), in: module)
    let stack = maker.maker.stack(outermostFirst: [frame])
    maker.maker.run(0, stack, .running, ticks: 1000, cpu: 10_000_000_000)
    let diagnosis = maker.diagnosis
    #expect(VerdictWords(diagnosis).sentence.contains("Cache<…>::get<…>"))
    var json = ""
    JSONReport(maker.profile).write(to: &json)
    #expect(json.contains("Cache<…>::get<…> (c.cpp:3)"))
  }
}
