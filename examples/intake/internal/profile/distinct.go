package profile

// distinct counts distinct values and repetitions in constant memory. It keeps the hashes whose lowest bits are zero,
// with their counts, and takes one bit more whenever it is full. So it keeps a sample of the distinct values that is
// spread over all rows, and each of them with all of its repetitions (P. B. Gibbons, Distinct sampling, VLDB 2001).
type distinct struct {
	seen map[uint64]uint32
	max  int
	skip uint // the lowest bits that must be zero
}

func newDistinct(max int) distinct { return distinct{seen: make(map[uint64]uint32), max: max} }

func (d *distinct) add(hash uint64) {
	if hash&(1<<d.skip-1) != 0 {
		return
	}
	n := d.seen[hash]
	if n < 1<<32-1 {
		d.seen[hash] = n + 1
	}
	for n == 0 && len(d.seen) > d.max {
		d.skip++
		for h := range d.seen {
			if h&(1<<d.skip-1) != 0 {
				delete(d.seen, h)
			}
		}
	}
}

// values returns the number of distinct values, and whether it is exact.
func (d *distinct) values() (n int64, isExact bool) {
	return int64(len(d.seen)) << d.skip, d.skip == 0
}

// repeats returns the number of values that equal an earlier one.
func (d *distinct) repeats() (n int64, isExact bool) {
	for _, count := range d.seen {
		n += int64(count) - 1
	}
	return n << d.skip, d.skip == 0
}
