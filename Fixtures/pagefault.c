// pagefault: a thread that touches memory which nobody provides. Needs the right to handle faults.
#include "fixture.h"
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static volatile char *memory;
static atomic_int toucher_tid;

static NOINLINE char touch_memory(void) { return memory[0]; }

static void *toucher(void *value) {
  (void)value;
  atomic_store(&toucher_tid, own_tid());
  touch_memory();
  return NULL;
}

int main(void) {
  begin();
  int file = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  if (file < 0 || ioctl(file, UFFDIO_API, &api) != 0) die("userfaultfd");
  memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register range = {.range = {(uintptr_t)memory, 4096},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (ioctl(file, UFFDIO_REGISTER, &range) != 0) die("register");
  start_thread(toucher, NULL, "toucher");
  while (toucher_tid == 0) sleep_ns(MS / 2);
  while (thread_state(toucher_tid) == 'R') sleep_ns(MS / 2);
  ready();
  for (;;) pause();
}
