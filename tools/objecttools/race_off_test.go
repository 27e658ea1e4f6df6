//go:build !race

package objecttools

const raced = false
