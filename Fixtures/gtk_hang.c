// gtk_hang [lock | read | sleep]: a window whose button's click handler blocks; it clicks itself.
// Prints `ready` in the handler, just before it blocks. `interrupted` counts EINTR of its own.
#include "fixture.h"
#include <gtk/gtk.h>

static const char *mode = "lock";
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int holds, main_tid;
static atomic_long interrupted, done;
static int ends[2];

NOINLINE static void wait_for_lock(void) {
  pthread_mutex_lock(&mutex);
  atomic_fetch_add(&done, 1);
}

NOINLINE static void read_answer(void) {
  char byte;
  while (read(ends[0], &byte, 1) == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
  atomic_fetch_add(&done, 1);
}

NOINLINE static void sleep_long(void) {
  struct timespec left = {.tv_sec = 3600};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
  atomic_fetch_add(&done, 1);
}

NOINLINE static void on_clicked(GtkButton *button, gpointer data) {
  (void)button;
  (void)data;
  atomic_store(&main_tid, own_tid());
  if (strcmp(mode, "read") == 0) {
    read_answer();
  } else if (strcmp(mode, "sleep") == 0) {
    sleep_long();
  } else {
    wait_for_lock();
  }
  atomic_fetch_add(&done, 1);
}

static gboolean click(gpointer button) {
  gtk_button_clicked(GTK_BUTTON(button));
  return G_SOURCE_REMOVE;
}

static void *holder(void *value) {
  pthread_mutex_lock(&mutex);
  atomic_store(&holds, 1);
  for (;;) pause();
  return value;
}

static void report(void) {
  printf("{\"interrupted\":%ld,\"done\":%ld}\n", interrupted, done);
}

static void *commands(void *value) {
  await_state(&main_tid, 'S');
  ready();
  answer(report);
  return value;
}

int main(int argc, char **argv) {
  begin();
  if (argc > 1) mode = argv[1];
  if (!gtk_init_check(&argc, &argv) || pipe(ends) != 0) die("no display");
  start_thread(holder, NULL, "holder");
  while (!atomic_load(&holds)) sleep_ns(MS);
  start_thread(commands, NULL, "commands");
  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  GtkWidget *button = gtk_button_new_with_label("Hang");
  gtk_container_add(GTK_CONTAINER(window), button);
  g_signal_connect(button, "clicked", G_CALLBACK(on_clicked), NULL);
  gtk_widget_show_all(window);
  g_idle_add(click, button);
  gtk_main();
  return 0;
}
