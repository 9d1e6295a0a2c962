/// What the fixtures do once they are ready; all end by being killed.
enum Source {
  private static let start = """
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <signal.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>
    volatile unsigned long sink;
    static void ready(void) { if (write(1, "ready\\n", 6) != 6) _exit(1); }

    """

  /// Short functions in a loop, so that prologues and epilogues are hit; malloc, memcpy, printf.
  static let calls =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      __attribute__((noinline)) unsigned long middle(unsigned long x) {
        char text[200], other[200];
        snprintf(text, sizeof text, "%lu", x);
        memcpy(other, text, sizeof text);
        char *block = malloc(x % 900 + 1);
        block[0] = other[0];
        unsigned long sum = 0;
        for (int i = 0; i < 100; i++) sum += leaf(x + block[0]);
        free(block);
        return sum;
      }
      __attribute__((noinline)) unsigned long outer(unsigned long x) { return middle(x) + leaf(x); }
      int main(void) { ready(); for (unsigned long i = 0;; i++) sink += outer(i); }
      """

  /// Spins in a handler that was reached by raise.
  static let raisedSignal =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      static void handler(int number) { for (unsigned long i = 0;; i++) sink += leaf(i + number); }
      __attribute__((noinline)) int work(void) { ready(); raise(SIGUSR1); return sink; }
      int main(void) { signal(SIGUSR1, handler); return work() + 1; }
      """

