// waits locks | calls [TIMES] | ring: a thread, or that many, for each kind of wait, named after it; or
// one that waits for io_uring: `waits ring` ends with 77 where the kernel forbids that. Threads named
// holder, reader and heir hold what the others wait for; those named doomed have ended with it. With
// `calls` it leaves /tmp/sprof-waits-fifo.PID behind.
#include "fixture.h"
#include <limits.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

struct account {
  long number;
  char owner[20];
  pthread_mutex_t lock;
};

struct book {
  int pages;
  struct account accounts[5];
};

static pthread_mutex_t normal_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t timed_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t orphan_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t self_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t relocked_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive_lock, checked_lock, adaptive_lock, inheriting_lock, robust_lock,
    inherited_lock;
static pthread_mutex_t *heap_lock;
static struct book ledger;
static pthread_rwlock_t written_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t read_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_cond_t relocked_condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t condition_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int raw_futex = 7;
static pthread_t holder_thread;
static atomic_int holder_tid, relock_tid, once_tid, readers, holds, last_tid;

static void init_mutex(pthread_mutex_t *mutex, int type, int protocol, int robustness) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robustness);
  if (pthread_mutex_init(mutex, &attributes) != 0) die("pthread_mutex_init");
}

static struct timespec hour_from_now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_sec += 3600;
  return time;
}

// Locks

static void wait_normal(void) { pthread_mutex_lock(&normal_lock); }
static void wait_recursive(void) { pthread_mutex_lock(&recursive_lock); }
static void wait_checked(void) { pthread_mutex_lock(&checked_lock); }
static void wait_adaptive(void) { pthread_mutex_lock(&adaptive_lock); }
static void wait_inheriting(void) { pthread_mutex_lock(&inheriting_lock); }
static void wait_robust(void) { pthread_mutex_lock(&robust_lock); }
static void wait_inherited(void) { pthread_mutex_lock(&inherited_lock); }
static void wait_heap(void) { pthread_mutex_lock(heap_lock); }
static void wait_array(void) { pthread_mutex_lock(&ledger.accounts[3].lock); }
static void wait_orphan(void) { pthread_mutex_lock(&orphan_lock); }
static void wait_timed(void) {
  struct timespec time = hour_from_now(CLOCK_REALTIME);
  pthread_mutex_timedlock(&timed_lock, &time);
}
static void wait_self(void) {
  pthread_mutex_lock(&self_lock);
  pthread_mutex_lock(&self_lock);
}
static void wait_relock(void) {
  pthread_mutex_lock(&relocked_lock);
  atomic_store(&relock_tid, own_tid());
  pthread_cond_wait(&relocked_condition, &relocked_lock);
}
static void wait_read_lock(void) { pthread_rwlock_rdlock(&written_lock); }
static void wait_write_lock(void) { pthread_rwlock_wrlock(&written_lock); }
static void wait_readers(void) { pthread_rwlock_wrlock(&read_lock); }
static void wait_condition(void) {
  pthread_mutex_lock(&condition_lock);
  pthread_cond_wait(&condition, &condition_lock);
}
static void wait_condition_timed(void) {
  struct timespec time = hour_from_now(CLOCK_REALTIME);
  pthread_mutex_lock(&condition_lock);
  pthread_cond_timedwait(&condition, &condition_lock, &time);
}
static void wait_semaphore(void) { sem_wait(&semaphore); }
static void wait_barrier(void) { pthread_barrier_wait(&barrier); }
static void pause_for_ever(void) {
  atomic_store(&once_tid, own_tid());
  for (;;) pause();
}
static void wait_initializer(void) { pthread_once(&once, pause_for_ever); }
static void wait_once(void) { pthread_once(&once, pause_for_ever); }
static void wait_join(void) { pthread_join(holder_thread, NULL); }
static void wait_futex(void) { syscall(SYS_futex, &raw_futex, 0, 7, NULL, NULL, 0); }

// Calls

static int pipe_ends[2], full_pipe[2], sockets[2], listener, backlog, client, events, timer, watcher,
    signals, poller, lock_file, semaphores, queue, terminal, other_file, full_queue, process_file,
    datagrams[2];
static mqd_t empty_mail, full_mail;
static struct sockaddr_in backlog_address;
static char fifo_path[64], lock_path[64], other_path[64];
static pid_t child;
// aio_context_t; musl-gcc has no headers of the kernel.
static unsigned long aio;

