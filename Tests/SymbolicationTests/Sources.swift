/// The programs that the tests build.
enum Source {
  static let c = """
    #include <stdlib.h>
    #include <stdio.h>
    static inline int square(int x) { return x * x + (x >> 3); }
    static inline int twice(int x) {
      int r = square(x);
      if (r & 1) r += square(x + 1);
      return r * 2;
    }
    static int __attribute__((noinline)) helper(int *a, int n) {
      int s = 0;
      for (int i = 0; i < n; i++) {
        s += twice(a[i]);
        if (s > 100000) s -= twice(i);
      }
      return s;
    }
    __attribute__((noinline)) int compare(const void *a, const void *b) {
      return *(const int *)a - *(const int *)b;
    }
    __attribute__((cold, noinline)) void fail(const char *why) {
      fprintf(stderr, "%s\\n", why);
      abort();
    }
    int main(int argc, char **argv) {
      int n = argc > 1 ? atoi(argv[1]) : 64;
      int *a = malloc(n * sizeof *a);
      if (!a) fail("memory");
      for (int i = 0; i < n; i++) a[i] = (i * 7919) % 101;
      qsort(a, n, sizeof *a, compare);
      printf("%d\\n", helper(a, n));
      free(a);
      return 0;
    }
    """

  /// Two units from one file.
  static let twoUnits = """
    #ifdef SECOND
    int second(int x) { return x * 3 + 1; }
    #else
    int second(int x);
    static inline int half(int x) { return x / 2 - 7; }
    int main(int argc, char **argv) { return second(half(argc) ^ argv[0][0]); }
    #endif
    """

  static let cxx = """
    #include <algorithm>
    #include <cstdio>
    #include <map>
    #include <string>
    #include <vector>
    namespace geo {
    struct Point {
      double x, y;
      double norm() const { return x * x + y * y; }
    };
    template <typename T> class Heap {
      std::vector<T> items;
      static bool less(const T& a, const T& b) { return a.norm() < b.norm(); }
     public:
      void push(const T& t) {
        items.push_back(t);
        std::push_heap(items.begin(), items.end(), [](const T& a, const T& b) { return less(a, b); });
      }
      T pop() {
        std::pop_heap(items.begin(), items.end(), less);
        T t = items.back();
        items.pop_back();
        return t;
      }
      bool empty() const { return items.empty(); }
    };
    }
    struct Base {
      virtual ~Base() {}
      virtual int run(int) = 0;
    };
    struct Derived : Base {
      std::map<std::string, int> m;
      int run(int k) override {
        struct Local { static int f(int q) { return q * 3 + 1; } };
        m[std::to_string(k)] += Local::f(k);
        return (int)m.size();
      }
    };
    static int __attribute__((noinline)) drive(Base& b) {
      int s = 0;
      for (int i = 0; i < 10; i++) s += b.run(i);
      return s;
    }
    int main(int argc, char** argv) {
      geo::Heap<geo::Point> h;
      for (int i = 0; i < 20; i++) h.push({i * 1.5, argc * 2.0});
      double t = 0;
      while (!h.empty()) t += h.pop().norm();
      Derived d;
      try {
        t += drive(d);
        if (t < 0) throw std::string("neg");
      } catch (const std::string& s) {
        t = s.size();
      }
      printf("%f %s\\n", t, argv[0]);
    }
    """

  static let rust = """
    #[inline(always)]
    fn step(n: u64) -> u64 {
        n.wrapping_mul(6364136223846793005).rotate_left(7)
    }
    struct Wheel<T> { v: Vec<T> }
    impl<T: Copy + Into<u64>> Wheel<T> {
        #[inline(never)]
        fn spin(&self) -> u64 {
            let mut s = 0;
            for x in self.v.iter() {
                s ^= step((*x).into());
            }
            s
        }
    }
    fn main() {
        println!("{}", Wheel { v: std::env::args().map(|a| a.len() as u8).collect() }.spin());
    }
    """

  static let go = """
    package main

    import "fmt"

    type Wheel struct{ n int }

    //go:noinline
    func (w *Wheel) Spin(k int) int {
    \ts := 0
    \tfor i := 0; i < k; i++ {
    \t\ts += step(i) ^ w.n
    \t}
    \treturn s
    }

    func step(i int) int {
    \treturn i*i + 1
    }

    func main() {
    \tfmt.Println((&Wheel{3}).Spin(10))
    }
    """

  static let swift = """
    @inline(__always) func step(_ x: Int) -> Int {
      x &* 31 ^ (x >> 3)
    }
    struct Wheel {
      var n: Int
      @inline(never) func spin() -> Int {
        var s = 0
        for i in 0..<n {
          s ^= step(i &+ s)
        }
        return s
      }
    }
    print(Wheel(n: CommandLine.arguments.count).spin())
    """

  /// Two units: a function that is its own origin and its own sibling, and one with 20,000 blocks
  /// within each other.
  static let circularDebugData = """
    .text
    .globl main
    .type main, @function
    main:
      xorl %eax, %eax
      ret
    .Lmain_end:
    .size main, .-main
    .globl deep
    .type deep, @function
    deep:
      nop
      ret
    .Ldeep_end:
    .size deep, .-deep

    .section .debug_abbrev,"",@progbits
    .Labbrev:
    # 1: compile_unit with children: low_pc addr, high_pc data4
    .byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0, 0
    # 2: subprogram: sibling ref4, low_pc addr, high_pc data4, abstract_origin ref4
    .byte 2, 0x2e, 1, 0x01, 0x13, 0x11, 0x01, 0x12, 0x06, 0x31, 0x13, 0, 0
    # 3: subprogram with children: name string, low_pc addr, high_pc data4
    .byte 3, 0x2e, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0
    # 4: lexical_block with children
    .byte 4, 0x0b, 1, 0, 0
    .byte 0

    .section .debug_info,"",@progbits
    .Lfirst:
    .long .Lfirst_end - .Lfirst - 4
    .short 4
    .long .Labbrev
    .byte 8
    .byte 1
    .quad main
    .long .Lmain_end - main
    .Lcircle:
    .byte 2
    .long .Lcircle - .Lfirst
    .quad main
    .long .Lmain_end - main
    .long .Lcircle - .Lfirst
    .byte 0, 0
    .Lfirst_end:
    .Lsecond:
    .long .Lsecond_end - .Lsecond - 4
    .short 4
    .long .Labbrev
    .byte 8
    .byte 1
    .quad deep
    .long .Ldeep_end - deep
    .byte 3
    .asciz "nested"
    .quad deep
    .long .Ldeep_end - deep
    .fill 20000, 1, 4
    .fill 20002, 1, 0
    .Lsecond_end:
    .section .note.GNU-stack,"",@progbits

    """
}
