//go:build !linux

package bolt

import "go.etcd.io/bbolt"

// unmapPages does nothing: MADV_DONTNEED means other things on other systems.
func unmapPages(*bbolt.Tx) error { return nil }
