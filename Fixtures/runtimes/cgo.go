// A goroutine in C, called back from C, or on the runtime's own stack; the argument says which.
package main

/*
#include <unistd.h>
typedef void (*cb)(int);
extern void goCallback(int);
static void __attribute__((noinline)) c_spin(int n) { volatile long x = 0; for (long i = 0; i < (long)n * 1000; i++) x += i; }
static void __attribute__((noinline)) c_sleep(int n) { usleep(n * 1000); }
static void __attribute__((noinline)) c_calls_back(int n) { goCallback(n); }
*/
import "C"
import (
	"fmt"
	"os"
	"runtime"
	"time"
)

//export goCallback
func goCallback(n C.int) { goBusy(int(n)) }

//go:noinline
func goBusy(n int) int {
	s := 0
	for i := 0; i < n*1000; i++ {
		s += i ^ n
	}
	return s
}

//go:noinline
func spinInC() {
	for {
		C.c_spin(20000)
	}
}

//go:noinline
func sleepInC() {
	for {
		C.c_sleep(100000)
	}
}

//go:noinline
func callsBack() {
	for {
		C.c_calls_back(20000)
	}
}

//go:noinline
func callersLoop() {
	pcs := make([]uintptr, 32)
	for {
		runtime.Callers(0, pcs)
	}
}

func main() {
	runtime.LockOSThread()
	fmt.Println("ready")
	switch os.Args[1] {
	case "spin":
		spinInC()
	case "sleep":
		sleepInC()
	case "back":
		callsBack()
	case "callers":
		callersLoop()
	}
	time.Sleep(time.Hour)
}
