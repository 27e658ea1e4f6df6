package bolt

// releaseWrites is the number of writes between two releases: each page that is read after one costs a page fault.
const releaseWrites = 160

// releasePages removes the pages of the file from the memory of the process, after a transaction and after each
// releaseWrites writes. The kernel maps the pages around each page that is read. Without releasePages, a process keeps
// the whole file in its resident set, as far as the page cache has it, and the file grows.
//
// A page that is read again comes from the page cache. An error is ignored: the pages stay.
func (d *Driver) releasePages(writes int) {
	if d.unreleased += writes; d.unreleased < releaseWrites {
		return
	}
	d.unreleased = 0
	_ = d.db.View(unmapPages)
}
