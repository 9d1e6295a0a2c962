// Functions without a frame of their own, whose callers only the table of functions shows.
package main

import "fmt"

//go:noinline
func leaf(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s += i ^ n
	}
	return s
}

//go:noinline
func tail1(n int) int { return leaf(n) + 1 }

//go:noinline
func mid(n int) int { return tail1(n) + leaf(n/2) }

func main() {
	fmt.Println("ready")
	x := 0
	for {
		x += mid(1000000)
	}
}
