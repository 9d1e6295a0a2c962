// iouring: a program whose io_uring has a kernel thread of its own. With `rest` that thread waits for
// work, with `open` it waits to open a FIFO that nobody writes to, with `poll` it looks for work all the
// time. Ends with 77 where io_uring is forbidden.
#include "fixture.h"
#include <dirent.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char fifo[64];

// The kernel's first thread, once there is one; else 0.
static pid_t worker(void) {
  DIR *threads = opendir("/proc/self/task");
  if (!threads) die("/proc/self/task");
  pid_t found = 0;
  for (struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
    pid_t tid = (pid_t)atoi(entry->d_name);
    if (tid > 0 && tid != getpid() && found == 0) found = tid;
  }
  closedir(threads);
  return found;
}

int main(int argc, char **argv) {
  begin();
  const char *what = argc > 1 ? argv[1] : "rest";
  struct io_uring_params setup = {0};
  if (!strcmp(what, "poll")) {
    setup.flags = IORING_SETUP_SQPOLL;
    setup.sq_thread_idle = 900000;
  }
  int ring = (int)syscall(SYS_io_uring_setup, 4, &setup);
  if (ring < 0) exit(77);
  int protection = PROT_READ | PROT_WRITE, kind = MAP_SHARED | MAP_POPULATE;
  size_t size = setup.sq_off.array + setup.sq_entries * sizeof(unsigned);
  char *queue = mmap(NULL, size, protection, kind, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entries =
      mmap(NULL, setup.sq_entries * sizeof *entries, protection, kind, ring, IORING_OFF_SQES);
  if (queue == MAP_FAILED || entries == MAP_FAILED) die("mmap");
  int pipes[2];
  if (pipe(pipes) < 0) die("pipe");
  static char buffer[64];
  struct io_uring_sqe *entry = entries;
  memset(entry, 0, sizeof *entry);
  if (!strcmp(what, "open")) {
    snprintf(fifo, sizeof fifo, "/tmp/sprof-iouring-%d", getpid());
    if (mkfifo(fifo, 0600) < 0) die("mkfifo");
    entry->opcode = IORING_OP_OPENAT;
    entry->fd = AT_FDCWD;
    entry->addr = (unsigned long)fifo;
    entry->open_flags = O_RDONLY;
  } else {
    entry->opcode = IORING_OP_READ;
    entry->fd = pipes[0];
    entry->addr = (unsigned long)buffer;
    entry->len = sizeof buffer;
  }
  entry->flags = IOSQE_ASYNC;
  *(unsigned *)(queue + setup.sq_off.array) = 0;
  atomic_store((_Atomic unsigned *)(queue + setup.sq_off.tail), 1);
  if (setup.flags == 0 && syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) < 0) die("enter");
  if (setup.flags != 0) {
    // One that had a CPU before it was told how long to look for work sleeps already.
    do {
      if (syscall(SYS_io_uring_enter, ring, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0) die("enter");
      sleep_ns(MS);
    } while (thread_state(worker()) != 'R');
  } else {
    while (worker() == 0 || thread_state(worker()) != 'S') sleep_ns(MS / 2);
  }
  // Who waits to open it goes on waiting.
  if (*fifo) unlink(fifo);
  ready();
  for (;;) pause();
}
