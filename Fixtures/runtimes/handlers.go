// A healthy server with clients of its own: handlers share a lock, and rest between requests.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

var (
	mu    sync.Mutex
	count = map[string]int{}
)

func handle(writer http.ResponseWriter, request *http.Request) {
	mu.Lock()
	defer mu.Unlock()
	count[request.URL.Path]++
	time.Sleep(time.Millisecond)
	fmt.Fprintln(writer, count[request.URL.Path])
}

func worker(jobs <-chan string, address string) {
	for path := range jobs {
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func main() {
	http.HandleFunc("/", handle)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	jobs := make(chan string)
	for i := 0; i < 20; i++ {
		go worker(jobs, listener.Addr().String())
	}
	go http.Serve(listener, nil)
	fmt.Println("ready")
	for i := 0; ; i++ {
		jobs <- fmt.Sprintf("/%d", i%7)
		time.Sleep(500 * time.Microsecond)
	}
}
