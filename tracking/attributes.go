package tracking

import (
	"fmt"
	"maps"
	"time"

	"github.com/carrel-go/carrel/scope/table"
)

// attributes copies between the fields of a struct and the attributes of a map:
// to the map if it is writing, otherwise from it. Zero values are absent. An
// attribute of the wrong type is an error, of which the first is kept.
type attributes struct {
	values  map[string]table.Value
	writing bool
	path    string
	err     error
}

// writeTo returns attributes that are written to a copy of old, which keeps
// the attributes that this version does not know.
func writeTo(old map[string]table.Value) *attributes {
	values := maps.Clone(old)
	if values == nil {
		values = map[string]table.Value{}
	}
	return &attributes{values: values, writing: true}
}

func (a *attributes) recordError(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(a.path+format, args...)
	}
}

func copyValue[T comparable](a *attributes, name string, v *T) {
	var zero T
	raw, ok := a.values[name]
	switch {
	case a.writing && *v == zero:
		delete(a.values, name)
	case a.writing:
		a.values[name] = *v
	case ok:
		if *v, ok = raw.(T); !ok {
			a.recordError("%s is a %T", name, raw)
		}
	}
}

func copyText[T ~string](a *attributes, name string, v *T) {
	s := string(*v)
	copyValue(a, name, &s)
	*v = T(s)
}

func copyTime(a *attributes, name string, v *time.Time) {
	s := formatTime(*v)
	copyValue(a, name, &s)
	if a.writing || s == "" {
		return
	}
	var err error
	if *v, err = time.Parse(timeLayout, s); err != nil {
		a.recordError("%s: %w", name, err)
	}
}

// copyMap copies the attributes of a map by f. It replaces a map that it writes.
func (a *attributes) copyMap(name string, f func(*attributes)) {
	m := attributes{values: map[string]table.Value{}, writing: a.writing, path: a.path + name + "."}
	if raw, ok := a.values[name]; ok && !a.writing {
		if m.values, ok = raw.(map[string]table.Value); !ok {
			a.recordError("%s is a %T", name, raw)
		}
	}
	f(&m)
	if a.err == nil {
		a.err = m.err
	}
	if a.writing {
		delete(a.values, name)
		if len(m.values) > 0 {
			a.values[name] = m.values
		}
	}
}

func (r *Record) copyAttributes(a *attributes) {
	copyText(a, "pipeline", &r.Pipeline)
	copyText(a, "filename", &r.Filename)
	copyText(a, "status", &r.Status)
	copyText(a, "reason", &r.Reason)
	copyValue(a, "terminal", &r.Terminal)
	copyTime(a, "changed", &r.Changed)
	copyTime(a, "updated", &r.Updated)
	copyTime(a, "due", &r.Due)
	copyText(a, "stage", &r.current)
	a.copyMap("labels", func(a *attributes) {
		for name, value := range r.Labels {
			a.values[name] = value
		}
		for name := range a.values {
			value := r.Labels[name]
			copyText(a, name, &value)
			r.Labels = mergeLabels(r.Labels, map[string]string{name: value})
		}
	})
}

func (p *Progress) copyAttributes(a *attributes) {
	attempt := int64(p.Attempt)
	copyText(a, "state", &p.State)
	copyValue(a, "attempt", &attempt)
	copyValue(a, "fence", &p.Fence)
	copyText(a, "key", &p.Key)
	copyText(a, "owner", &p.owner)
	copyValue(a, "parked", &p.Parked)
	copyTime(a, "lease", &p.Lease)
	copyTime(a, "due", &p.Due)
	copyTime(a, "started", &p.Started)
	copyTime(a, "ended", &p.Ended)
	copyTime(a, "not_before", &p.NotBefore)
	a.copyMap("source", p.Source.copyAttributes)
	a.copyMap("destination", p.Destination.copyAttributes)
	a.copyMap("error", p.Error.copyAttributes)
	p.Attempt = int(attempt)
}

func (l *Location) copyAttributes(a *attributes) {
	copyText(a, "bucket", &l.Bucket)
	copyText(a, "key", &l.Key)
	copyText(a, "version", &l.Version)
	copyText(a, "etag", &l.ETag)
}

func (e *Error) copyAttributes(a *attributes) {
	permanent := *e != (Error{}) && !e.Retryable
	copyText(a, "code", &e.Code)
	copyText(a, "message", &e.Message)
	copyValue(a, "permanent", &permanent)
	e.Retryable = len(a.values) > 0 && !permanent
}
