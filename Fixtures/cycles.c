// cycles KIND: threads that wait for each other for ever, by locks of that kind: mutex, five, pi,
// robust, rwlock, join, self; or behind a lock whose owner has ended: orphan.
#include "fixture.h"

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t audit_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t ring[5];
static pthread_barrier_t all_hold;
static atomic_int tids[8];

static void announce(int slot) { atomic_store(&tids[slot], own_tid()); }

static void *orders_then_audit(void *slot) {
  pthread_mutex_lock(&orders_lock);
  pthread_barrier_wait(&all_hold);
  announce((int)(long)slot);
  pthread_mutex_lock(&audit_lock);
  return NULL;
}

static void *audit_then_orders(void *slot) {
  pthread_mutex_lock(&audit_lock);
  pthread_barrier_wait(&all_hold);
  announce((int)(long)slot);
  pthread_mutex_lock(&orders_lock);
  return NULL;
}

static void *in_ring(void *slot) {
  int own = (int)(long)slot;
  pthread_mutex_lock(&ring[own]);
  pthread_barrier_wait(&all_hold);
  announce(own);
  pthread_mutex_lock(&ring[(own + 1) % 5]);
  return NULL;
}

static void *table_then_orders(void *slot) {
  pthread_rwlock_wrlock(&table_lock);
  pthread_barrier_wait(&all_hold);
  announce((int)(long)slot);
  pthread_mutex_lock(&orders_lock);
  return NULL;
}

static void *orders_then_table(void *slot) {
  pthread_mutex_lock(&orders_lock);
  pthread_barrier_wait(&all_hold);
  announce((int)(long)slot);
  pthread_rwlock_rdlock(&table_lock);
  return NULL;
}

static void *wants_orders(void *slot) {
  announce((int)(long)slot);
  pthread_mutex_lock(&orders_lock);
  return NULL;
}

static void *twice(void *slot) {
  pthread_mutex_lock(&orders_lock);
  announce((int)(long)slot);
  pthread_mutex_lock(&orders_lock);
  return NULL;
}

static void *ends_with_lock(void *unused) {
  pthread_mutex_lock(&orders_lock);
  return unused;
}

static void start_all(int count, void *(*bodies[])(void *)) {
  pthread_barrier_init(&all_hold, NULL, count);
  for (int i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "worker-%d", i);
    start_thread(bodies[i], (void *)(long)i, name);
  }
  for (int i = 0; i < count; i++) await_state(&tids[i], 'S');
}

static void set_up(const char *kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (strcmp(kind, "pi") == 0) pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (strcmp(kind, "robust") == 0) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&orders_lock, &attributes);
  pthread_mutex_init(&audit_lock, &attributes);
  for (int i = 0; i < 5; i++) pthread_mutex_init(&ring[i], &attributes);
}

int main(int argc, char **argv) {
  begin();
  const char *kind = argc > 1 ? argv[1] : "mutex";
  set_up(kind);
  if (strcmp(kind, "five") == 0) {
    start_all(5, (void *(*[])(void *)){in_ring, in_ring, in_ring, in_ring, in_ring});
  } else if (strcmp(kind, "rwlock") == 0) {
    start_all(2, (void *(*[])(void *)){table_then_orders, orders_then_table});
  } else if (strcmp(kind, "self") == 0) {
    start_all(1, (void *(*[])(void *)){twice});
  } else if (strcmp(kind, "join") == 0) {
    pthread_mutex_lock(&orders_lock);
    pthread_t worker = start_thread(wants_orders, 0, "worker-0");
    await_state(&tids[0], 'S');
    ready();
    pthread_join(worker, NULL);
  } else if (strcmp(kind, "orphan") == 0) {
    pthread_join(start_thread(ends_with_lock, NULL, "gone"), NULL);
    start_all(1, (void *(*[])(void *)){wants_orders});
  } else {
    start_all(2, (void *(*[])(void *)){orders_then_audit, audit_then_orders});
  }
  if (strcmp(kind, "join") != 0) ready();
  for (;;) pause();
}
