// Go: two goroutines that wait for each other, while a third sleeps; or a server at rest.
package main

import ("fmt"; "net"; "os"; "sync"; "time")

func main() {
	switch os.Args[1] {
	case "deadlock":
		var a, b sync.Mutex
		go func() { a.Lock(); time.Sleep(100 * time.Millisecond); b.Lock() }()
		go func() { b.Lock(); time.Sleep(100 * time.Millisecond); a.Lock() }()
		time.Sleep(300 * time.Millisecond)
		fmt.Println("ready")
		go func() { for { time.Sleep(time.Second) } }()
		a.Lock()
	case "idle":
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		fmt.Println("ready")
		l.Accept()
	case "loop":
		fmt.Println("ready")
		n := 0
		for { n = n*31 + 7; if n == 5 { fmt.Println(n) } }
	}
}
