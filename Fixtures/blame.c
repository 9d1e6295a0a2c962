// A main thread that waits for what others do while they hold it up, and a record of who did what
// when: the truth that a tree of blame is compared with.
//
// blame lock|pipe|chain|rwlock
#include "fixture.h"

#include <sys/mman.h>

struct stretch {
  const char *who, *did;
  long long start, end;
};

// Shared with the second process.
static struct {
  atomic_int count;
  struct stretch list[60000];
} *record;

static long long clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(const char *who, const char *did, long long start) {
  int place = atomic_fetch_add(&record->count, 1);
  if (place >= 60000) die("the record is full");
  record->list[place] = (struct stretch){who, did, start, clock_now()};
}

static volatile unsigned long sink;

// The same in each, so that no other function of the program has its time.
#define COMPUTE(name)                                                  \
  NOINLINE void name(long long ns) {                                   \
    struct timespec first, now;                                        \
    clock_gettime(CLOCK_MONOTONIC, &first);                            \
    do {                                                               \
      for (int i = 0; i < 200; i++) sink = sink * 31 + i;              \
      clock_gettime(CLOCK_MONOTONIC, &now);                            \
    } while ((now.tv_sec - first.tv_sec) * 1000000000LL + now.tv_nsec - first.tv_nsec < ns); \
  }

COMPUTE(compute_prices)
COMPUTE(parse_reply)
COMPUTE(build_index)
COMPUTE(own_work)

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t index_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static int question[2], answer_pipe[2];

NOINLINE void ask_server(void) {
  char byte = 'q';
  long long start = clock_now();
  if (write(question[1], &byte, 1) != 1 || read(answer_pipe[0], &byte, 1) != 1) _exit(1);
  note("network", "ask", start);
}

static void backend(void) {
  prctl(PR_SET_NAME, "backend");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(question[1]);
  close(answer_pipe[0]);
  char byte;
  while (read(question[0], &byte, 1) == 1) {
    long long start = clock_now();
    parse_reply(60 * MS);
    note("backend", "compute", start);
    if (write(answer_pipe[1], &byte, 1) != 1) break;
  }
  _exit(0);
}

static void *network(void *asks) {
  for (;;) {
    pthread_mutex_lock(&orders_lock);
    long long start = clock_now();
    compute_prices(asks ? 20 * MS : 50 * MS);
    note("network", "compute", start);
    if (asks) ask_server();
    pthread_mutex_unlock(&orders_lock);
    sleep_ns(15 * MS);
  }
}

static void *indexer(void *unused) {
  (void)unused;
  for (;;) {
    pthread_mutex_lock(&index_lock);
    long long start = clock_now();
    build_index(60 * MS);
    note("indexer", "compute", start);
    pthread_mutex_unlock(&index_lock);
    sleep_ns(20 * MS);
  }
}

static void *middle(void *unused) {
  (void)unused;
  for (;;) {
    pthread_mutex_lock(&orders_lock);
    long long start = clock_now();
    pthread_mutex_lock(&index_lock);
    note("middle", "wait", start);
    pthread_mutex_unlock(&index_lock);
    start = clock_now();
    compute_prices(10 * MS);
    note("middle", "compute", start);
    pthread_mutex_unlock(&orders_lock);
    sleep_ns(10 * MS);
  }
}

static void *writer(void *unused) {
  (void)unused;
  for (;;) {
    pthread_rwlock_wrlock(&table_lock);
    long long start = clock_now();
    compute_prices(50 * MS);
    note("writer", "compute", start);
    pthread_rwlock_unlock(&table_lock);
    sleep_ns(15 * MS);
  }
}

NOINLINE void take_order(bool reads) {
  long long start = clock_now();
  if (reads) pthread_rwlock_rdlock(&table_lock);
  else pthread_mutex_lock(&orders_lock);
  note("main", "wait", start);
  if (reads) pthread_rwlock_unlock(&table_lock);
  else pthread_mutex_unlock(&orders_lock);
  start = clock_now();
  own_work(7 * MS);
  note("main", "own", start);
}

static void report(void) {
  int count = atomic_load(&record->count);
  printf("[");
  for (int i = 0; i < count; i++) {
    struct stretch *s = &record->list[i];
    printf("%s{\"who\":\"%s\",\"did\":\"%s\",\"start\":%lld,\"end\":%lld}", i ? "," : "",
           s->who ? s->who : "", s->did ? s->did : "", s->start, s->end);
  }
  printf("]\n");
}

static void *answers(void *unused) {
  answer(report);
  return unused;
}

int main(int argc, char **argv) {
  begin();
  record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (record == MAP_FAILED) die("mmap");
  const char *mode = argc > 1 ? argv[1] : "lock";
  bool asks = strcmp(mode, "pipe") == 0, reads = strcmp(mode, "rwlock") == 0;
  if (asks) {
    if (pipe(question) || pipe(answer_pipe)) die("pipe");
    pid_t child = fork();
    if (child == 0) backend();
    if (child < 0) die("fork");
    close(question[0]);
    close(answer_pipe[1]);
  }
  start_thread(answers, NULL, "answers");
  if (strcmp(mode, "chain") == 0) {
    start_thread(indexer, NULL, "indexer");
    start_thread(middle, NULL, "middle");
  } else if (reads) {
    start_thread(writer, NULL, "writer");
  } else {
    start_thread(network, asks ? question : NULL, "network");
  }
  ready();
  for (;;) take_order(reads);
}
