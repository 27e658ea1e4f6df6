package replay

import "sync"

// maxRecent is the size of the segments that are kept in memory for readers of this process.
const maxRecent = 128 << 10

// recent holds the newest segments of a log in the process of its Writer.
type recent struct {
	opened int64 // the number of the Writer's first segment

	mu       sync.Mutex
	segments []*segment
	bytes    int
	ended    bool          // the Writer adds nothing more
	changed  chan struct{} // closed and replaced at each change
}

// newRecent returns the memory of a Writer that has opened the log with the segment s.
func newRecent(s *segment) *recent {
	r := &recent{opened: s.number, changed: make(chan struct{})}
	r.addSegment(s)
	return r
}

// addSegment appends a committed segment and drops the oldest ones that do not fit.
func (r *recent) addSegment(s *segment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.segments, r.bytes = append(r.segments, s), r.bytes+len(s.lines)
	drop := 0
	for ; r.bytes > maxRecent && drop < len(r.segments)-1; drop++ {
		r.bytes -= len(r.segments[drop].lines)
	}
	if drop > 0 {
		r.segments = append([]*segment(nil), r.segments[drop:]...)
	}
	r.notifyReaders()
}

// endWriter wakes the readers for the last time.
func (r *recent) endWriter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.notifyReaders()
}

func (r *recent) notifyReaders() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// segmentsFrom returns the segments from the given number on. If the result is empty, changed is closed at the next
// change. It returns false if the table must be read instead.
func (r *recent) segmentsFrom(number int64) (_ []*segment, changed <-chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	skip := number - r.segments[0].number // the newest segment is always there
	switch {
	case skip < 0:
		return nil, nil, false
	case skip >= int64(len(r.segments)):
		return nil, r.changed, !r.ended
	}
	return r.segments[skip:len(r.segments):len(r.segments)], nil, true
}
