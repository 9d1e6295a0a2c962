// program32: a 32-bit program without a C library, built with -m32 -nostdlib -static. Waits in a futex,
// whose number, 240, is another call's in a 64-bit program.
static int call(int number, int a, int b, int c, int d) {
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                   : "memory");
  return result;
}

static int word;

void _start(void) {
  call(4, 1, (int)"ready\n", 6, 0);
  for (;;) call(240, (int)&word, 0, 0, 0);
}
