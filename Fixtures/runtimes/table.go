// Prints what the program's own runtime says of addresses in some of its functions.
package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// The innermost function and line of each fifth address; inlined ones count.
func describe(function interface{}) {
	start := reflect.ValueOf(function).Pointer()
	for pc := start; runtime.FuncForPC(pc).Entry() == start; pc += 5 {
		// It takes an address to be that of a return.
		frame, _ := runtime.CallersFrames([]uintptr{pc + 1}).Next()
		fmt.Printf("%d %s %s:%d\n", pc, frame.Function, frame.File, frame.Line)
	}
}

func main() {
	describe(fmt.Fprintf)
	describe(os.ReadFile)
	describe(sort.Strings)
	describe(strconv.ParseFloat)
	describe(strings.Fields)
	describe(describe)
	fmt.Println("done")
}
