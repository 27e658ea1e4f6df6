package object

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
)

const (
	maxStored = 8 << 10 // bytes of a stored Ref: a key of 1,024 and a version of 1,024, escaped
	maxPin    = 1 << 10 // bytes of a version or an ETag

	replacement = string(utf8.RuneError)
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

func parseRef(stored []byte) (Ref, error) {
	if len(stored) > maxStored {
		return Ref{}, invalid("longer than %d bytes", maxStored)
	}
	if !utf8.Valid(stored) {
		return Ref{}, invalid("not UTF-8")
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
// encoding/json alone would take a member twice, and in any case of letters.
func stringMembers(raw []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid("not a JSON object")
	}
	member := make(map[string]string, 4)
	replaced := -bytes.Count(raw, []byte(replacement))
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, invalid("not JSON")
		}
		name, _ := t.(string)
		switch name {
		case "bucket", "key", "version", "etag":
		default:
			return nil, invalid("unknown member %q", name)
		}
		if _, twice := member[name]; twice {
			return nil, invalid("member %q twice", name)
		}
		if t, err = d.Token(); err != nil {
			return nil, invalid("not JSON")
		}
		value, ok := t.(string)
		if !ok {
			return nil, invalid("member %q is not a string", name)
		}
		member[name] = value
		replaced += strings.Count(value, replacement)
	}
	if replaced > 0 { // the decoder puts it where an escape is half a surrogate
		return nil, invalid("not Unicode")
	}
	if _, err := d.Token(); err != nil {
		return nil, invalid("not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("more than one JSON value")
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