static void wait_sleep(void) {
  struct timespec time = {3600, 0};
  nanosleep(&time, NULL);
}
static void wait_sleep_until(void) {
  struct timespec time = hour_from_now(CLOCK_MONOTONIC);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}
static void wait_sleep_in_select(void) {
  struct timeval time = {3600, 0};
  select(0, NULL, NULL, NULL, &time);
}
static void wait_sleep_in_poll(void) { poll(NULL, 0, 3600 * 1000); }
static void wait_read(void) {
  char byte;
  if (read(pipe_ends[0], &byte, 1) < 0) die("read");
}
static void wait_write(void) {
  char byte = 0;
  if (write(full_pipe[1], &byte, 1) < 0) die("write");
}
static void wait_vmsplice(void) {
  char byte = 0;
  struct iovec part = {&byte, 1};
  if (syscall(SYS_vmsplice, full_pipe[1], &part, 1L, 0L) < 0) die("vmsplice");
}
static void wait_splice(void) {
  if (syscall(SYS_splice, pipe_ends[0], NULL, full_pipe[1], NULL, 1L, 0L) < 0) die("splice");
}
static void wait_poll(void) {
  struct pollfd list[2] = {{.fd = pipe_ends[0], .events = POLLIN}, {.fd = -1}};
  poll(list, 2, 3600 * 1000);
}
static void wait_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(sockets[0], &set);
  FD_SET(events, &set);
  select(FD_SETSIZE, &set, NULL, NULL, NULL);
}
static void wait_epoll(void) {
  struct epoll_event event;
  epoll_wait(poller, &event, 1, -1);
}
static void wait_eventfd(void) {
  uint64_t count;
  if (read(events, &count, sizeof count) < 0) die("eventfd");
}
static void wait_timerfd(void) {
  uint64_t count;
  if (read(timer, &count, sizeof count) < 0) die("timerfd");
}
static void wait_inotify(void) {
  char event[512];
  if (read(watcher, event, sizeof event) < 0) die("inotify");
}
static void wait_signalfd(void) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) < 0) die("signalfd");
}
static void wait_terminal(void) {
  char byte;
  if (read(terminal, &byte, 1) < 0) die("tty");
}
static void wait_accept(void) { accept(listener, NULL, NULL); }
static void wait_receive(void) {
  char byte;
  recv(client, &byte, 1, 0);
}
static void wait_connect(void) {
  int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  connect(file, (struct sockaddr *)&backlog_address, sizeof backlog_address);
}
static void wait_unix_receive(void) {
  char byte;
  recv(sockets[0], &byte, 1, 0);
}
static void wait_open(void) {
  if (open(fifo_path, O_RDONLY) < 0) die("open");
}
static void wait_child(void) { waitpid(child, NULL, 0); }
static void wait_signal(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  siginfo_t info;
  sigwaitinfo(&set, &info);
}
static void wait_pause(void) { pause(); }
static void wait_flock(void) { flock(lock_file, LOCK_EX); }
static void wait_fcntl(void) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  fcntl(lock_file, F_SETLKW, &lock);
}
static void wait_semop(void) {
  struct sembuf take = {.sem_num = 0, .sem_op = -1};
  semop(semaphores, &take, 1);
}
static void wait_message(void) {
  struct {
    long type;
    char text[8];
  } message;
  msgrcv(queue, &message, sizeof message.text, 0, 0);
}
static void wait_semtimedop(void) {
  struct sembuf take = {.sem_num = 0, .sem_op = -1};
  struct timespec hour = {3600, 0};
  semtimedop(semaphores, &take, 1, &hour);
}
static void wait_message_room(void) {
  struct {
    long type;
    char text[8];
  } message = {1, {0}};
  msgsnd(full_queue, &message, sizeof message.text, 0);
}
static void wait_mail(void) {
  char text[8];
  mq_receive(empty_mail, text, sizeof text, NULL);
}
static void wait_mail_timed(void) {
  char text[8];
  struct timespec time = hour_from_now(CLOCK_REALTIME);
  mq_timedreceive(empty_mail, text, sizeof text, NULL, &time);
}
static void wait_mail_room(void) { mq_send(full_mail, "x", 1, 0); }
// F_OFD_SETLKW, which musl-gcc's headers may lack.
enum { LOCK_OPEN_FILE = 38 };
static void wait_open_file_lock(void) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  fcntl(lock_file, LOCK_OPEN_FILE, &lock);
}
static void wait_unknown_lock(void) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  fcntl(other_file, LOCK_OPEN_FILE, &lock);
}
static void wait_pidfd(void) {
  struct pollfd list = {.fd = process_file, .events = POLLIN};
  poll(&list, 1, -1);
}
static void wait_child_file(void) {
  siginfo_t info;
  // P_PIDFD, which musl-gcc's headers may lack.
  waitid((idtype_t)3, process_file, &info, WEXITED | WNOWAIT);
}
static void wait_send(void) { send(datagrams[0], "x", 1, 0); }
static void wait_lockf(void) {
  if (lseek(lock_file, 0, SEEK_SET) != 0) die("lseek");
  if (lockf(lock_file, F_LOCK, 1) != 0) die("lockf");
}
static void wait_ring(void) {
  char parameters[120] = {0};
  int ring = (int)syscall(SYS_io_uring_setup, 4, parameters);
  // IORING_ENTER_GETEVENTS is 1: waits for one completion, and nothing was submitted.
  syscall(SYS_io_uring_enter, ring, 0, 1, 1, NULL, 0);
}
static void wait_aio(void) {
  char done[32];
  syscall(SYS_io_getevents, aio, 1L, 1L, done, NULL);
}

