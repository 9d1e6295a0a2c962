// A thread that sleeps in inner(), called by outer(), where its code or its stack is not in the usual place.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;

static void announce(void) {
  puts("ready");
  fflush(stdout);
}

__attribute__((noinline)) static void inner(void) {
  for (;;) pause();
}

__attribute__((noinline)) static void outer(void) {
  inner();
  __asm__ volatile("");
}

// A handler that does not return, as those of crash reporters, on a stack of its own.
static void handler(int signal) {
  (void)signal;
  announce();
  outer();
}

__attribute__((noinline)) static void interrupted(void) {
  raise(SIGUSR1);
  __asm__ volatile("");
}

static void on_signal(int flags) {
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(SIGUSR1, &action, NULL);
  interrupted();
}

// From a file without a name.
static void from_memory(void) {
  int copy = memfd_create("unpacked", MFD_CLOEXEC);
  int own = open("/proc/self/exe", O_RDONLY);
  char bytes[65536];
  ssize_t count;
  while ((count = read(own, bytes, sizeof bytes)) > 0)
    if (write(copy, bytes, count) != count) abort();
  close(own);
  char *arguments[] = {"unpacked", "plain", NULL};
  fexecve(copy, arguments, environ);
}

// The code's pages become anonymous ones with the same bytes, as where a program asks for large pages.
__attribute__((noinline, section(".mover"))) static void move(void) {
  uintptr_t begin = (uintptr_t)&announce & ~4095UL;
  uintptr_t end = ((uintptr_t)&from_memory | 4095) + 1;
  size_t size = end - begin;
  char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(copy, (void *)begin, size);
  mprotect(copy, size, PROT_READ | PROT_EXEC);
  mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)begin);
}

static ucontext_t main_context, context;

static void coroutine(void) {
  announce();
  outer();
}

static void in_coroutine(void) {
  getcontext(&context);
  context.uc_stack.ss_sp = malloc(65536);
  context.uc_stack.ss_size = 65536;
  context.uc_link = &main_context;
  makecontext(&context, coroutine, 0);
  swapcontext(&main_context, &context);
}

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "plain";
  if (!strcmp(mode, "handler")) on_signal(SA_ONSTACK);
  if (!strcmp(mode, "same-stack")) on_signal(0);
  if (!strcmp(mode, "memory")) from_memory();
  if (!strcmp(mode, "moved")) move();
  if (!strcmp(mode, "coroutine")) in_coroutine();
  announce();
  outer();
}
