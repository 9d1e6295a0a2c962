// eintr [wait | wake MILLISECONDS]: a thread in each system call that a tracer's stop makes fail
// with EINTR. With `wait` they sleep for ever; with `wake` a peer thread ends each sleep, so that
// they go back and forth between running and waiting.
#include "fixture.h"
#include <linux/aio_abi.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { CALLS = 6 };
static const char *names[CALLS] = {"epoll_wait",    "epoll_pwait",  "semop",
                                   "sigtimedwait", "io_getevents", "recv"};
static atomic_int tids[CALLS];
static atomic_long interrupted[CALLS], returned[CALLS], failed[CALLS];
static pthread_t threads[CALLS];
static int epolls[2], events[2], semaphores, sockets[2], file;
static aio_context_t aio;

static long wait_once(int call) {
  struct epoll_event event;
  uint64_t count;
  long result;
  switch (call) {
  case 0:
  case 1:
    result = call == 0 ? syscall(SYS_epoll_wait, epolls[0], &event, 1, -1)
                       : syscall(SYS_epoll_pwait, epolls[1], &event, 1, -1, NULL, 8);
    if (result > 0 && read(events[call], &count, sizeof count) < 0) return -1;
    return result;
  case 2: {
    struct sembuf take = {.sem_num = 0, .sem_op = -1};
    return semop(semaphores, &take, 1);
  }
  case 3: {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    struct timespec hour = {.tv_sec = 3600};
    return sigtimedwait(&set, NULL, &hour);
  }
  case 4: {
    struct io_event done;
    return syscall(SYS_io_getevents, aio, 1L, 1L, &done, NULL);
  }
  default: {
    char byte;
    return recv(sockets[0], &byte, 1, 0);
  }
  }
}

static void wake_once(int call) {
  uint64_t one = 1;
  static char block[512];
  switch (call) {
  case 0:
  case 1:
    if (write(events[call], &one, sizeof one) < 0) die("write");
    break;
  case 2: {
    struct sembuf give = {.sem_num = 0, .sem_op = 1};
    semop(semaphores, &give, 1);
    break;
  }
  case 3: pthread_kill(threads[3], SIGRTMIN + 1); break;
  case 4: {
    struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD,
                           .aio_fildes = (uint32_t)file,
                           .aio_buf = (uint64_t)(uintptr_t)block,
                           .aio_nbytes = sizeof block};
    struct iocb *list[1] = {&request};
    syscall(SYS_io_submit, aio, 1L, list);
    break;
  }
  default:
    if (send(sockets[1], "x", 1, 0) < 0) die("send");
  }
}

static void *waiter(void *value) {
  int call = (int)(long)value;
  atomic_store(&tids[call], own_tid());
  for (;;) {
    errno = 0;
    if (wait_once(call) >= 0) {
      atomic_fetch_add(&returned[call], 1);
    } else if (errno == EINTR) {
      atomic_fetch_add(&interrupted[call], 1);
    } else {
      atomic_fetch_add(&failed[call], 1);
      sleep_ns(MS);
    }
  }
  return NULL;
}

static void *waker(void *value) {
  for (;;) {
    sleep_ns((long)value * MS);
    for (int call = 0; call < CALLS; call++) wake_once(call);
  }
  return NULL;
}

static void report(void) {
  long all_interrupted = 0, all_returned = 0, all_failed = 0;
  printf("{");
  for (int i = 0; i < CALLS; i++) {
    printf("\"%s_eintr\":%ld,\"%s_returned\":%ld,\"%s_failed\":%ld,", names[i], interrupted[i],
           names[i], returned[i], names[i], failed[i]);
    all_interrupted += interrupted[i];
    all_returned += returned[i];
    all_failed += failed[i];
  }
  printf("\"eintr\":%ld,\"returned\":%ld,\"failed\":%ld}\n", all_interrupted, all_returned,
         all_failed);
}

int main(int argc, char **argv) {
  begin();
  bool wakes = argc > 1 && strcmp(argv[1], "wake") == 0;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 2; i++) {
    epolls[i] = epoll_create1(0);
    events[i] = eventfd(0, EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(epolls[i], EPOLL_CTL_ADD, events[i], &event) != 0) die("epoll_ctl");
  }
  // Semaphores outlive a process that gets SIGKILL: a fixed key leaves one set, not one each time.
  semaphores = semget(wakes ? 0x73707266 : 0x73707265, 1, IPC_CREAT | 0600);
  if (semaphores < 0 || semctl(semaphores, 0, SETVAL, 0) != 0) die("semget");
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) != 0) die("socketpair");
  struct timeval hour = {.tv_sec = 3600};
  setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour);
  file = memfd_create("blocks", 0);
  if (ftruncate(file, 4096) != 0) die("ftruncate");
  if (syscall(SYS_io_setup, 8, &aio) != 0) die("io_setup");
  for (long i = 0; i < CALLS; i++) threads[i] = start_thread(waiter, (void *)i, names[i]);
  for (int i = 0; i < CALLS; i++) await_state(&tids[i], 'S');
  if (wakes) start_thread(waker, (void *)argument(argc, argv, 2, 3), "waker");
  ready();
  answer(report);
}
