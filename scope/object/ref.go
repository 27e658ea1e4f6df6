package object

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// Ref names an object: its bucket, whose it is, its name, and, where they are
// known, the very bytes that are meant (the pin). It is a comparable value
// that opens nothing by itself, and only a [Root] makes a usable one.
type Ref struct {
	bucket        string
	owner         scope.Scope
	name, key     string
	version, etag string // the pin: at most one of the two

	unresolved string // JSON that no Root has seen; all other fields are empty then
}

// IsZero reports whether r is the zero Ref, which names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Bucket returns the name of the bucket.
func (r Ref) Bucket() string { return r.bucket }

// Scope returns whose object it is. It does not say that the holder of the Ref
// may write there: a Root does, see [Bucket.In].
func (r Ref) Scope() scope.Scope { return r.owner }

// Name returns the file name: the key's last segment.
func (r Ref) Name() string { return r.name }

// Key returns the object's key, for records, logs and services that read the
// bucket themselves.
func (r Ref) Key() string { return r.key }

// Version returns the version that r is pinned to; "" where r is not pinned, or
// pinned by ETag.
func (r Ref) Version() string { return r.version }

// ETag returns the ETag that r is pinned to; "" where r is not pinned, or
// pinned by version.
func (r Ref) ETag() string { return r.etag }

// Unpinned returns r without its pin: whatever lies under the name now. Put
// wants such a Ref.
func (r Ref) Unpinned() Ref {
	r.version, r.etag = "", ""
	return r
}

// pinned returns r pinned to what i describes: by the version where there is
// one, else by the ETag.
func (r Ref) pinned(i Info) Ref {
	r = r.Unpinned()
	if i.Version != "" {
		r.version = i.Version
	} else {
		r.etag = i.ETag
	}
	return r
}

func (r Ref) addr() Addr {
	return Addr{bucket: r.bucket, owner: r.owner, key: r.key, version: r.version, etag: r.etag}
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
		return nil, invalid("the zero Ref has no JSON")
	case r.unresolved != "":
		return []byte(r.unresolved), nil
	}
	return json.Marshal(refJSON{r.bucket, r.key, r.version, r.etag})
}

// UnmarshalJSON reads the JSON of [Ref.MarshalJSON] into an unresolved Ref. It
// accepts exactly what [Root.ParseRef] accepts, and returns [ErrInvalid] for
// everything else, null included.
//
// The bucket, scope, name and key of an unresolved Ref are empty, and it lies
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
// There must be at least one root. The store is not asked.
func Resolve(f Ref, roots ...*Root) (*Root, Ref, error) {
	if f.unresolved != "" {
		return ParseRef([]byte(f.unresolved), roots...)
	}
	if len(roots) == 0 {
		return nil, Ref{}, fmt.Errorf("object: resolve: %w", invalid("no root"))
	}
	for _, r := range roots {
		if r.holds(f) {
			return r, f, nil
		}
	}
	return roots[0], Ref{}, roots[0].outside(context.Background(), "resolve", f)
}
