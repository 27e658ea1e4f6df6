package object

import (
	"context"
	"io"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Driver is a store of one bucket's objects. It is handed an [Addr], which
// only this package makes, so a Driver can't be asked for a key by string.
//
// All methods may be called at once from any number of goroutines. They block
// until the store has answered, and return early with the context's error when
// it is cancelled. Errors satisfy errors.Is with the sentinels of this package
// wherever one of them fits; anything else is a failure of the store, with the
// outcome of a write unknown. A Driver is not closed: it lives as long as the
// client that it was made of.
//
// Five methods, not four: Stat can't be folded into Open without a body.
type Driver interface {
	// Open returns the object's bytes in r and its Info. The reader streams:
	// memory stays bounded whatever the size. It must be closed, and ends with
	// an error if ctx is cancelled or the store cuts the stream short.
	// ErrNotFound, ErrChanged (the pin of a no longer holds), ErrRange.
	Open(ctx context.Context, a Addr, r Range) (io.ReadCloser, Info, error)

	// Put stores body under a, all of it or nothing, as o says: ErrExists,
	// ErrChanged, ErrConflict, ErrSize, ErrTooLarge; with IfMatch, ErrNotFound
	// where nothing lies there. The pin of a is empty.
	Put(ctx context.Context, a Addr, body io.Reader, o PutOptions) (Info, error)

	// Stat returns the object's Info. ErrNotFound, ErrChanged.
	Stat(ctx context.Context, a Addr) (Info, error)

	// List returns at most limit (1–1,000) entries whose keys begin with the
	// prefix of s and are greater than after, in the order of their bytes, and
	// whether more follow.
	List(ctx context.Context, s scope.Scope, after string, limit int) (page []Entry, more bool, err error)

	// Delete removes the object. To delete what is not there is no error.
	// ErrChanged where the pin of a no longer holds.
	Delete(ctx context.Context, a Addr) error
}

// Addr is where an object lies, for a [Driver]. Only this package makes one.
type Addr struct {
	bucket        string
	owner         scope.Scope
	key           string
	version, etag string
}

// Bucket returns the name of the Bucket that made the Addr.
func (a Addr) Bucket() string { return a.bucket }

// Scope returns whose object it is, read-only if the Root that asks is.
func (a Addr) Scope() scope.Scope { return a.owner }

// Key returns the object's key.
func (a Addr) Key() string { return a.key }

// Version returns the version that the Addr is pinned to, or "".
func (a Addr) Version() string { return a.version }

// ETag returns the ETag that the Addr is pinned to, or "". Of Version and ETag
// at most one is set.
func (a Addr) ETag() string { return a.etag }

// Info describes an object as the store has it.
type Info struct {
	Size     int64     // of the whole object, in bytes, also where a range was opened
	ETag     string    // opaque, as the store writes it, quotes included
	Version  string    // "" where the store keeps no versions
	Type     string    // media type; "" in a list
	SHA256   []byte    // 32 bytes, where the store knows it and nil elsewhere
	Modified time.Time // when it was stored, to the second on S3; zero from a Put there
}

// Entry is one object of a [Driver]'s list.
type Entry struct {
	Key  string
	Info Info // Size, ETag and Modified
}

// Range is a part of an object: Len bytes from offset Off on, fewer if the
// object ends before. Len 0 means up to the end, so the zero Range is the
// whole object.
type Range struct{ Off, Len int64 }

// PutOptions say how a Put writes. The zero value writes once: it stores a new
// object and answers ErrExists where the name is taken.
type PutOptions struct {
	Type      string // media type; default "application/octet-stream"
	IfMatch   string // an Info.ETag: replace exactly what has it, else ErrChanged
	Overwrite bool   // replace whatever is there; not together with IfMatch
	Size      int64  // the body's exact length in bytes; default 0, not known beforehand
}
