// More goroutines than work: the runtime's threads are parked.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	var lock sync.Mutex
	lock.Lock()
	for i := 0; i < 8; i++ {
		go func() {
			total := 0
			for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
				total++
			}
			lock.Lock()
		}()
	}
	time.Sleep(300 * time.Millisecond)
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
