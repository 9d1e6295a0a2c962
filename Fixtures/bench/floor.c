// floor PID TID RATE SECONDS [BYTES]: the least that a profiler which stops a running thread can do,
// in bare calls: seize, interrupt, waitpid, registers, 64 KiB of stack (or BYTES, also 0), detach. What
// sprof-bench compares sprof's own stops with. TID 0 stands for all threads that run. Prints one line
// of JSON.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COPY = 64 << 10, MAX_STOPS = 1 << 20, MAX_THREADS = 4096 };

static char stack[COPY];
static size_t copy_size = COPY;
static long long pauses[MAX_STOPS];

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static pid_t threads[MAX_THREADS];
static int calls[MAX_THREADS];
static int thread_count;

static void add_thread(pid_t pid, pid_t tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, tid);
  calls[thread_count] = open(path, O_RDONLY);
  if (calls[thread_count] >= 0) threads[thread_count++] = tid;
}

static void find_threads(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *folder = opendir(path);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) && thread_count < MAX_THREADS;)
    if (atoi(entry->d_name) > 0) add_thread(pid, atoi(entry->d_name));
  closedir(folder);
}

// "running", or the number of the system call that it sleeps in.
static int is_running(int index) {
  char first = 0;
  return pread(calls[index], &first, 1, 0) == 1 && first == 'r';
}

// Returns 0 when the thread cannot be stopped.
static int stop_once(pid_t pid, pid_t tid, long *count) {
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) return 0;
  long long begin = now_ns();
  int status;
  if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0) return 0;
  if (waitpid(tid, &status, __WALL) < 0 || !WIFSTOPPED(status)) return 0;
  struct user_regs_struct registers;
  struct iovec vector = {&registers, sizeof registers};
  ptrace(PTRACE_GETREGSET, tid, (void *)1, &vector);
  struct iovec local = {stack, copy_size}, remote = {(void *)registers.rsp, copy_size};
  if (copy_size > 0) process_vm_readv(pid, &local, 1, &remote, 1, 0);
  ptrace(PTRACE_DETACH, tid, 0, 0);
  pauses[(*count)++] = now_ns() - begin;
  return 1;
}

static int ascending(const void *left, const void *right) {
  long long a = *(const long long *)left, b = *(const long long *)right;
  return a < b ? -1 : a > b;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  pid_t pid = atoi(argv[1]), tid = atoi(argv[2]);
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  if (argc > 5 && (size_t)atol(argv[5]) < COPY) copy_size = atol(argv[5]);
  setpriority(PRIO_PROCESS, 0, -20);
  if (tid != 0) add_thread(pid, tid);
  else find_threads(pid);
  long count = 0, planned = (long)(rate * seconds);
  long long start = now_ns();
  for (long tick = 1; tick <= planned && count < MAX_STOPS; tick++) {
    long long due = start + (long long)(tick * 1e9 / rate);
    if (now_ns() > due + (long long)(1e9 / rate)) continue;
    struct timespec time = {due / 1000000000LL, due % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    int is_gone = 0;
    for (int index = 0; index < thread_count && count < MAX_STOPS; index++)
      if (tid != 0 || is_running(index)) is_gone |= !stop_once(pid, threads[index], &count);
    if (is_gone && tid != 0) break;
  }
  qsort(pauses, count, sizeof *pauses, ascending);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"stops\":%ld,\"planned\":%ld,\"p50_ns\":%lld,\"p99_ns\":%lld,\"cpu_s\":%.4f}\n", count,
         planned, count ? pauses[count / 2] : 0, count ? pauses[count * 99 / 100] : 0,
         usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
             (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  return 0;
}
