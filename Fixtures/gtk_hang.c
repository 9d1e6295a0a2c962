// gtk_hang [lock | read | sleep | deadlock | owner | loop | receive | idle]: a window whose button's
// click handler does not come back; it clicks itself, unless it is to idle. Prints `ready` once the
// handler blocks or loops. `interrupted` counts EINTR of its own.
#include "fixture.h"
#include <arpa/inet.h>
#include <gtk/gtk.h>

static const char *mode = "lock";
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int holds, handler_holds, main_tid;
static atomic_long interrupted, done;
static atomic_ulong turns;
static int ends[2], connection = -1;
static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;

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

// Takes the locks in one order, and the other thread in the other.
NOINLINE static void transfer(void) {
  pthread_mutex_lock(&accounts);
  atomic_store(&handler_holds, 1);
  pthread_mutex_lock(&journal);
  atomic_fetch_add(&done, 1);
}

NOINLINE static void loop_for_ever(void) {
  for (;;) atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
}

NOINLINE static void receive_answer(void) {
  char byte;
  while (recv(connection, &byte, 1, 0) == -1 && errno == EINTR) atomic_fetch_add(&interrupted, 1);
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
  } else if (strcmp(mode, "deadlock") == 0) {
    transfer();
  } else if (strcmp(mode, "loop") == 0) {
    loop_for_ever();
  } else if (strcmp(mode, "receive") == 0) {
    receive_answer();
  } else {
    wait_for_lock();
  }
  atomic_fetch_add(&done, 1);
}

static gboolean click(gpointer button) {
  gtk_button_clicked(GTK_BUTTON(button));
  return G_SOURCE_REMOVE;
}

static gboolean rest(gpointer value) {
  (void)value;
  atomic_store(&main_tid, own_tid());
  return G_SOURCE_REMOVE;
}

NOINLINE static void post_journal(void) {
  pthread_mutex_lock(&journal);
  atomic_store(&holds, 1);
  while (!atomic_load(&handler_holds)) sleep_ns(MS);
  pthread_mutex_lock(&accounts);
  atomic_fetch_add(&done, 1);
}

NOINLINE static void refresh_orders(void) {
  pthread_mutex_lock(&mutex);
  atomic_store(&holds, 1);
  read_answer();
}

static void *holder(void *value) {
  if (strcmp(mode, "deadlock") == 0) post_journal();
  if (strcmp(mode, "owner") == 0) refresh_orders();
  pthread_mutex_lock(&mutex);
  atomic_store(&holds, 1);
  for (;;) pause();
  return value;
}

// A process that has the other end of the pipe and of a TCP connection, and sends nothing.
static void start_backend(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (pipe(ends) != 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
      listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    die("no listener");
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    prctl(PR_SET_NAME, "backend");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(ends[0]);
    accept(listener, NULL, NULL);
    for (;;) pause();
  }
  close(ends[1]);
  close(listener);
  connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connection, (struct sockaddr *)&address, length) != 0) die("connect");
}

static void report(void) {
  printf("{\"interrupted\":%ld,\"done\":%ld,\"turns\":%lu}\n", interrupted, done, turns);
}

static void *commands(void *value) {
  await_state(&main_tid, strcmp(mode, "loop") == 0 ? 'R' : 'S');
  ready();
  answer(report);
  return value;
}

int main(int argc, char **argv) {
  begin();
  if (argc > 1) mode = argv[1];
  start_backend();
  if (!gtk_init_check(&argc, &argv)) die("no display");
  start_thread(holder, NULL, "holder");
  while (!atomic_load(&holds)) sleep_ns(MS);
  start_thread(commands, NULL, "commands");
  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  GtkWidget *button = gtk_button_new_with_label("Hang");
  gtk_container_add(GTK_CONTAINER(window), button);
  g_signal_connect(button, "clicked", G_CALLBACK(on_clicked), NULL);
  gtk_widget_show_all(window);
  if (strcmp(mode, "idle") == 0) {
    g_timeout_add(300, rest, NULL);
  } else {
    g_idle_add(click, button);
  }
  gtk_main();
  return 0;
}