  /// A timer interrupts code at any instruction.
  static let timerSignal =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      static void handler(int number) { for (int i = 0; i < 300000; i++) sink += leaf(i + number); }
      __attribute__((noinline)) void work(void) { for (unsigned long i = 0;; i++) sink += leaf(i); }
      int main(void) {
        signal(SIGALRM, handler);
        struct itimerval every = {{0, 1000}, {0, 1000}};
        setitimer(ITIMER_REAL, &every, 0);
        ready();
        work();
      }
      """

  /// A callback from the C library.
  static let callback =
    start + """
      static int compare(const void *left, const void *right) {
        sink++;
        return *(const int *)left - *(const int *)right;
      }
      int main(void) {
        static int numbers[1000];
        ready();
        for (;;) {
          for (int i = 0; i < 1000; i++) numbers[i] = i * 7919 % 1009;
          qsort(numbers, 1000, sizeof numbers[0], compare);
        }
      }
      """

  /// The kernel's own code in the process.
  static let clock =
    start + """
      __attribute__((noinline)) void now(void) {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        sink += time.tv_nsec;
      }
      int main(void) { ready(); for (;;) now(); }
      """

  /// Calls through the procedure linkage table.
  static let linkage =
    start + """
      unsigned long shared(unsigned long x);
      __attribute__((noinline)) void work(void) {
        for (unsigned long i = 0;; i++) sink += shared(i);
      }
      int main(void) { ready(); work(); }
      """
  static let sharedLibrary = "unsigned long shared(unsigned long x) { return x + 1; }\n"

  /// Code of a JIT compiler: a function with a frame pointer in anonymous memory.
  static let generatedCode =
    start + """
      /* push rbp; mov rbp,rsp; mov rcx,rdi; 1: dec rcx; jnz 1b; pop rbp; ret */
      static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf9, 0x48, 0xff,
                                           0xc9, 0x75, 0xfb, 0x5d, 0xc3};
      __attribute__((noinline)) void work(void (*generated)(unsigned long)) {
        for (;;) { generated(1000000000); sink++; }
      }
      int main(void) {
        void *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);
        memcpy(page, code, sizeof code);
        ready();
        work((void (*)(unsigned long))page);
      }
      """

  /// 100,000 calls deep.
  static let deep =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      __attribute__((noinline)) unsigned long down(unsigned long depth) {
        if (depth == 0) { ready(); for (unsigned long i = 0;; i++) sink += leaf(i); }
        return down(depth - 1) + depth;
      }
      int main(void) { return (int)down(100000); }
      """

  /// Recursion of ever changing shape, with registers that callers want back.
  static let tree =
    start + """
      static unsigned long seed = 1;
      static unsigned next(void) { seed = seed * 6364136223846793005ul + 1; return seed >> 40; }
      __attribute__((noinline)) unsigned long leaf(unsigned long x) {
        for (int i = 0; i < 30000; i++) sink += x * i;
        return x;
      }
      __attribute__((noinline)) unsigned long right(unsigned depth, unsigned long a);
      __attribute__((noinline)) unsigned long left(unsigned depth, unsigned long a) {
        unsigned long b = next(), c = next(), d = leaf(b);
        unsigned long r = depth ? (next() & 1 ? left(depth - 1, b) : right(depth - 1, c)) : leaf(a);
        return r + a * b + c * d + leaf(c);
      }
      __attribute__((noinline)) unsigned long right(unsigned depth, unsigned long a) {
        char pad[100];
        memset(pad, (int)a, sizeof pad);
        unsigned long r = depth ? (next() & 1 ? left(depth - 1, a) : right(depth - 1, a)) : 0;
        sink += pad[next() % 100];
        return r + leaf(a) + pad[a % 100];
      }
      int main(void) { ready(); for (;;) { sink += left(next() % 60, 1); } }
      """

  /// A thread that is not the first.
  static let thread =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      __attribute__((noinline)) void work(void) { for (unsigned long i = 0;; i++) sink += leaf(i); }
      static void *run(void *nothing) { ready(); work(); return nothing; }
      int main(void) {
        pthread_t thread;
        pthread_create(&thread, 0, run, 0);
        pthread_join(thread, 0);
      }
      """

  /// Becomes itself again, at other addresses, when a signal comes.
  static let exec =
    start + """
      static void handler(int number) { sink = number; }
      __attribute__((noinline)) void work(void) { for (;;) sink++; }
      int main(int count, char **arguments) {
        signal(SIGUSR1, handler);
        ready();
        if (count == 1) { pause(); execl("/proc/self/exe", arguments[0], "again", (char *)0); }
        work();
      }
      """

  /// Spins a few calls below main.main.
  static let go = """
    package main

    import "os"

    var sink uint64

    //go:noinline
    func leaf(x uint64) uint64 {
      sum := x
      for i := uint64(0); i < 100000; i++ { sum += sum * i }
      return sum
    }

    //go:noinline
    func middle(x uint64) uint64 { return leaf(x) + sink }

    func main() {
      os.Stdout.WriteString("ready\\n")
      for { sink += middle(sink) }
    }
    """

  /// C++ with handlers to call while an exception passes.
  static let exceptions =
    start + """
      #include <algorithm>
      #include <string>
      #include <vector>
      static bool less(const std::string &left, const std::string &right) {
        if (left == "never") throw 1;
        sink += left.size();
        return left < right;
      }
      __attribute__((noinline)) void work(unsigned seed) {
        std::vector<std::string> words;
        for (unsigned i = 0; i < 500; i++) words.push_back(std::to_string((i + seed) * 7919 % 1009));
        try { std::sort(words.begin(), words.end(), less); } catch (int) { sink++; }
      }
      int main() { ready(); for (unsigned i = 0;; i++) work(i); }
      """

  /// Sleeps some calls below main.
  static let sleeper =
    start + """
      __attribute__((noinline)) int inner(int x) { pause(); return x + sink; }
      __attribute__((noinline)) int middle(int x) { return inner(x + 1) * 2; }
      __attribute__((noinline)) int outer(int x) { return middle(x + 1) * 3; }
      int main(void) { ready(); return outer(1) + 1; }
      """

  /// A call of a null function pointer, seen from the handler of the fault.
  static let nullCall =
    start + """
      __attribute__((noinline)) unsigned long leaf(unsigned long x) { sink += x; return x * 3 + 1; }
      static void handler(int number) {
        ready();
        for (unsigned long i = 0;; i++) sink += leaf(i + number);
      }
      void (*volatile nothing)(void);
      __attribute__((noinline)) int work(void) { nothing(); return sink; }
      int main(void) { signal(SIGSEGV, handler); return work() + 1; }
      """
}
