package object

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Ref names an object by its bucket, owner and name, and can be pinned to exact
// bytes by a version or an ETag. It is a comparable value that grants no access
// by itself. Only a [Root] makes a usable one.
type Ref struct {
	bucket        string
	owner         scope.Scope
	name, key     string
	version, etag string // the pin: at most one of the two

	unresolved string // JSON that no Root has seen; all other fields are empty then
}

// IsZero reports whether r is the zero Ref.
func (r Ref) IsZero() bool { return r == Ref{} }

// Bucket returns the name of the bucket.
func (r Ref) Bucket() string { return r.bucket }

// Scope returns the owner of the object. It does not imply the right to write
// there, which only a Root has.
func (r Ref) Scope() scope.Scope { return r.owner }

// Name returns the file name: the key's last segment.
func (r Ref) Name() string { return r.name }

// Key returns the object's key, for records, logs and services that read the bucket
// directly.
func (r Ref) Key() string { return r.key }

// Version returns the version that r is pinned to, or "".
func (r Ref) Version() string { return r.version }

// ETag returns the ETag that r is pinned to, or "". A pinned Ref has either a
// version or an ETag.
func (r Ref) ETag() string { return r.etag }

// Unpinned returns r without its pin, which names the object whatever its bytes
// are. Put needs such a Ref.
func (r Ref) Unpinned() Ref {
	r.version, r.etag = "", ""
	return r
}

// pinTo returns r pinned to i, by its version or else by its ETag.
func (r Ref) pinTo(i Info) Ref {
	r = r.Unpinned()
	if i.Version != "" {
		r.version = i.Version
	} else {
		r.etag = i.ETag
	}
	return r
}

type refJSON struct {
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
	ETag    string `json:"etag,omitempty"`
}

// MarshalJSON returns {"bucket":"…","key":"…"}, and "version" or "etag" if r is
// pinned. It returns an error for the zero Ref; in a struct, tag the field
// omitzero.
func (r Ref) MarshalJSON() ([]byte, error) {
	switch {
	case r.IsZero():
		return nil, invalidf("zero Ref: does not have a JSON form")
	case r.unresolved != "":
		return []byte(r.unresolved), nil
	}
	return json.Marshal(refJSON{r.bucket, r.key, r.version, r.etag})
}

// UnmarshalJSON parses the JSON of [Ref.MarshalJSON] into an unresolved Ref. It
// accepts exactly what [Root.ParseRef] accepts, and returns [ErrInvalid] for
// everything else, null included.
//
// The bucket, scope, name and key of an unresolved Ref are empty, and it is
// outside every Root. [Resolve] makes it usable.
func (r *Ref) UnmarshalJSON(b []byte) error {
	f, err := parseRef(b)
	if err != nil {
		return fmt.Errorf("object: unmarshal ref: %w", err)
	}
	stored, err := f.MarshalJSON()
	if err != nil {
		return err
	}
	*r = Ref{unresolved: string(stored)}
	return nil
}

// Resolve returns f with the first of the roots that contains it. An unresolved
// Ref (see [Ref.UnmarshalJSON]) becomes a usable one. If no root contains f, the
// error is [ErrOutside] (and so [ErrNotFound]), and the first root reports it.
// It returns [ErrInvalid] without roots or for a nil one, and does not call the store.
func Resolve(f Ref, roots ...*Root) (*Root, Ref, error) {
	if f.unresolved != "" {
		return ParseRef([]byte(f.unresolved), roots...)
	}
	if err := checkRoots(roots); err != nil {
		return nil, Ref{}, fmt.Errorf("object: resolve: %w", err)
	}
	for _, r := range roots {
		if r.containsRef(f) {
			return r, f, nil
		}
	}
	return roots[0], Ref{}, roots[0].rejectOutside(context.Background(), "resolve", f)
}