struct row {
  const char *name;
  void (*wait)(void);
  char state;
};

static const struct row lock_rows[] = {
    {"normal", wait_normal},       {"recursive", wait_recursive},
    {"checked", wait_checked},     {"adaptive", wait_adaptive},
    {"inheriting", wait_inheriting}, {"robust", wait_robust},
    {"inherited", wait_inherited}, {"heap", wait_heap},
    {"array", wait_array},         {"orphan", wait_orphan},
    {"timed", wait_timed},         {"self", wait_self},
    {"read_lock", wait_read_lock}, {"write_lock", wait_write_lock},
    {"readers", wait_readers},     {"condition", wait_condition},
    {"cond_timed", wait_condition_timed}, {"semaphore", wait_semaphore},
    {"barrier", wait_barrier},     {"once", wait_once},
    {"join", wait_join},           {"futex", wait_futex},
};

static const struct row call_rows[] = {
    {"sleep", wait_sleep},       {"sleep_until", wait_sleep_until}, {"read", wait_read},
    {"sleep_select", wait_sleep_in_select}, {"sleep_poll", wait_sleep_in_poll},
    {"write", wait_write},       {"poll", wait_poll},               {"select", wait_select},
    {"epoll", wait_epoll},       {"eventfd", wait_eventfd},         {"timerfd", wait_timerfd},
    {"inotify", wait_inotify},   {"signalfd", wait_signalfd},       {"terminal", wait_terminal},
    {"accept", wait_accept},     {"receive", wait_receive},         {"connect", wait_connect},
    {"unix", wait_unix_receive}, {"open", wait_open},               {"child", wait_child},
    {"signal", wait_signal},     {"pause", wait_pause},             {"flock", wait_flock},
    {"fcntl", wait_fcntl},       {"semop", wait_semop},             {"message", wait_message},
    {"aio", wait_aio},           {"semtimedop", wait_semtimedop},   {"message_room", wait_message_room},
    {"mail", wait_mail},         {"mail_timed", wait_mail_timed},   {"mail_room", wait_mail_room},
    {"file_lock", wait_open_file_lock}, {"unknown_lock", wait_unknown_lock}, {"pidfd", wait_pidfd},
    {"child_file", wait_child_file}, {"send", wait_send},           {"lockf", wait_lockf},
    {"vmsplice", wait_vmsplice}, {"splice", wait_splice},
};

static const struct row ring_row = {"ring", wait_ring};

static void *waiter(void *value) {
  const struct row *row = value;
  atomic_store(&last_tid, own_tid());
  row->wait();
  fprintf(stderr, "%s did not wait\n", row->name);
  for (;;) pause();
  return NULL;
}

static void start_waiter(const struct row *row) {
  atomic_store(&last_tid, 0);
  start_thread(waiter, (void *)row, row->name);
  await_state(&last_tid, 'S');
}

