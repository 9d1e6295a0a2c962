// freezes THREADS BUSY [AT:KIND:LENGTH]...: an event loop of its own that wakes up every 10 ms and, in a
// handler, does not come back for LENGTH ms, AT ms after its start; KIND is `sleep`, `compute`, `lock` (a
// mutex that "owner" holds) or `read` (from a pipe). THREADS others sleep; each of BUSY ms of 16 the loop
// computes, like an animation. Built with GTK, the loop is GTK's.
// Reports `interrupted`, the EINTR that it met; `gap`, the longest time in ms between two rests outside a
// freeze; `frozen`, how many freezes are over, and for each, as `freeze0` and `began0`, its length and when it
// began, in ms of the clock of the day.
#include "fixture.h"
#include <sys/epoll.h>
#ifdef WITH_GTK
#include <gtk/gtk.h>
#endif

enum { MOST = 64 };
static struct {
  long long at, length;
  const char *kind;
} plan[MOST];
static int planned;
static atomic_int frozen;
static atomic_long interrupted, gap, lengths[MOST], begins[MOST];
static long busy;
static long long start, last_rest;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_llong hold_for;
static atomic_int holds;
static int ends[2];
static volatile unsigned long sum;

NOINLINE static void compute_until(long long end) {
  while (now_ns() < end) sum += 1;
}

NOINLINE static void save_settings(long long length) {
  struct timespec left = {length / 1000000000LL, length % 1000000000LL};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
}

NOINLINE static void reindex(long long length) { compute_until(now_ns() + length); }

NOINLINE static void update_orders(long long length) {
  atomic_store(&holds, 0);
  atomic_store(&hold_for, length);
  while (!atomic_load(&holds)) sched_yield();
  pthread_mutex_lock(&held_lock);
  pthread_mutex_unlock(&held_lock);
}

NOINLINE static void fetch_answer(long long length) {
  char byte;
  atomic_store(&hold_for, -length);
  while (read(ends[0], &byte, 1) == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
}

static void *own(void *value) {
  for (;;) {
    long long length = atomic_exchange(&hold_for, 0);
    if (length > 0) {
      pthread_mutex_lock(&held_lock);
      atomic_store(&holds, 1);
      sleep_ns(length);
      pthread_mutex_unlock(&held_lock);
    } else if (length < 0) {
      sleep_ns(-length);
      if (write(ends[1], "x", 1) != 1) die("write");
    } else {
      sleep_ns(MS);
    }
  }
  return value;
}

// Called by the loop every 10 ms.
NOINLINE static void on_tick(void) {
  long long now = now_ns();
  int next = atomic_load(&frozen);
  if (next < planned && now - start >= plan[next].at) {
    const char *kind = plan[next].kind;
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    atomic_store(&begins[next], clock.tv_sec * 1000 + clock.tv_nsec / MS);
    if (strcmp(kind, "sleep") == 0) save_settings(plan[next].length);
    if (strcmp(kind, "compute") == 0) reindex(plan[next].length);
    if (strcmp(kind, "lock") == 0) update_orders(plan[next].length);
    if (strcmp(kind, "read") == 0) fetch_answer(plan[next].length);
    last_rest = now_ns();
    atomic_store(&lengths[next], (last_rest - now) / MS);
    atomic_store(&frozen, next + 1);
    return;
  }
  if (busy) compute_until(now + busy * MS);
  long passed = (long)((now - last_rest) / MS);
  last_rest = now_ns();
  if (passed > atomic_load(&gap)) atomic_store(&gap, passed);
}

static void *rest_for_ever(void *value) {
  for (;;) pause();
  return value;
}

static void report(void) {
  int count = atomic_load(&frozen);
  printf("{\"interrupted\":%ld,\"gap\":%ld,\"frozen\":%d", atomic_load(&interrupted),
         atomic_load(&gap), count);
  for (int i = 0; i < count; i++)
    printf(",\"freeze%d\":%ld,\"began%d\":%ld", i, atomic_load(&lengths[i]), i,
           atomic_load(&begins[i]));
  puts("}");
}

static void *answer_all(void *value) {
  answer(report);
  return value;
}

#ifdef WITH_GTK
static gboolean tick(gpointer value) {
  (void)value;
  on_tick();
  return G_SOURCE_CONTINUE;
}

static gboolean is_ready(gpointer value) {
  (void)value;
  ready();
  return G_SOURCE_REMOVE;
}

static void run_loop(int argc, char **argv) {
  gtk_init(&argc, &argv);
  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  gtk_widget_show_all(window);
  start = last_rest = now_ns();
  g_timeout_add(busy ? 16 : 10, tick, NULL);
  g_idle_add(is_ready, NULL);
  gtk_main();
}
#else
static void run_loop(int argc, char **argv) {
  (void)argc;
  (void)argv;
  struct epoll_event event;
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) die("epoll_create1");
  start = last_rest = now_ns();
  ready();
  for (;;) {
    int count = epoll_wait(queue, &event, 1, busy ? (int)(16 - busy) : 10);
    if (count == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
    on_tick();
  }
}
#endif

int main(int argc, char **argv) {
  begin();
  long count = argument(argc, argv, 1, 0);
  busy = argument(argc, argv, 2, 0);
  for (int i = 3; i < argc && planned < MOST; i++) {
    char *kind = strchr(argv[i], ':');
    if (!kind) die("AT:KIND:LENGTH");
    *kind++ = 0;
    char *length = strchr(kind, ':');
    if (!length) die("AT:KIND:LENGTH");
    *length++ = 0;
    plan[planned].at = atol(argv[i]) * MS;
    plan[planned].kind = kind;
    plan[planned++].length = atol(length) * MS;
  }
  if (pipe2(ends, O_CLOEXEC) != 0) die("pipe2");
  start_thread(own, NULL, "owner");
  for (long i = 0; i < count; i++) start_thread(rest_for_ever, NULL, "sleeper");
  start_thread(answer_all, NULL, "answer");
  run_loop(argc, argv);
  return 0;
}
