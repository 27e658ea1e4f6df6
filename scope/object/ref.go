package object

import (
	"encoding/json"

	"github.com/carrel-go/carrel/scope"
)

// Ref names an object: its bucket, whose it is, its name, and, where they are
// known, the very bytes that are meant (the pin). It is a comparable value
// that opens nothing by itself, and only a [Root] makes one.
type Ref struct {
	bucket        string
	owner         scope.Scope
	name, key     string
	version, etag string // the pin: at most one of the two
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

// MarshalJSON returns {"bucket","key"}, and "version" or "etag" where r is
// pinned. [Root.ParseRef] is the inverse; there is no UnmarshalJSON, since
// reading a Ref takes a Root that contains it. The zero Ref is an error.
func (r Ref) MarshalJSON() ([]byte, error) {
	if r.IsZero() {
		return nil, invalid("the zero Ref has no JSON")
	}
	return json.Marshal(refJSON{r.bucket, r.key, r.version, r.etag})
}
