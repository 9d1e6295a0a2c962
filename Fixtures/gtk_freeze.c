// gtk_freeze [TIMES | animate]: a window whose handlers now and then take long. At the line `go`
// save_settings sleeps 0.4 s, wait_for_loader waits 0.3 s for a lock whose holder computes, and reindex
// computes 0.25 s, TIMES times each (2), with 0.3 s of rest before each; then it prints
// `done SECONDS...`, how long each took. With `animate` it draws 60 times a second for 10 ms each.
#include "fixture.h"
#include <gtk/gtk.h>

static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER;
static atomic_int wants_lock, has_lock;
static bool animates;
static long times, left;
static int next_handler;
static double lengths[1000];
static int length_count;

static long long cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

NOINLINE static void spend(long long ns) {
  long long end = cpu_ns() + ns;
  while (cpu_ns() < end) {
  }
}

NOINLINE static void load_orders(void) { spend(300 * MS); }

static void *loader(void *value) {
  for (;;) {
    while (!atomic_load(&wants_lock)) sleep_ns(MS);
    pthread_mutex_lock(&orders);
    atomic_store(&wants_lock, 0);
    atomic_store(&has_lock, 1);
    load_orders();
    pthread_mutex_unlock(&orders);
  }
  return value;
}

static gboolean start_next(gpointer value);

static gboolean finish(long long begin) {
  if (length_count < 1000) lengths[length_count++] = (now_ns() - begin) / 1e9;
  next_handler = (next_handler + 1) % 3;
  if (next_handler == 0) left--;
  g_timeout_add(300, start_next, NULL);
  return G_SOURCE_REMOVE;
}

NOINLINE static gboolean save_settings(gpointer value) {
  (void)value;
  long long begin = now_ns();
  sleep_ns(400 * MS);
  return finish(begin);
}

NOINLINE static gboolean wait_for_loader(gpointer value) {
  (void)value;
  if (!atomic_load(&has_lock)) return G_SOURCE_CONTINUE;
  long long begin = now_ns();
  pthread_mutex_lock(&orders);
  atomic_store(&has_lock, 0);
  pthread_mutex_unlock(&orders);
  return finish(begin);
}

NOINLINE static gboolean reindex(gpointer value) {
  (void)value;
  long long begin = now_ns();
  spend(250 * MS);
  return finish(begin);
}

NOINLINE static gboolean draw(gpointer value) {
  (void)value;
  spend(10 * MS);
  return G_SOURCE_CONTINUE;
}

static gboolean start_next(gpointer value) {
  (void)value;
  if (left == 0) {
    printf("done");
    for (int number = 0; number < length_count; number++) printf(" %.4f", lengths[number]);
    printf("\n");
    length_count = 0;
  } else if (next_handler == 0) {
    g_timeout_add(1, save_settings, NULL);
  } else if (next_handler == 1) {
    atomic_store(&wants_lock, 1);
    g_timeout_add(1, wait_for_loader, NULL);
  } else {
    g_timeout_add(1, reindex, NULL);
  }
  return G_SOURCE_REMOVE;
}

static gboolean begin_plan(gpointer value) {
  (void)value;
  left = times;
  if (animates)
    g_timeout_add(16, draw, NULL);
  else
    g_timeout_add(300, start_next, NULL);
  return G_SOURCE_REMOVE;
}

static void *commands(void *value) {
  char line[80];
  while (fgets(line, sizeof line, stdin))
    if (strncmp(line, "go", 2) == 0) g_idle_add(begin_plan, NULL);
  for (;;) pause();
  return value;
}

static gboolean settled(gpointer value) {
  (void)value;
  ready();
  return G_SOURCE_REMOVE;
}

int main(int argc, char **argv) {
  begin();
  animates = argc > 1 && strcmp(argv[1], "animate") == 0;
  times = animates ? 0 : argument(argc, argv, 1, 2);
  if (!gtk_init_check(&argc, &argv)) die("no display");
  start_thread(loader, NULL, "loader");
  start_thread(commands, NULL, "commands");
  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  gtk_widget_show_all(window);
  g_timeout_add(500, settled, NULL);
  gtk_main();
}
