// A program that hangs, for `make demo`: main wants the lock that the worker holds, and the worker
// waits for an answer that never comes.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { POOL = 4 };

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static int server[2];
static volatile int orders;

__attribute__((noinline)) static int ask_server(void) {
  char answer;
  return read(server[0], &answer, 1) == 1 ? answer : -1;
}

__attribute__((noinline)) static void refresh_orders(void) {
  pthread_mutex_lock(&orders_lock);
  puts("locked");
  fflush(stdout);
  orders = ask_server();
  pthread_mutex_unlock(&orders_lock);
}

static void *network_thread(void *unused) {
  refresh_orders();
  return unused;
}

static void *pool_thread(void *unused) {
  pthread_mutex_lock(&queue_lock);
  for (;;) pthread_cond_wait(&queue_filled, &queue_lock);
  return unused;
}

static inline int count_orders(void) {
  pthread_mutex_lock(&orders_lock);
  int count = orders;
  pthread_mutex_unlock(&orders_lock);
  return count;
}

__attribute__((noinline)) static void draw_window(void) { printf("%d orders\n", count_orders()); }

__attribute__((noinline)) static void on_refresh_clicked(void) {
  draw_window();
  orders = orders + 1;
}

int main(void) {
  pthread_t thread;
  // Where Yama lets only parents trace (Ubuntu), the demo would need root.
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  if (pipe(server) != 0) return 1;
  for (int i = 0; i < POOL; i++) {
    if (pthread_create(&thread, NULL, pool_thread, NULL) != 0) return 1;
    pthread_setname_np(thread, "pool");
  }
  if (pthread_create(&thread, NULL, network_thread, NULL) != 0) return 1;
  pthread_setname_np(thread, "network");
  // The demo is told apart from a slow start by the line that the network thread prints.
  while (pthread_mutex_trylock(&orders_lock) == 0) {
    pthread_mutex_unlock(&orders_lock);
    usleep(1000);
  }
  on_refresh_clicked();
  return 0;
}
