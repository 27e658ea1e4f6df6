package photo

import (
	"context"
	"image"
	"slices"
	"sync"

	"github.com/carrel-go/carrel/scope/object"
)

// results caches the newest decoded photos, up to a limit of bytes, and tracks the decodings in flight.
type results struct {
	limit int64 // bytes

	mu      sync.Mutex
	size    int64
	entries []entry // in order of last use
	flights map[object.Ref]*flight
}

type entry struct {
	ref object.Ref
	img *image.Gray
}

// flight is a decoding that several callers wait for.
type flight struct {
	done chan struct{}
	img  *image.Gray
	err  error
	gone bool // the caller that decoded gave up
}

// get returns the cached result for ref, or the result of load. One of several concurrent callers calls load. If its
// context ends, another one does.
func (r *results) get(ctx context.Context, ref object.Ref, load func() (*image.Gray, error)) (*image.Gray, error) {
	for {
		img, f, mine := r.join(ref)
		switch {
		case img != nil:
			return img, nil
		case mine:
			return r.fly(ctx, ref, f, load)
		}
		select {
		case <-f.done:
			if !f.gone {
				return f.img, f.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// join returns the cached result or a flight. The first caller must complete the flight.
func (r *results) join(ref object.Ref) (img *image.Gray, f *flight, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.entries, func(e entry) bool { return e.ref == ref }); i >= 0 {
		e := r.entries[i]
		r.entries = append(slices.Delete(r.entries, i, i+1), e)
		return e.img, nil, false
	}
	if f := r.flights[ref]; f != nil {
		return nil, f, false
	}
	f = &flight{done: make(chan struct{}), gone: true}
	if r.flights == nil {
		r.flights = make(map[object.Ref]*flight)
	}
	r.flights[ref] = f
	return nil, f, true
}

func (r *results) fly(
	ctx context.Context, ref object.Ref, f *flight, load func() (*image.Gray, error),
) (*image.Gray, error) {
	defer func() { // also if load panics
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.flights, ref)
		if f.img != nil {
			r.keep(entry{ref, f.img})
		}
		close(f.done)
	}()
	f.img, f.err = load()
	f.gone = f.err != nil && ctx.Err() != nil
	return f.img, f.err
}

// keep adds e and drops the oldest ones beyond the limit. The caller holds mu.
func (r *results) keep(e entry) {
	r.entries = append(r.entries, e)
	r.size += int64(len(e.img.Pix))
	drop := 0
	for ; r.size > r.limit; drop++ {
		r.size -= int64(len(r.entries[drop].img.Pix))
	}
	r.entries = slices.Delete(r.entries, 0, drop)
}
