// What the example programs share. Each prints `ready` once its threads are in place, answers the
// line `report` on its standard input with one line of JSON, and ends by SIGKILL.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define MS 1000000LL

// Call at the start of main. A test that dies leaves its programs behind: each ends itself, after
// FIXTURE_SECONDS where that is set.
static inline void begin(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
  timer_t timer;
  const char *seconds = getenv("FIXTURE_SECONDS");
  struct itimerspec spec = {.it_value.tv_sec = seconds ? atol(seconds) : 900};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_settime(timer, 0, &spec, NULL);
}

static inline void ready(void) {
  puts("ready");
  fflush(stdout);
}

static inline void die(const char *what) {
  perror(what);
  _exit(99);
}

static inline long argument(int argc, char **argv, int index, long otherwise) {
  return argc > index ? atol(argv[index]) : otherwise;
}

static inline long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline pid_t own_tid(void) { return (pid_t)syscall(SYS_gettid); }

static inline void sleep_ns(long long ns) {
  struct timespec t = {ns / 1000000000LL, ns % 1000000000LL};
  while (nanosleep(&t, &t) == -1 && errno == EINTR) {
  }
}

static inline pthread_t start_thread(void *(*body)(void *), void *value, const char *name) {
  pthread_t thread;
  int code = pthread_create(&thread, NULL, body, value);
  if (code != 0) {
    errno = code;
    die("pthread_create");
  }
  if (name) pthread_setname_np(thread, name);
  return thread;
}

// The state letter of a thread of this process, 0 when there is none.
static inline char thread_state(pid_t tid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t count = read(fd, text, sizeof text - 1);
  close(fd);
  if (count <= 0) return 0;
  text[count] = 0;
  char *end = strrchr(text, ')');
  return end && end[1] ? end[2] : 0;
}

// Returns once the thread has announced its tid and has reached `state`.
static inline void await_state(const atomic_int *tid, char state) {
  for (;;) {
    int value = atomic_load(tid);
    if (value > 0 && thread_state(value) == state) return;
    sleep_ns(MS / 2);
  }
}

// Waits for the next line on standard input; false at its end.
static inline bool next_line(char *line, size_t size) {
  size_t count = 0;
  for (;;) {
    char byte;
    ssize_t got = read(0, &byte, 1);
    if (got == -1 && errno == EINTR) continue;
    if (got <= 0) return false;
    if (byte == '\n') break;
    if (count + 1 < size) line[count++] = byte;
  }
  line[count] = 0;
  return true;
}

// Answers each `report` by calling `report`, for ever.
static inline void answer(void (*report)(void)) {
  char line[64];
  while (next_line(line, sizeof line)) {
    if (strcmp(line, "report") == 0) {
      report();
      fflush(stdout);
    }
  }
  for (;;) pause();
}
