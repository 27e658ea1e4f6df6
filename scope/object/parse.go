package object

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
)

const (
	maxStored = 8 << 10 // bytes of a stored Ref: a key of 1,024 and a version of 1,024, escaped
	maxPin    = 1 << 10 // bytes of a version or an ETag
)

// ParseRef makes a Ref again out of what [Ref.MarshalJSON] returned. It is
// strict: one object with the members that MarshalJSON writes, each of them
// once and a string, in any order. Anything else is [ErrInvalid]; a Ref of
// another bucket, or of a scope that the Root's does not contain, is
// [ErrOutside] (and so [ErrNotFound]). The store is not asked.
func (r *Root) ParseRef(stored []byte) (Ref, error) {
	f, err := parseRef(stored)
	if err != nil {
		err = fmt.Errorf("object: parse ref: %w", err)
		r.refused(context.Background(), "parse ref", err)
		return Ref{}, err
	}
	if !r.holds(f) {
		r.refused(context.Background(), "parse ref", fmt.Errorf("object: parse ref: %q in bucket %q: %w", f.key, f.bucket, ErrOutside))
		return Ref{}, fmt.Errorf("object: parse ref: %w", ErrOutside)
	}
	return f, nil
}

// ParseRef is [Root.ParseRef] of the first of the roots that contains the
// object, and returns that root as well. If none does, the first reports it and
// the error is its. It is for a caller that holds several scopes, such as a
// session and the data that its tenant shares. There must be at least one root.
func ParseRef(stored []byte, roots ...*Root) (*Root, Ref, error) {
	if len(roots) == 0 {
		return nil, Ref{}, fmt.Errorf("object: parse ref: %w", invalid("no root"))
	}
	if f, err := parseRef(stored); err == nil {
		for _, r := range roots {
			if r.holds(f) {
				return r, f, nil
			}
		}
	}
	f, err := roots[0].ParseRef(stored)
	return roots[0], f, err
}

func parseRef(stored []byte) (Ref, error) {
	if len(stored) > maxStored {
		return Ref{}, invalid("longer than %d bytes", maxStored)
	}
	member, err := stringMembers(stored)
	if err != nil {
		return Ref{}, err
	}
	f := Ref{bucket: member["bucket"], key: member["key"], version: member["version"], etag: member["etag"]}
	for name, value := range member {
		if value == "" {
			return Ref{}, invalid("%q is empty", name)
		}
	}
	switch {
	case f.bucket == "" || f.key == "":
		return Ref{}, invalid("bucket or key is missing")
	case len(member) == 4:
		return Ref{}, invalid("both version and etag")
	case !validPin(f.version) || !validPin(f.etag):
		return Ref{}, invalid("a malformed version or etag")
	}
	if f.owner, f.name, err = scope.ParseKey(f.key); err != nil {
		return Ref{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return f, nil
}

// stringMembers reads one JSON object whose members are the four of a Ref.
func stringMembers(raw []byte) (map[string]string, error) {
	v, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, invalid("%s", err)
	}
	member := make(map[string]string, 4)
	for name, value := range v.Members() {
		switch name {
		case "bucket", "key", "version", "etag":
		default:
			return nil, invalid("unknown member %.80q", name)
		}
		if value.Type() != strictjson.String {
			return nil, invalid("member %q is not a string", name)
		}
		member[name] = value.Text()
	}
	return member, nil
}

// validPin reports whether s may stand in a request as a version or an ETag:
// visible ASCII, and not the ETag "*", which means anything at all.
func validPin(s string) bool {
	if len(s) > maxPin || s == "*" {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
