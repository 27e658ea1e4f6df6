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
	entries []cachedPhoto          // in order of last use
	flights map[object.Ref]*flight // the decodings in flight
}

type cachedPhoto struct {
	ref object.Ref
	img *image.Gray
}

// flight is a decoding that several callers wait for.
type flight struct {
	done   chan struct{}
	img    *image.Gray
	err    error
	gaveUp bool // the context of the decoding caller has ended
}

// getOrLoad returns the cached result for ref, otherwise the result of load. One of several concurrent callers calls
// load. If its context ends, another caller calls load.
func (r *results) getOrLoad(
	ctx context.Context, ref object.Ref, load func() (*image.Gray, error),
) (*image.Gray, error) {
	for {
		img, f, isFirst := r.joinFlight(ref)
		switch {
		case img != nil:
			return img, nil
		case isFirst:
			return r.runFlight(ctx, ref, f, load)
		}
		select {
		case <-f.done:
			if !f.gaveUp {
				return f.img, f.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// joinFlight returns the cached result or a flight. If isFirst is true, the caller must run the flight.
func (r *results) joinFlight(ref object.Ref) (img *image.Gray, f *flight, isFirst bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.entries, func(e cachedPhoto) bool { return e.ref == ref }); i >= 0 {
		e := r.entries[i]
		r.entries = append(slices.Delete(r.entries, i, i+1), e)
		return e.img, nil, false
	}
	if f := r.flights[ref]; f != nil {
		return nil, f, false
	}
	f = &flight{done: make(chan struct{}), gaveUp: true}
	if r.flights == nil {
		r.flights = make(map[object.Ref]*flight)
	}
	r.flights[ref] = f
	return nil, f, true
}

// runFlight calls load, caches its result and ends the flight.
func (r *results) runFlight(
	ctx context.Context, ref object.Ref, f *flight, load func() (*image.Gray, error),
) (*image.Gray, error) {
	defer func() { // also if load panics
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.flights, ref)
		if f.img != nil {
			r.storeResult(cachedPhoto{ref, f.img})
		}
		close(f.done)
	}()
	f.img, f.err = load()
	f.gaveUp = f.err != nil && ctx.Err() != nil
	return f.img, f.err
}

// storeResult adds e and drops the oldest results beyond the limit. The caller must hold mu.
func (r *results) storeResult(e cachedPhoto) {
	r.entries = append(r.entries, e)
	r.size += int64(len(e.img.Pix))
	drop := 0
	for ; r.size > r.limit; drop++ {
		r.size -= int64(len(r.entries[drop].img.Pix))
	}
	r.entries = slices.Delete(r.entries, 0, drop)
}
