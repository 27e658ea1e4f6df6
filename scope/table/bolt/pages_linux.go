package bolt

import (
	"syscall"

	"go.etcd.io/bbolt"
)

// unmapPages removes the pages of the file from the page table of the process.
//
// The mapping of the file is shared and read-only, so it loses nothing, and other transactions may read it at the same
// time. tx keeps bbolt from replacing the mapping meanwhile.
func unmapPages(tx *bbolt.Tx) error {
	_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), syscall.MADV_DONTNEED)
	if errno != 0 {
		return errno
	}
	return nil
}
