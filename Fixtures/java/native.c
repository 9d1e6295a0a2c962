// The native method of Native.java, which takes a mutex.
#include <jni.h>
#include <pthread.h>

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static int take_ledger(void) { return pthread_mutex_lock(&ledger) + 1; }

JNIEXPORT void JNICALL Java_Native_lockLedger(JNIEnv *env, jclass type) {
  (void)env;
  (void)type;
  static volatile int sum;
  sum += take_ledger();
}
