// brief [MS [EXIT_CODE [LINES]]] | tell | signals N | kill N | cpu MS | exec PROGRAM …: a program to be
// started; computes for some milliseconds and ends, or prints what it was started with.
#include "fixture.h"
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern char **environ;

NOINLINE static void work_hard(long long ns) {
  volatile double x = 0;
  for (long long end = now_ns() + ns; now_ns() < end;) {
    for (int i = 0; i < 1000; i++) x += i * .5;
  }
}

static void copy_lines(const char *path, const char *prefix) {
  char line[4096];
  FILE *file = fopen(path, "re");
  if (!file) die(path);
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, prefix, strlen(prefix)) == 0) fputs(line, stdout);
  }
  fclose(file);
}

static void list_files(void) {
  DIR *folder = opendir("/proc/self/fd");
  if (!folder) die("/proc/self/fd");
  struct dirent *entry;
  int numbers[256] = {0};
  while ((entry = readdir(folder))) {
    int number = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != dirfd(folder) && number < 256) numbers[number] = 1;
  }
  closedir(folder);
  for (int i = 0; i < 256; i++) {
    if (numbers[i]) printf("file %d\n", i);
  }
}

// What a starter may leave to a program besides its arguments.
static void tell(void) {
  const char *keys[] = {"Sig", "Shd", "Cap", "NoNewPrivs", "Seccomp:", "TracerPid", "Cpus_allowed:"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) copy_lines("/proc/self/status", keys[i]);
  copy_lines("/proc/self/limits", "");
  list_files();
  for (char **variable = environ; *variable; variable++) printf("env %s\n", *variable);
  char folder[4096];
  printf("folder %s\n", getcwd(folder, sizeof folder) ? folder : "?");
  printf("nice %d slack %d dumpable %d\n", getpriority(PRIO_PROCESS, 0), prctl(PR_GET_TIMERSLACK),
         prctl(PR_GET_DUMPABLE));
  printf("umask %o group %d\n", umask(0), getpgrp() == getpid());
}

static volatile sig_atomic_t counts[65];
static volatile sig_atomic_t arrived;

static void note(int signal) {
  counts[signal]++;
  arrived++;
}

// Waits for so many signals, and a while longer for those that nobody sent.
static void count_signals(long wanted) {
  const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGTSTP, SIGCONT};
  const size_t size = sizeof numbers / sizeof *numbers;
  struct sigaction action = {.sa_handler = note};
  for (size_t i = 0; i < size; i++) {
    if (numbers[i] != SIGTSTP) sigaction(numbers[i], &action, NULL);
  }
  ready();
  while (arrived < wanted) sleep_ns(MS);
  sleep_ns(200 * MS);
  for (size_t i = 0; i < size; i++) printf("%s%d", i ? " " : "", (int)counts[numbers[i]]);
  puts("");
}

static long long cpu_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000LL + used.tv_nsec;
}

int main(int argc, char **argv) {
  long long before_main = cpu_ns();
  if (argc > 1 && strcmp(argv[1], "tell") == 0) {
    tell();
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "signals") == 0) {
    begin();
    count_signals(argument(argc, argv, 2, 1));
    return 5;
  }
  if (argc > 1 && strcmp(argv[1], "kill") == 0) {
    kill(getpid(), (int)argument(argc, argv, 2, SIGTERM));
    pause();
  }
  if (argc > 1 && strcmp(argv[1], "cpu") == 0) {
    work_hard(argument(argc, argv, 2, 30) * MS);
    long long used = cpu_ns();
    // Before main is what its starter did in this process, too.
    printf("%lld %lld\n", used - before_main, used);
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "exec") == 0) {
    execvp(argv[2], argv + 2);
    die("execvp");
  }
  work_hard(argument(argc, argv, 1, 30) * MS);
  // Enough pieces that a loss would show.
  for (long i = 0; i < argument(argc, argv, 3, 0); i++) {
    printf("line %ld\n", i);
    fflush(stdout);
    work_hard(MS);
  }
  return (int)argument(argc, argv, 2, 0);
}
