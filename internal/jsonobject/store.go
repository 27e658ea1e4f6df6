// Package jsonobject stores JSON that does not fit an item as objects that are named by their digests. Storing the same
// JSON again is not an error, and a reader rejects other content, since others may write to the scope.
package jsonobject

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

var (
	// ErrLost is returned for an object that does not exist any more, or has other content than was stored. Reading it
	// again does not help.
	ErrLost = errors.New("a stored object is lost")
	// ErrNoBucket is returned by Get of a Store without a bucket.
	ErrNoBucket = errors.New("the record is an object: Options.Objects is required")

	errForeign = errors.New("it was not written by this package")
)

// Store stores the objects of one kind, as "<kind>-<SHA-256>.json".
type Store struct {
	// Bucket holds the objects. It may be nil.
	Bucket *object.Bucket
	// Kind is the beginning of the names, for example "turn".
	Kind string
	// MaxSize is the largest size of an object in bytes.
	MaxSize int
}

// Digest returns the SHA-256 of raw in hexadecimal digits.
func Digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (s *Store) nameObject(raw []byte) string { return s.Kind + "-" + Digest(raw) + ".json" }

// Put stores raw under the scope and returns the JSON of the object's Ref. The Bucket must not be nil.
func (s *Store) Put(ctx context.Context, sc scope.Scope, raw []byte) (stored string, _ error) {
	root, err := s.Bucket.In(sc)
	if err != nil {
		return "", err
	}
	ref, err := root.Ref(s.nameObject(raw))
	if err != nil {
		return "", err
	}
	o := &object.PutOptions{Type: "application/json", Size: int64(len(raw))}
	if _, _, err := root.Put(ctx, ref, bytes.NewReader(raw), o); err != nil && !errors.Is(err, object.ErrExists) {
		return "", err
	}
	encoded, err := json.Marshal(ref)
	return string(encoded), err
}

// Get returns the JSON that Put has stored. It returns [ErrLost] if the object is gone, is not one of this scope and
// kind, or has other content.
func (s *Store) Get(ctx context.Context, sc scope.Scope, stored string) ([]byte, error) {
	root, ref, err := s.parseRef(sc, stored)
	if err != nil {
		return nil, err
	}
	body, _, err := root.Open(ctx, ref, nil)
	if errors.Is(err, object.ErrNotFound) || errors.Is(err, object.ErrChanged) {
		return nil, fmt.Errorf("%w: %q: %w", ErrLost, ref.Name(), err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(body, int64(s.MaxSize)+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > s.MaxSize || ref.Name() != s.nameObject(raw) {
		return nil, fmt.Errorf("%w: %q: %w", ErrLost, ref.Name(), errForeign)
	}
	return raw, nil
}

// Delete removes the object. It ignores a Ref that Put cannot have returned.
func (s *Store) Delete(ctx context.Context, sc scope.Scope, stored string) error {
	root, ref, err := s.parseRef(sc, stored)
	switch {
	case errors.Is(err, ErrLost):
		return nil
	case err != nil:
		return err
	}
	return root.Delete(ctx, ref)
}

// parseRef returns the object that stored refers to.
func (s *Store) parseRef(sc scope.Scope, stored string) (*object.Root, object.Ref, error) {
	if s.Bucket == nil {
		return nil, object.Ref{}, ErrNoBucket
	}
	root, err := s.Bucket.In(sc)
	if err != nil {
		return nil, object.Ref{}, err
	}
	ref, err := root.ParseRef([]byte(stored))
	if err != nil {
		return nil, object.Ref{}, fmt.Errorf("%w: %w: %w", ErrLost, errForeign, err)
	}
	return root, ref, nil
}