static void *holder(void *value) {
  (void)value;
  pthread_mutex_t *all[] = {&normal_lock,   &timed_lock,      &recursive_lock, &checked_lock,
                            &adaptive_lock, &inheriting_lock, &robust_lock,    heap_lock,
                            &ledger.accounts[3].lock, &relocked_lock};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pthread_mutex_lock(all[i]);
  pthread_rwlock_wrlock(&written_lock);
  // Its waiter has let go of the mutex, and now cannot have it back.
  pthread_cond_signal(&relocked_condition);
  atomic_store(&holder_tid, own_tid());
  atomic_fetch_add(&holds, 1);
  for (;;) pause();
  return NULL;
}

static void *reader(void *value) {
  (void)value;
  pthread_rwlock_rdlock(&read_lock);
  atomic_fetch_add(&readers, 1);
  for (;;) pause();
  return NULL;
}

static void *doomed(void *value) {
  pthread_mutex_lock(value);
  return NULL;
}

static void *heir(void *value) {
  (void)value;
  if (pthread_mutex_lock(&inherited_lock) != EOWNERDEAD) die("heir");
  atomic_fetch_add(&holds, 1);
  for (;;) pause();
  return NULL;
}

static void run_doomed(pthread_mutex_t *mutex) {
  pthread_t thread = start_thread(doomed, mutex, "doomed");
  pthread_join(thread, NULL);
}

static const struct row relock_row = {"relock", wait_relock};
static const struct row initializer_row = {"initializer", wait_initializer};

static void prepare_locks(void) {
  init_mutex(&recursive_lock, PTHREAD_MUTEX_RECURSIVE, 0, 0);
  init_mutex(&checked_lock, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
#ifdef __GLIBC__
  init_mutex(&adaptive_lock, PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0);
#else
  init_mutex(&adaptive_lock, PTHREAD_MUTEX_NORMAL, 0, 0);
#endif
  init_mutex(&inheriting_lock, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, 0);
  init_mutex(&robust_lock, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_MUTEX_ROBUST);
  init_mutex(&inherited_lock, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_MUTEX_ROBUST);
  for (int i = 0; i < 5; i++) init_mutex(&ledger.accounts[i].lock, PTHREAD_MUTEX_NORMAL, 0, 0);
  heap_lock = malloc(sizeof *heap_lock);
  init_mutex(heap_lock, PTHREAD_MUTEX_NORMAL, 0, 0);
  sem_init(&semaphore, 0, 0);
  pthread_barrier_init(&barrier, NULL, 2);
  run_doomed(&orphan_lock);
  run_doomed(&inherited_lock);
  start_waiter(&relock_row);
  await_state(&relock_tid, 'S');
  holder_thread = start_thread(holder, NULL, "holder");
  start_thread(heir, NULL, "heir");
  for (int i = 0; i < 2; i++) start_thread(reader, NULL, "reader");
  while (holds < 2 || readers < 2) sleep_ns(MS / 2);
  await_state(&relock_tid, 'S');
  start_waiter(&initializer_row);
  while (!once_tid) sleep_ns(MS / 2);
}

// A child with the file locks, that has nothing else open.
static void start_child(void) {
  int ends[2];
  if (pipe(ends) != 0) die("pipe");
  pid_t parent = getpid();
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    prctl(PR_SET_NAME, "locker");
    // Before it locks: any descriptor of the file that is closed takes the lock along.
    for (int i = 3; i < 64; i++) {
      if (i != ends[1]) close(i);
    }
    int file = open(lock_path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (flock(file, LOCK_EX) != 0 || fcntl(file, F_SETLK, &lock) != 0) die("lock");
    int other = open(other_path, O_RDWR | O_CLOEXEC);
    // F_OFD_SETLK
    if (fcntl(other, 37, &lock) != 0) die("lock");
    if (write(ends[1], "x", 1) != 1) die("write");
    close(ends[1]);
    for (;;) pause();
  }
  char byte;
  if (read(ends[0], &byte, 1) != 1) die("child");
  close(ends[0]);
  close(ends[1]);
}

static int listening_socket(int length, struct sockaddr_in *address) {
  int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof *address;
  memset(address, 0, sizeof *address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(file, (struct sockaddr *)address, size) != 0 || listen(file, length) != 0 ||
      getsockname(file, (struct sockaddr *)address, &size) != 0)
    die("listen");
  return file;
}

static void prepare_sockets(void) {
  struct sockaddr_in address;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) die("socketpair");
  listener = listening_socket(4, &address);
  // Nobody accepts there, so the client's data never comes.
  struct sockaddr_in silent_address;
  listening_socket(4, &silent_address);
  client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(client, (struct sockaddr *)&silent_address, sizeof silent_address) != 0) die("connect");
  // The connection that fills the queue; the next one waits.
  backlog = listening_socket(0, &backlog_address);
  int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(first, (struct sockaddr *)&backlog_address, sizeof backlog_address) != 0)
    die("connect");
}

