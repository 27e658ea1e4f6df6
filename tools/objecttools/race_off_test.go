//go:build !race

package objecttools

const isRace = false
