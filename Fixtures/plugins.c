// plugins MS LIBRARY LIBRARY: opens one plug-in after the other (plugin.c), mostly at the same address,
// calls each for some milliseconds, and closes it. With 0 ms it calls the first, which sleeps for ever.
#include "fixture.h"
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>

typedef void entry(long ns);

static atomic_long swaps, moves;

NOINLINE static void call_first(entry *plugin, long ns) {
  plugin(ns);
  __asm__ volatile("");
}

NOINLINE static void call_second(entry *plugin, long ns) {
  plugin(ns);
  __asm__ volatile("nop");
}

static void *swap(void *arguments) {
  char **argv = arguments;
  long ns = (long)(atof(argv[1]) * MS);
  entry *before = NULL;
  for (int turn = 0;; turn = !turn) {
    void *library = dlopen(argv[2 + turn], RTLD_NOW);
    entry *plugin = library ? (entry *)dlsym(library, "plugin_entry") : NULL;
    if (!plugin) die(argv[2 + turn]);
    if (before && (uintptr_t)before >> 12 != (uintptr_t)plugin >> 12) moves++;
    before = plugin;
    (turn ? call_second : call_first)(plugin, ns);
    dlclose(library);
    swaps++;
  }
  return NULL;
}

static int note_counters(struct dl_phdr_info *info, size_t size, void *counters) {
  (void)size;
  ((long long *)counters)[0] = (long long)info->dlpi_adds;
  ((long long *)counters)[1] = (long long)(info->dlpi_adds - info->dlpi_subs);
  return 1;
}

static void report(void) {
  long long counters[2];
  dl_iterate_phdr(note_counters, counters);
  printf("{\"swaps\": %ld, \"moves\": %ld, \"loads\": %lld, \"present\": %lld}\n", swaps, moves,
         counters[0], counters[1]);
}

int main(int argc, char **argv) {
  begin();
  if (argc < 4) die("plugins MS LIBRARY LIBRARY");
  start_thread(swap, argv, "swapper");
  ready();
  answer(report);
}
