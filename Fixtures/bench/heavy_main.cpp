// What sprof-bench links with 130 copies of heavy.cpp: 8 threads asleep below inlined calls.
#include <pthread.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <vector>

struct Worker {
  __attribute__((noinline)) static void *run(void *) {
    std::vector<int> values{3, 1, 2};
    std::sort(values.begin(), values.end(), [](int left, int right) {
      if (left == 1 || right == 1)
        for (;;) pause();
      return left < right;
    });
    return nullptr;
  }
};

int main() {
  for (int i = 0; i < 7; i++) {
    pthread_t thread;
    pthread_create(&thread, nullptr, Worker::run, nullptr);
  }
  usleep(100000);
  puts("ready");
  fflush(stdout);
  char byte;
  return (int)read(0, &byte, 1);
}
