#define _GNU_SOURCE
#include "CLinux.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

// Pages of a mapped file that another program cuts off raise SIGBUS when they are read (mmap(2)), and so
// do those that a disk cannot give. The handler puts zeros in their place, and notes that it did.

struct sprof_guard {
  _Atomic(uintptr_t) start;
  _Atomic(uintptr_t) end;
  atomic_int hasLostPages;
  atomic_int isUsed;
  struct sprof_guard *next;
};

// Guards are never freed, but used again: the handler may walk the list at any time.
static _Atomic(struct sprof_guard *) guards;
static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int replace(struct sprof_guard *guard, uintptr_t address) {
  uintptr_t start = atomic_load(&guard->start);
  uintptr_t end = atomic_load(&guard->end);
  if (address < start || address >= end) return 0;
  // What is behind the first page that a cut file has lost is lost as well.
  uintptr_t page = address & ~(uintptr_t)4095;
  void *zeros = mmap((void *)page, end - page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) return 0;
  atomic_store(&guard->hasLostPages, 1);
  return 1;
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  int code = errno;
  uintptr_t address = (uintptr_t)info->si_addr;
  int isReplaced = 0;
  for (struct sprof_guard *guard = atomic_load(&guards); guard && !isReplaced; guard = guard->next)
    isReplaced = replace(guard, address);
  // Not ours: it comes again, and does what it did before.
  if (!isReplaced) sigaction(SIGBUS, &before, NULL);
  errno = code;
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &before);
}

sprof_guard *sprof_guard_mapping(const void *start, uint64_t count) {
  pthread_once(&once, install);
  struct sprof_guard *guard = atomic_load(&guards);
  int isFree = 0;
  while (guard && !atomic_compare_exchange_strong(&guard->isUsed, &isFree, 1)) {
    isFree = 0;
    guard = guard->next;
  }
  if (!guard) {
    guard = calloc(1, sizeof *guard);
    if (!guard) return NULL;
    atomic_store(&guard->isUsed, 1);
    struct sprof_guard *first = atomic_load(&guards);
    do guard->next = first;
    while (!atomic_compare_exchange_weak(&guards, &first, guard));
  }
  atomic_store(&guard->hasLostPages, 0);
  atomic_store(&guard->start, (uintptr_t)start);
  atomic_store(&guard->end, (uintptr_t)start + count);
  return guard;
}

int sprof_has_lost_pages(const sprof_guard *guard) { return atomic_load(&guard->hasLostPages); }

void sprof_release_guard(sprof_guard *guard) {
  atomic_store(&guard->end, 0);
  atomic_store(&guard->start, 0);
  atomic_store(&guard->isUsed, 0);
}
