package object

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
)

const (
	maxStored = 8 << 10 // bytes of a stored Ref: a key and a version of 1,024 each, escaped
	maxPin    = 1 << 10 // bytes of a version or an ETag
)

// ParseRef parses the JSON of [Ref.MarshalJSON]. It accepts one object with the
// members that MarshalJSON writes, each at most once and a string, in any order.
// It returns [ErrInvalid] for anything else, and [ErrOutside], an [ErrNotFound],
// for a Ref of another bucket or of a scope that the Root's scope does not
// contain. It does not call the store.
func (r *Root) ParseRef(stored []byte) (Ref, error) {
	f, err := parseRef(stored)
	if err != nil {
		err = fmt.Errorf("object: parse ref: %w", err)
		r.reportRefusal(context.Background(), "parse ref", err)
		return Ref{}, err
	}
	if !r.containsRef(f) {
		r.reportRefusal(context.Background(), "parse ref",
			fmt.Errorf("object: parse ref: %q in bucket %q: %w", f.key, f.bucket, ErrOutside))
		return Ref{}, fmt.Errorf("object: parse ref: %w", ErrOutside)
	}
	return f, nil
}

// ParseRef is [Root.ParseRef] for a caller with several scopes, such as a session
// and the data that its tenant shares. It returns the first of the roots that
// contains the object. Otherwise it returns the error of the first root, which
// reports it. It returns ErrInvalid without roots or for a nil one.
func ParseRef(stored []byte, roots ...*Root) (*Root, Ref, error) {
	if err := checkRoots(roots); err != nil {
		return nil, Ref{}, fmt.Errorf("object: parse ref: %w", err)
	}
	if f, err := parseRef(stored); err == nil {
		for _, r := range roots {
			if r.containsRef(f) {
				return r, f, nil
			}
		}
	}
	f, err := roots[0].ParseRef(stored)
	return roots[0], f, err
}

func checkRoots(roots []*Root) error {
	switch {
	case len(roots) == 0:
		return invalidf("roots: must not be empty")
	case slices.Contains(roots, nil):
		return invalidf("roots: must not contain nil")
	}
	return nil
}

func parseRef(stored []byte) (Ref, error) {
	if len(stored) > maxStored {
		return Ref{}, invalidf("Ref: must be at most %d bytes", maxStored)
	}
	member, err := parseMembers(stored)
	if err != nil {
		return Ref{}, err
	}
	f := Ref{bucket: member["bucket"], key: member["key"], version: member["version"], etag: member["etag"]}
	for name, value := range member {
		if value == "" {
			return Ref{}, invalidf("member %q: must not be empty", name)
		}
	}
	switch {
	case f.bucket == "" || f.key == "":
		return Ref{}, invalidf("Ref: must have a bucket and a key")
	case len(member) == 4:
		return Ref{}, invalidf("Ref: must not have both a version and an etag")
	case !isValidPin(f.version) || !isValidPin(f.etag):
		return Ref{}, invalidf("version or etag: must be at most %d visible ASCII characters", maxPin)
	}
	if f.owner, f.name, err = scope.ParseKey(f.key); err != nil {
		return Ref{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return f, nil
}

// parseMembers parses one JSON object with the members of a Ref.
func parseMembers(raw []byte) (map[string]string, error) {
	v, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, invalidf("Ref: %s", err)
	}
	member := make(map[string]string, 4)
	for name, value := range v.Members() {
		switch name {
		case "bucket", "key", "version", "etag":
		default:
			return nil, invalidf("member %.80q: must be bucket, key, version or etag", name)
		}
		if value.Type() != strictjson.String {
			return nil, invalidf("member %q: must be a string", name)
		}
		member[name] = value.Text()
	}
	return member, nil
}

// isValidPin reports whether s can be sent as a version or an ETag: visible ASCII,
// and not "*", which matches every ETag.
func isValidPin(s string) bool {
	return len(s) <= maxPin && s != "*" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}
