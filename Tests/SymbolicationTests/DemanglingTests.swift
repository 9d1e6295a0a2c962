import Symbolication
import Testing

@Suite struct `A demangled name` {
  @Test(arguments: [
    (
      "_ZNSt6vectorIiSaIiEE9push_backERKi",
      "std::vector<int, std::allocator<int> >::push_back(int const&)"
    ),
    ("_Z3fooi.cold", "foo(int)"),
    ("_Z3fooi.isra.0", "foo(int)"),
    ("_ZN12_GLOBAL__N_17counterEv", "(anonymous namespace)::counter()"),
    ("_ZN1r3fib17h0123456789abcdefE", "r::fib"),
    ("_ZN1r3fib17h0123456789abcdefE.llvm.123", "r::fib"),
    (
      "_ZN64_$LT$hashbrown..raw..RawTable$LT$T$GT$$u20$as$u20$core..Drop$GT$4drop17h0123456789abcdefE",
      "<hashbrown::raw::RawTable<T> as core::Drop>::drop"
    ),
    ("_ZN1r4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "r::main::{{closure}}"),
    (
      "_ZN4core3ptr37drop_in_place$LT$$RF$$u5b$u8$u5d$$GT$17h0123456789abcdefE",
      "core::ptr::drop_in_place<&[u8]>"
    ),
    ("$s4main5WheelV4spinSiyF", "main.Wheel.spin() -> Swift.Int"),
  ])
  func `says a name in its language`(mangled: String, plain: String) {
    #expect(demangle(mangled) == plain)
  }

  @Test(arguments: [
    "", "main", "i", "_", "_Z", "_Zfoo", "$s", "$", "main.(*T).Spin", "_ZN1r3fib17h",
    "_Z9999999999a",
    "_ZN" + String(repeating: "1a", count: 5000) + "E",
  ])
  func `leaves alone what is not mangled, or badly`(name: String) {
    #expect(demangle(name) == nil)
  }

  @Test func `ends for names that nest deeply`() {
    #expect(demangle("_Z1f" + String(repeating: "P", count: 8000) + "i") == nil)
    #expect(demangle(String(repeating: "$s", count: 5000)) == nil)
    _ = demangle(String(repeating: "$s", count: 4000))
    _ = demangle("$s4main" + String(repeating: "ySi", count: 2000) + "F")
  }
}
