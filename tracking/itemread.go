package tracking

import (
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// reader reads the attributes of a map and keeps the first error. An absent
// attribute is its zero value; one of the wrong type is an error.
type reader struct {
	path   string
	attr   map[string]table.Value
	err    error
	parent *reader
}

func attribute[T any](r *reader, name string) (v T) {
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

func (r *reader) string(name string) string { return attribute[string](r, name) }
func (r *reader) int(name string) int64     { return attribute[int64](r, name) }
func (r *reader) bool(name string) bool     { return attribute[bool](r, name) }
func (r *reader) bytes(name string) []byte  { return attribute[[]byte](r, name) }

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

// strings returns all attributes, which must be strings, or nil.
func (r *reader) strings() map[string]string {
	if len(r.attr) == 0 {
		return nil
	}
	out := make(map[string]string, len(r.attr))
	for name := range r.attr {
		out[name] = r.string(name)
	}
	return out
}

func (r *reader) sub(name string) *reader {
	return &reader{path: r.path + name + ".", attr: attribute[map[string]table.Value](r, name), parent: r}
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
	if f := a.sub("error"); len(f.attr) > 0 {
		p.Error = Error{Code: f.string("code"), Message: f.string("message"), Retryable: !f.bool("permanent")}
	}
	switch p.State {
	case StateRunning, StateWaiting, StateReleased, StateSuccess, StateFailed:
	default:
		a.fail(fmt.Errorf("%sstate: invalid value %q", a.path, p.State))
	}
	return p
}

func decodeLocation(a *reader) Location {
	return Location{Bucket: a.string("bucket"), Key: a.string("key"), Version: a.string("version"), ETag: a.string("etag")}
}
