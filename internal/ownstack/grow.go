package ownstack

// Size is the size of a stack.
type Size int

// The sizes that [Grow] knows.
const (
	KB8 Size = iota
	KB16
	KB32
)

// Grow makes the stack of its goroutine at least that large at once. A stack that grows by itself is copied at each
// doubling, with all the frames that it has then. So Grow is called at the beginning of a goroutine.
func Grow(size Size) {
	switch size {
	case KB8:
		touch8()
	case KB16:
		touch16()
	case KB32:
		touch32()
	}
}

// Each of these has a frame of more than half of the size, so that the stack is doubled up to it.

//go:noinline
func touch8() {
	var frame [5 << 10]byte
	keep(frame[:])
}

//go:noinline
func touch16() {
	var frame [9 << 10]byte
	keep(frame[:])
}

//go:noinline
func touch32() {
	var frame [17 << 10]byte
	keep(frame[:])
}

//go:noinline
func keep(frame []byte) { frame[0] = 1 }
