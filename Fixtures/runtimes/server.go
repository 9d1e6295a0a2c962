// server [load]: an HTTP server on a free port; with `load`, four clients of its own keep it at work.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func handle(writer http.ResponseWriter, request *http.Request) {
	io.WriteString(writer, strings.Repeat("answer ", 100))
}

func ask(address string) {
	for {
		answer, err := http.Get(address)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func main() {
	time.AfterFunc(900*time.Second, func() { os.Exit(1) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 1 {
		for i := 0; i < 4; i++ {
			go ask("http://" + listener.Addr().String() + "/")
		}
	}
	fmt.Println("ready")
	http.Serve(listener, http.HandlerFunc(handle))
}
