package bolt

import "time"

// releaseInterval is the shortest time between two releases: each page that is read after one costs a page fault.
const releaseInterval = 100 * time.Millisecond

// releasePages removes the pages of the file from the memory of the process, after a transaction and not more often
// than each releaseInterval. The kernel maps the pages around each page that is read. Without releasePages, a process
// keeps the whole file in its resident set, as far as the page cache has it, and the file grows.
//
// A page that is read again comes from the page cache. An error is ignored: the pages stay.
func (d *Driver) releasePages() {
	now := time.Now()
	if now.Before(d.nextRelease) {
		return
	}
	d.nextRelease = now.Add(releaseInterval)
	_ = d.db.View(unmapPages)
}