// A queue of its own for each kind, so that no other program is met.
static mqd_t mailbox(char kind) {
  char name[48];
  snprintf(name, sizeof name, "/sprof-waits-%c.%d", kind, getpid());
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
  mqd_t box = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  if (box == (mqd_t)-1) die("mq_open");
  mq_unlink(name);
  return box;
}

static void prepare_queues(void) {
  empty_mail = mailbox('e');
  full_mail = mailbox('f');
  if (mq_send(full_mail, "x", 1, 0) != 0) die("mq_send");
  full_queue = msgget(0x73707268, IPC_CREAT | 0600);
  struct {
    long type;
    char text[512];
  } message = {1, {0}};
  while (msgsnd(full_queue, &message, sizeof message.text, IPC_NOWAIT) == 0) {
  }
  struct {
    long type;
    char text[8];
  } small = {1, {0}};
  while (msgsnd(full_queue, &small, sizeof small.text, IPC_NOWAIT) == 0) {
  }
  if (errno != EAGAIN) die("msgsnd");
}

static void prepare_calls(void) {
  snprintf(fifo_path, sizeof fifo_path, "/tmp/sprof-waits-fifo.%d", getpid());
  snprintf(lock_path, sizeof lock_path, "/tmp/sprof-waits-lock.%d", getpid());
  lock_file = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  snprintf(other_path, sizeof other_path, "/tmp/sprof-waits-other.%d", getpid());
  other_file = open(other_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_file < 0 || other_file < 0 || mkfifo(fifo_path, 0600) != 0) die("files");
  start_child();
  if (pipe2(pipe_ends, O_CLOEXEC) != 0 || pipe2(full_pipe, O_CLOEXEC | O_NONBLOCK) != 0) die("pipe");
  char block[4096] = {0};
  while (write(full_pipe[1], block, sizeof block) > 0) {
  }
  fcntl(full_pipe[1], F_SETFL, 0);
  prepare_sockets();
  events = eventfd(0, EFD_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec hour = {.it_value.tv_sec = 3600};
  timerfd_settime(timer, 0, &hour, NULL);
  watcher = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(watcher, lock_path, IN_MODIFY);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signals = signalfd(-1, &set, SFD_CLOEXEC);
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) die("terminal");
  terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  poller = epoll_create1(EPOLL_CLOEXEC);
  int watched[] = {events, timer, pipe_ends[0], watcher};
  for (int i = 0; i < 4; i++) {
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, watched[i], &event) != 0) die("epoll_ctl");
  }
  semaphores = semget(0x73707267, 1, IPC_CREAT | 0600);
  queue = msgget(0x73707267, IPC_CREAT | 0600);
  if (semaphores < 0 || semctl(semaphores, 0, SETVAL, 0) != 0 || queue < 0) die("ipc");
  if (syscall(SYS_io_setup, 8, &aio) != 0) die("io_setup");
  prepare_queues();
  process_file = (int)syscall(SYS_pidfd_open, child, 0);
  if (process_file < 0) die("pidfd_open");
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, datagrams) != 0) die("socketpair");
  while (send(datagrams[0], "x", 1, MSG_DONTWAIT) == 1) {
  }
}

int main(int argc, char **argv) {
  begin();
  bool locks = argc > 1 && strcmp(argv[1], "locks") == 0;
  if (argc > 1 && strcmp(argv[1], "ring") == 0) {
    char parameters[120] = {0};
    if (syscall(SYS_io_uring_setup, 4, parameters) < 0) return 77;
    start_waiter(&ring_row);
  } else if (locks) {
    prepare_locks();
    for (size_t i = 0; i < sizeof lock_rows / sizeof *lock_rows; i++) start_waiter(&lock_rows[i]);
  } else {
    prepare_calls();
    for (long times = argument(argc, argv, 2, 1); times > 0; times--)
      for (size_t i = 0; i < sizeof call_rows / sizeof *call_rows; i++) start_waiter(&call_rows[i]);
    unlink(lock_path);
    unlink(other_path);
  }
  ready();
  for (;;) pause();
}
