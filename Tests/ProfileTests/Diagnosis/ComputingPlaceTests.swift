internal import ProfileAnalysis
internal import ProfileModel
internal import Testing

@testable internal import ProfileExport

@Suite struct `The place of a thread on a CPU` {
  /// A main thread that was in these stacks in turn, each for the same time.
  private func maker(_ stacks: [String], rounds: Int64 = 20) -> WaitMaker {
    var maker = WaitMaker()
    let thread = maker.thread(4242, "", stacks[0], .running)
    maker.maker.profile.runs = RunList()
    let length = maker.end / (rounds * Int64(stacks.count))
    for number in 0..<rounds * Int64(stacks.count) {
      let functions = stacks[Int(number) % stacks.count].split(separator: " ").map(String.init)
      maker.run(thread, functions, .running, from: number * length, to: (number + 1) * length)
    }
    maker.setThread(thread, cpu: maker.end)
    return maker
  }

  @Test(arguments: [
    ("libc.so.6/__strcmp_evex /src/a.cpp/lookup main", "strcmp called by lookup (a.cpp:7)"),
    ("libc.so.6/__GI___libc_read /src/a.cpp/load main", "read called by load (a.cpp:7)"),
    (
      "libc.so.6/_int_malloc libc.so.6/__GI___libc_malloc /src/a.cpp/grow main",
      "malloc called by grow"
    ),
    (
      "[vdso]/__vdso_clock_gettime libc.so.6/clock_gettime@@GLIBC_2.17 /src/a.cpp/now main",
      "clock_gettime called by now"
    ),
    (
      "libstdc++.so.6/0xa8183 libgcc_s.so.1/_Unwind_RaiseException libstdc++.so.6/__cxa_throw /src/a.cpp/fail main",
      "__cxa_throw called by fail"
    ),
    (
      "/usr/include/c++/13/bits/stl_algo.h/std::find /src/a.cpp/search main",
      "stayed in search (a.cpp:7)"
    ),
    // Not its own: a library that the program chose.
    (
      "libc.so.6/__memcpy_avx_unaligned_erms libz.so.1/deflate /src/a.cpp/save main",
      "memcpy called by deflate"
    ),
    // Nobody to be named, or code without a name.
    (
      "libc.so.6/__strcmp_evex libapp.so/0x4010 libapp.so/0x4020 libapp.so/0x4030 run main",
      "stayed in strcmp (100.0 %"
    ),
    ("libc.so.6/__strcmp_evex libc.so.6/start_thread", "stayed in strcmp (100.0 %"),
  ])
  func `is the program's function, and what it called of a library`(way: String, words: String) {
    let maker = maker([way])
    let sentence = VerdictWords(maker.diagnosis).sentence
    #expect(maker.verdict.kind == .busyLoop)
    #expect(sentence.contains(words), "\(sentence)")
  }

  @Test func `has no library's function where it is in several, or in its own code`() {
    let various = maker([
      "libc.so.6/__strcmp_evex /src/a.cpp/lookup main", "/src/a.cpp/lookup main",
    ])
    #expect(VerdictWords(various.diagnosis).sentence.contains("in lookup (a.cpp:7)"))
  }

  @Test(arguments: [
    // Two ways to one function.
    (["app.py/burn app.py/a app.py/<module>", "app.py/burn app.py/b app.py/<module>"], "burn"),
    (["java/J.burn java/J.hot java/J.main", "java/J.burn java/J.warm java/J.main"], "J.burn"),
    (["burn hot r::main main", "burn warm other r::main main"], "burn"),
    (
      [
        "/g.go/main.burn /g.go/main.a /g.go/main.main /proc.go/runtime.main",
        "/g.go/main.burn /g.go/main.b /g.go/main.main /proc.go/runtime.main",
      ],
      "main.burn"
    ),
    (["burn a work libc.so.6/start_thread", "burn b work libc.so.6/start_thread"], "burn"),
    // All of it is done by the entry itself.
    (["app.py/<module>"], "<module>"),
    // A function that is no entry says more than a helper of it.
    (["add sum price main", "add total price main"], "price"),
  ])
  func `is the deepest function that all samples share`(stacks: [String], place: String) {
    let verdict = maker(stacks).verdict
    #expect(verdict.kind == .busyLoop)
    #expect(verdict.place?.line.function == place)
    #expect((verdict.placeShare ?? 0) >= 0.95)
  }

