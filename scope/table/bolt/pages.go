package bolt

import "time"

// Each page that is read after a release costs a page fault.
const (
	releaseWrites   = 160         // writes after which pages are released
	releaseInterval = time.Second // time after which one write suffices
)

// releasePages removes the pages of the file from the memory of the process. It is called after each transaction. The
// kernel maps the pages around each page that is read. Without releasePages, a process keeps the whole file in its
// resident set, as far as the page cache has it, and the file grows.
//
// A page that is read again comes from the page cache. An error is ignored: the pages stay.
func (d *Driver) releasePages(writes int) {
	d.unreleased += writes
	now := time.Now()
	if d.unreleased < releaseWrites && now.Sub(d.released) < releaseInterval {
		return
	}
	d.unreleased, d.released = 0, now
	_ = d.db.View(unmapPages)
}
