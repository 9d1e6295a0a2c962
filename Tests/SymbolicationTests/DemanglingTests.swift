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
    ("_RNvMs9_NtCsgEmfK2I1SDS_4core3numj11checked_mul", "<usize>::checked_mul"),
    ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
    ("_RNCNvCs1234_7mycrate3foos_0.llvm.99", "mycrate::foo::{closure#1}"),
    (
      "_RNvXs_NtCslNYArtu3iFV_5alloc5allocNtB4_6GlobalNtNtCsgEmfK2I1SDS_4core5alloc9Allocator10deallocate",
      "<alloc::alloc::Global as core::alloc::Allocator>::deallocate"
    ),
    ("_RINvC1a1fRShQNtB2_1TKj3_E", "a::f::<&[u8], &mut a::T, 3>"),
    (
      "_RINvC1a1fAhj10_TlbEFKCPcOuEzE",
      "a::f::<[u8; 16], (i32, bool), extern \"C\" fn(*const char, *mut ()) -> !>"
    ),
    (
      "_RINvC1a1fFG_RL0_eEuDNtB2_1TNtB2_1Up1XhEL_E",
      "a::f::<for<'a> fn(&'a str), dyn a::T + a::U<X = u8>>"
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

  @Test func `ends for names that refer back to themselves`() {
    // Each tuple is the one before it twice. Positions count from behind "_R"; no digit at all is 0.
    var name = "IC1aTC1bC1bE"
    var last = 4
    for _ in 0..<20 {
      let reference = "B" + String(last - 1, radix: 36) + "_"
      last = name.utf8.count
      guard last <= 36 else { break }
      name += "T" + reference + reference + "E"
    }
    #expect(demangle("_R" + name + "E")?.contains("((((b, b), (b, b)), ((b, b), (b, b)))") == true)
    // The next position is 44, which is "H" plus one: a tuple of itself.
    #expect(name.utf8.count == 44)
    name += "TBH_BH_E"
    #expect(demangle("_R" + name + "E") == nil)
    #expect(demangle("_RB_") == nil)
    #expect(demangle("_RNvB_1a") == nil)
    #expect(demangle("_R" + String(repeating: "Nv", count: 4000)) == nil)
  }

  @Test func `ends for every beginning of a name`() {
    let name = Array("_RINvXs_NtCslN_5alloc5allocFG_RL0_eEuDNtB2_1TINtB2_1Up1XhEL_KanZf_E".utf8)
    for end in name.indices {
      _ = demangle(String(decoding: name[..<end], as: UTF8.self))
      for byte: UInt8 in [0x30, 0x42, 0x45, 0x49, 0x5f, 0xff] {
        _ = demangle(String(decoding: name[..<end] + [byte] + name[(end + 1)...], as: UTF8.self))
      }
    }
  }

  @Test func `ends for names that nest deeply`() {
    #expect(demangle("_Z1f" + String(repeating: "P", count: 8000) + "i") == nil)
    #expect(demangle(String(repeating: "$s", count: 5000)) == nil)
    _ = demangle(String(repeating: "$s", count: 4000))
    _ = demangle("$s4main" + String(repeating: "ySi", count: 2000) + "F")
  }
}
