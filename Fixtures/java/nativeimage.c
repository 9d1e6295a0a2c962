// A program with the section by which native images of GraalVM are known.
#include "fixture.h"

__attribute__((section(".svm_heap"), used)) static int heap[16] = {1};

int main(void) {
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
