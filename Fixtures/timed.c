// timed: threads that know how much CPU and wall time each of their functions took.
//
// timed [load N | children N] MODE …
//   locked MS          a thread in phases of 50, 30 and 20 % of each MS milliseconds of the clock
//   bursts SPIN SLEEP  a thread that spins for about SPIN milliseconds, then sleeps for about SLEEP
//   pinned             two threads on one CPU, each in two functions in turn
//   calls              a thread in many short system calls, and in between in none
//   pool               four threads that take jobs of three lengths from a queue
//   loop               an event loop (poll) with handlers of two lengths
// With load, N processes compute beside it; with children, N processes do it in place of this one.
//
// Answers `between FROM TO` (nanoseconds since 1970) with what the functions took in that time.
#include "fixture.h"
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>

enum { FUNCTIONS = 4, MAX_EVENTS = 1 << 21 };

// One call of a function, or a part of it.
struct event {
  long long end, wall, cpu;
  long function;
};

// Shared with child processes.
struct meter {
  atomic_long count;
  struct event events[MAX_EVENTS];
};

static struct meter *meter;
static const char *names[FUNCTIONS];
static double lengths[2];

static long long cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Adds what went by since the thread's last call to one function.
static void account(long function) {
  static _Thread_local long long last_cpu, last_wall;
  long long cpu = cpu_ns(), wall = now_ns();
  if (last_wall > 0) {
    long place = atomic_fetch_add(&meter->count, 1);
    if (place >= MAX_EVENTS) die("too many events");
    meter->events[place] = (struct event){wall, wall - last_wall, cpu - last_cpu, function};
  }
  last_cpu = cpu;
  last_wall = wall;
}

// A number that differs from call to call, around 1.
static double about_one(void) {
  static _Thread_local unsigned short state[3];
  if (state[0] == 0) memcpy(state, (unsigned short[]){(unsigned short)own_tid() | 1, 7, 3}, 6);
  return 0.5 + erand48(state);
}

static void spin_until(long long end) {
  while (now_ns() < end) {
    for (volatile int i = 0; i < 200; i++) {
    }
  }
}

// By the thread's own CPU time, so that it does not matter how often the thread has to wait.
static void burn(double milliseconds) {
  long long end = cpu_ns() + (long long)(milliseconds * about_one() * MS);
  while (cpu_ns() < end) {
    for (volatile int i = 0; i < 200; i++) {
    }
  }
}

// Each metered function has one line, so that the report has one row for it.
static NOINLINE void first_phase(long long end) { spin_until(end), account(0); }
static NOINLINE void second_phase(long long end) { spin_until(end), account(1); }
static NOINLINE void third_phase(long long end) { spin_until(end), account(2); }

static void *locked(void *unused) {
  (void)unused;
  long long period = (long long)(lengths[0] * MS);
  for (;;) {
    long long start = now_ns() / period * period;
    first_phase(start + period / 2);
    second_phase(start + period * 8 / 10);
    third_phase(start + period);
  }
}

static NOINLINE void spin_for(double length) { burn(length), account(0); }
static NOINLINE void sleep_for(double length) { sleep_ns((long long)(length * about_one() * MS)), account(1); }

static void *bursts(void *unused) {
  (void)unused;
  for (;;) {
    spin_for(lengths[0]);
    sleep_for(lengths[1]);
  }
}

static NOINLINE void left_heavy(void) { burn(8), account(0); }
static NOINLINE void left_light(void) { burn(2), account(1); }
static NOINLINE void right_heavy(void) { burn(5), account(2); }
static NOINLINE void right_light(void) { burn(0.5), account(3); }

static void *pinned(void *is_left) {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &set)) last--;
  CPU_ZERO(&set);
  CPU_SET(last, &set);
  sched_setaffinity(0, sizeof set, &set);
  for (;;) {
    if (is_left) left_heavy(), left_light();
    else right_heavy(), right_light();
  }
}

static void call_kernel(double milliseconds) {
  static _Thread_local char bytes[4096];
  int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  long long end = cpu_ns() + (long long)(milliseconds * about_one() * MS);
  while (cpu_ns() < end) {
    for (int i = 0; i < 20; i++) {
      if (read(zero, bytes, sizeof bytes) < 0) die("read");
      syscall(SYS_getppid);
    }
  }
  close(zero);
}

static NOINLINE void in_kernel(void) { call_kernel(4), account(0); }
static NOINLINE void in_program(void) { burn(3), account(1); }
static NOINLINE void at_rest(void) { sleep_ns((long long)(6 * about_one() * MS)), account(2); }

