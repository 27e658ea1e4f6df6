//go:build race

package objecttools

// raced: the race detector lets pools forget at random, so allocations can't be counted.
const raced = true
