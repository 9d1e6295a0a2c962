// Goroutines that are stuck in one of many ways; the first argument says in which.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"
)

var (
	mu, other sync.Mutex
	rw        sync.RWMutex
	ch        = make(chan int)
	jobs      = make(chan int)
	started   sync.WaitGroup
)

func lockIt() {
	started.Done()
	mu.Lock()
	defer mu.Unlock()
	fmt.Println("locked")
}

func readIt() {
	started.Done()
	rw.RLock()
	defer rw.RUnlock()
}

func writeIt() {
	started.Done()
	rw.Lock()
	defer rw.Unlock()
}

// Sends to the one, and would then receive from the other.
func sendAndReceive(to, from chan int) {
	started.Done()
	to <- 1
	fmt.Println(<-from)
}

func waitForEver() {
	var none chan int
	started.Done()
	<-none
}

func tick() {
	started.Done()
	for range time.Tick(100 * time.Millisecond) {
	}
}

func receive() {
	started.Done()
	fmt.Println(<-ch)
}

func send(n int) {
	started.Done()
	ch <- n
}

func choose() {
	started.Done()
	select {
	case n := <-ch:
		fmt.Println(n)
	case n := <-jobs:
		fmt.Println(n)
	}
}

func listen() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	started.Done()
	listener.Accept()
}

// Takes the lock and does not give it back.
func holdAndListen() {
	mu.Lock()
	listen()
}

func start(n int, body func()) {
	started.Add(n)
	for i := 0; i < n; i++ {
		go body()
	}
	started.Wait()
}

func waitForSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	<-signals
}

func waitForAll() {
	var group sync.WaitGroup
	group.Add(1)
	group.Wait()
}

func lockBoth(first, second *sync.Mutex) {
	first.Lock()
	time.Sleep(100 * time.Millisecond)
	started.Done()
	second.Lock()
}

// Something else can be waited for, so that the runtime does not see the deadlock itself.
func keepPoller() {
	reader, _, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	reader.Read(make([]byte, 1))
}

func main() {
	mode := os.Args[1]
	switch mode {
	case "mutex":
		start(1, holdAndListen)
		start(1000, lockIt)
	case "readlock":
		rw.Lock()
		start(100, readIt)
	case "readwrite":
		rw.RLock()
		start(2, writeIt)
		time.Sleep(100 * time.Millisecond)
		start(100, readIt)
		start(1, listen)
	case "crossed":
		start(1, func() { sendAndReceive(ch, jobs) })
		start(1, func() { sendAndReceive(jobs, ch) })
		start(1, tick)
	case "forever":
		start(2, waitForEver)
	case "receive":
		start(100, receive)
		start(1, listen)
	case "send":
		start(100, func() { send(1) })
		start(1, listen)
	case "select":
		start(100, choose)
		start(1, listen)
	case "deadlock":
		started.Add(2)
		go lockBoth(&mu, &other)
		go lockBoth(&other, &mu)
		started.Wait()
	case "all":
		// With one poller at rest the runtime's own check finds nothing.
		mu.Lock()
		start(3, lockIt)
		start(2, receive)
	case "timer":
		start(10, func() { started.Done(); time.Sleep(time.Hour) })
	case "many":
		mu.Lock()
		start(100000, lockIt)
	}
	fmt.Println("ready")
	switch mode {
	case "readwrite":
		fmt.Printf("%p\n", &rw)
		keepPoller()
	case "crossed":
		select {}
	case "all", "forever":
		// A listener that is closed leaves the poller behind.
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		go func() { time.Sleep(50 * time.Millisecond); listener.Close() }()
		listener.Accept()
		if mode == "forever" {
			select {}
		}
		waitForAll()
	case "deadlock", "timer":
		time.Sleep(time.Hour)
	case "signal":
		waitForSignal()
	default:
		keepPoller()
	}
}