static void *calls(void *unused) {
  (void)unused;
  for (;;) {
    in_kernel();
    in_program();
    at_rest();
  }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting_jobs[3];

static int wait_for_job(void) {
  int kind = -1;
  pthread_mutex_lock(&mutex);
  while (kind < 0) {
    for (int i = 0; i < 3 && kind < 0; i++) {
      if (waiting_jobs[i] > 0) waiting_jobs[kind = i]--;
    }
    if (kind < 0) pthread_cond_wait(&changed, &mutex);
  }
  pthread_mutex_unlock(&mutex);
  return kind;
}

static NOINLINE int take_job(void) { int kind = wait_for_job(); account(0); return kind; }
static NOINLINE void short_job(void) { burn(0.7), account(1); }
static NOINLINE void long_job(void) { burn(4), account(2); }
static NOINLINE void waiting_job(void) { sleep_ns((long long)(3 * about_one() * MS)), account(3); }

static void *pool_thread(void *unused) {
  (void)unused;
  for (;;) {
    switch (take_job()) {
    case 0: short_job(); break;
    case 1: long_job(); break;
    default: waiting_job();
    }
  }
}

static void *pool_source(void *unused) {
  (void)unused;
  for (;;) {
    sleep_ns((long long)(4 * about_one() * MS));
    pthread_mutex_lock(&mutex);
    // Not more than can be done in the long run.
    for (int i = 0; i < 3; i++) {
      if (waiting_jobs[i] < 8 && about_one() < (i == 0 ? 1.4 : 0.8)) waiting_jobs[i]++;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
  }
}

static int pipes[2][2];

static NOINLINE void wait_for_events(struct pollfd *files) { poll(files, 2, -1), account(0); }
static NOINLINE void small_handler(void) { burn(0.6), account(1); }
static NOINLINE void large_handler(void) { burn(5), account(2); }

static void *loop(void *unused) {
  (void)unused;
  struct pollfd files[2] = {{.fd = pipes[0][0], .events = POLLIN}, {.fd = pipes[1][0], .events = POLLIN}};
  for (;;) {
    char byte;
    wait_for_events(files);
    if (files[0].revents && read(pipes[0][0], &byte, 1) == 1) small_handler();
    if (files[1].revents && read(pipes[1][0], &byte, 1) == 1) large_handler();
  }
}

static void *loop_source(void *unused) {
  (void)unused;
  for (;;) {
    sleep_ns((long long)(5 * about_one() * MS));
    if (about_one() < 1.3 && write(pipes[0][1], "", 1) < 0) die("write");
    if (about_one() < 0.9 && write(pipes[1][1], "", 1) < 0) die("write");
  }
}

static void start(const char *mode) {
  if (!strcmp(mode, "locked")) start_thread(locked, NULL, "worker");
  if (!strcmp(mode, "bursts")) start_thread(bursts, NULL, "worker");
  if (!strcmp(mode, "calls")) start_thread(calls, NULL, "worker");
  if (!strcmp(mode, "pinned")) {
    start_thread(pinned, (void *)1, "worker-left");
    start_thread(pinned, NULL, "worker-right");
  }
  if (!strcmp(mode, "pool")) {
    for (int i = 0; i < 4; i++) start_thread(pool_thread, NULL, "worker");
    start_thread(pool_source, NULL, "source");
  }
  if (!strcmp(mode, "loop")) {
    if (pipe(pipes[0]) < 0 || pipe(pipes[1]) < 0) die("pipe");
    start_thread(loop, NULL, "worker");
    start_thread(loop_source, NULL, "source");
  }
}

static void use_names(const char *mode) {
  static const struct {
    const char *mode, *names[FUNCTIONS];
  } known[] = {
      {"locked", {"first_phase", "second_phase", "third_phase"}},
      {"bursts", {"spin_for", "sleep_for"}},
      {"pinned", {"left_heavy", "left_light", "right_heavy", "right_light"}},
      {"calls", {"in_kernel", "in_program", "at_rest"}},
      {"pool", {"take_job", "short_job", "long_job", "waiting_job"}},
      {"loop", {"wait_for_events", "small_handler", "large_handler"}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!strcmp(mode, known[i].mode)) memcpy(names, known[i].names, sizeof names);
  }
  if (!names[0]) exit(2);
}

// Processes that end with this one.
static void start_processes(long count, const char *mode) {
  for (long i = 0; i < count; i++) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mode) start(mode);
    for (;;) {
      if (mode) pause();
    }
  }
}

static void report(long long from, long long to) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  long long offset = t.tv_sec * 1000000000LL + t.tv_nsec - now_ns();
  double wall[FUNCTIONS] = {0}, cpu[FUNCTIONS] = {0};
  long count = atomic_load(&meter->count);
  for (long i = 0; i < count; i++) {
    struct event event = meter->events[i];
    if (event.wall <= 0) continue;
    long long end = event.end + offset, begin = end - event.wall;
    long long first = begin > from ? begin : from, last = end < to ? end : to;
    if (first >= last) continue;
    double part = (double)(last - first) / event.wall;
    wall[event.function] += event.wall * part;
    cpu[event.function] += event.cpu * part;
  }
  for (int i = 0; i < FUNCTIONS && names[i]; i++) {
    printf("%s\"%s_cpu\":%.0f,\"%s_wall\":%.0f", i > 0 ? "," : "{", names[i], cpu[i], names[i], wall[i]);
  }
  puts("}");
}

int main(int argc, char **argv) {
  begin();
  meter = mmap(NULL, sizeof *meter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (meter == MAP_FAILED) die("mmap");
  long load = 0, children = 0;
  int next = 1;
  if (argc > 3 && !strcmp(argv[1], "load")) load = atol(argv[2]), next = 3;
  if (argc > 3 && !strcmp(argv[1], "children")) children = atol(argv[2]), next = 3;
  if (argc <= next) return 2;
  for (int i = next + 1; i < argc && i < next + 3; i++) lengths[i - next - 1] = atof(argv[i]);
  use_names(argv[next]);
  if (load > 0) start_processes(load, NULL);
  if (children > 0) start_processes(children, argv[next]);
  else start(argv[next]);
  while (atomic_load(&meter->count) < 16) sleep_ns(MS);
  ready();
  char line[128];
  while (next_line(line, sizeof line)) {
    long long from, to;
    if (sscanf(line, "between %lld %lld", &from, &to) == 2) report(from, to);
    fflush(stdout);
  }
  for (;;) pause();
}
