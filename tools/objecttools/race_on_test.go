//go:build race

package objecttools

// isRace reports that the race detector is on. It drops pooled objects at random, so allocations can't be counted.
const isRace = true