  @Test(
    arguments: [
      // Where the shared function is not the one that computes.
      (
        [
          "/g.go/main.hot /g.go/main.main runtime.main",
          "/g.go/main.hot /g.go/main.main runtime.main",
          "/g.go/main.cool /g.go/main.main runtime.main",
        ], "66.7 % in main.hot (g.go:7) itself"
      ),
      (
        [
          "mix compare libc.so.6/qsort sort main", "mix compare libc.so.6/qsort sort main",
          "fill sort main",
        ], "66.7 % in mix"
      ),
      // Nothing to add.
      (["add price main", "mul price main", "div price main"], nil),
      (["burn a work libc.so.6/start_thread"], nil),
    ] as [([String], String?)])
  func `comes with the function that most of the time went to`(stacks: [String], words: String?) {
    let maker = maker(stacks)
    let sentence = VerdictWords(maker.diagnosis).sentence
    #expect(maker.verdict.kind == .busyLoop)
    if let words {
      #expect(sentence.contains(words), "\(sentence)")
    } else {
      #expect(!sentence.contains(" itself"), "\(sentence)")
    }
  }

  @Test func `is in the stack that a report shows, the heaviest of those through it`() {
    // The heaviest stack of all is another's.
    let stacks =
      ["/src/a.cpp/wait_a main"]
      + (0..<8).map { "/src/a.cpp/hot /src/a.cpp/by_\($0) main" }
    var maker = maker(stacks + ["/src/a.cpp/wait_a main"], rounds: 10)
    maker.maker.profile.capture.executable = "/opt/app/bin/app"
    #expect(maker.verdict.place?.line.function == "hot")
    var text = ""
    TextReport(maker.profile, options: ReportOptions(width: 200)).write(to: &text)
    let shown = text.split(separator: "\n").drop { !$0.hasPrefix("Where it is") }.dropFirst(2)
    #expect(shown.first?.contains("hot") == true, "\(text)")
    var brief = ""
    BriefReport(maker.profile).write(asJSON: false, to: &brief)
    let first = brief.split(separator: "\n").drop { !$0.hasPrefix("Thread") }.dropFirst().first
    #expect(first?.contains("hot") == true, "\(brief)")
  }
}

@Suite struct `Names of the C library` {
  @Test(arguments: [
    ("__strcmp_evex", "strcmp"), ("__GI_sched_yield", "sched_yield"), ("__GI___libc_read", "read"),
    ("__libc_read", "read"), ("__memmove_avx512_unaligned_erms", "memmove"),
    ("__strlen_sse2", "strlen"), ("_int_malloc", "malloc"), ("__GI___libc_malloc", "malloc"),
    ("__vdso_clock_gettime", "clock_gettime"), ("___pthread_mutex_lock", "pthread_mutex_lock"),
    ("_IO_fwrite", "fwrite"), ("__GI__IO_puts", "puts"), ("__new_sem_wait", "sem_wait"),
    ("__GI___wait4", "wait4"), ("memcpy@@GLIBC_2.14", "memcpy"), ("__read_nocancel", "read"),
    ("__libc_start_main_impl", "__libc_start_main_impl"), ("qsort_r", "qsort_r"), ("_", "_"),
    ("__libc_", "__libc_"), ("", ""), ("__evex", "evex"), ("0x1234", "0x1234"),
  ])
  func `are those that programs call`(name: String, published: String) {
    #expect(FunctionName.published(name) == published)
  }
}
