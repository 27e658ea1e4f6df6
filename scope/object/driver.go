package object

import (
	"context"
	"io"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// Driver stores the objects of one bucket. Its methods take an [Addr], which only
// this package makes, so callers can't pass a key as a string.
//
// All methods are safe for concurrent use. They block until the store has
// answered, or return the context's error when ctx is canceled. Errors wrap the
// matching sentinel of this package. After any other error the outcome of a write
// is unknown. A Driver is not closed: it lives as long as its client.
//
// The package objecttest checks these promises.
type Driver interface {
	// Open returns the object's bytes in r and its Info. The reader streams in
	// bounded memory and must be closed. It returns an error if ctx is canceled or
	// the store ends the stream early. Open returns ErrNotFound, ErrChanged if the
	// object differs from the pin of a (or ErrNotFound if that version is gone), and
	// ErrRange.
	Open(ctx context.Context, a Addr, r Range) (io.ReadCloser, Info, error)

	// Put stores the whole body under a or nothing, with the options o. It returns
	// ErrExists, ErrChanged, ErrConflict, ErrSize, ErrTooLarge, and ErrNotFound if
	// IfMatch is set and the object does not exist. a is not pinned.
	Put(ctx context.Context, a Addr, body io.Reader, o PutOptions) (Info, error)

	// Stat returns the object's Info, and the errors of Open.
	Stat(ctx context.Context, a Addr) (Info, error)

	// List returns at most limit (1–1,000) entries whose keys begin with the
	// prefix of s and are greater than after, in byte order, and whether more
	// follow.
	List(ctx context.Context, s scope.Scope, after string, limit int) (page []Entry, more bool, err error)

	// Delete removes the object. It succeeds if the object does not exist. It
	// returns ErrChanged if the object differs from the pin of a. A driver may
	// return nil if a pinned version is gone, but must not remove another one.
	Delete(ctx context.Context, a Addr) error
}

// Addr is the address of an object for a [Driver]. Only this package makes one.
type Addr struct {
	bucket        string
	owner         scope.Scope
	key           string
	version, etag string
}

// Bucket returns the name of the Bucket that made the Addr.
func (a Addr) Bucket() string { return a.bucket }

// Scope returns the owner of the object, read-only if the calling Root is.
func (a Addr) Scope() scope.Scope { return a.owner }

// Key returns the object's key.
func (a Addr) Key() string { return a.key }

// Version returns the version that the Addr is pinned to, or "".
func (a Addr) Version() string { return a.version }

// ETag returns the ETag that the Addr is pinned to, or "". At most one of Version
// and ETag is set.
func (a Addr) ETag() string { return a.etag }

// Info describes a stored object.
type Info struct {
	Size     int64     // of the whole object in bytes, also if a range was opened
	ETag     string    // opaque; with quotes, as the store writes it
	Version  string    // "" in a store without versions
	Type     string    // media type; "" in a list
	SHA256   []byte    // 32 bytes; nil if the store does not have it
	Modified time.Time // when the object was stored; on S3 to the second, and zero from a Put
}

// Entry is one object in a [Driver]'s list.
type Entry struct {
	Key  string
	Info Info // Size, ETag and Modified
}

// Range is a part of an object: Len bytes from the offset Off, or fewer if the
// object ends before. A Len of zero means to the end, so the zero Range is the
// whole object.
type Range struct{ Off, Len int64 }

const defaultType = "application/octet-stream"

// PutOptions configures a Put. The zero value writes once: it stores a new object
// or returns ErrExists.
type PutOptions struct {
	Type      string // media type; default: application/octet-stream
	IfMatch   string // an Info.ETag: replace the object with that ETag, otherwise ErrChanged
	Overwrite bool   // store or replace; must not be set with IfMatch
	Size      int64  // the body's exact length in bytes; zero means unknown
}
