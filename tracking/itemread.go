package tracking

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// reader takes attributes out of a map and keeps the first error. An absent
// attribute is the zero value; one of the wrong type is an error.
type reader struct {
	path   string
	attr   map[string]table.Value
	err    error
	parent *reader
}

func take[T any](r *reader, name string) (v T) {
	raw, ok := r.attr[name]
	if !ok {
		return v
	}
	v, ok = raw.(T)
	if !ok {
		r.fail(fmt.Errorf("%s%s is a %T", r.path, name, raw))
	}
	return v
}

func (r *reader) fail(err error) {
	for ; r != nil; r = r.parent {
		if r.err == nil {
			r.err = err
		}
	}
}

func (r *reader) string(name string) string { return take[string](r, name) }
func (r *reader) int(name string) int64     { return take[int64](r, name) }
func (r *reader) bool(name string) bool     { return take[bool](r, name) }
func (r *reader) bytes(name string) []byte  { return take[[]byte](r, name) }

func (r *reader) time(name string) time.Time {
	s := r.string(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(timeLayout, s)
	if err != nil {
		r.fail(fmt.Errorf("%s%s: %w", r.path, name, err))
	}
	return t
}

func (r *reader) sub(name string) *reader {
	return &reader{path: r.path + name + ".", attr: take[map[string]table.Value](r, name), parent: r}
}

func decodeStage(name Stage, a *reader) Progress {
	p := Progress{
		Stage: name, State: State(a.string("state")), Key: a.string("key"),
		Attempt: int(a.int("attempt")), Fence: a.int("fence"), Parked: a.bool("parked"),
		Lease: a.time("lease"), Due: a.time("due"), Started: a.time("started"), Ended: a.time("ended"),
		NotBefore: a.time("not_before"),
		Source:    decodeLocation(a.sub("source")), Destination: decodeLocation(a.sub("destination")),
		owner: a.string("owner"),
	}
	f := a.sub("error")
	p.Error = Failure{Code: f.string("code"), Message: f.string("message"), Permanent: f.bool("permanent")}
	switch p.State {
	case StateRunning, StateParked, StateReleased, StateSuccess, StateFailed:
	default:
		a.fail(fmt.Errorf("%sstate %q", a.path, p.State))
	}
	return p
}

func decodeLocation(a *reader) Location {
	return Location{Bucket: a.string("bucket"), Key: a.string("key"), Version: a.string("version"), ETag: a.string("etag")}
}
