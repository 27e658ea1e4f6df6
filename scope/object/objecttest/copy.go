package objecttest

import (
	"strings"

	"github.com/carrel-go/carrel/scope/object"
)

// checkCopy checks that a copy has the bytes and type of its pinned source, under
// the conditions of a Put.
func checkCopy(b *bench) {
	data := strings.Repeat("0123456789abcdef", 1<<12)
	old, _ := b.put("from one+1=ü.txt", []byte(data), &object.PutOptions{Type: "text/plain"})
	to, missing := b.ref("to.txt"), b.ref("missing.txt")
	overwrite := &object.PutOptions{Overwrite: true}

	stored, info, err := b.root.Copy(b.ctx, old.Unpinned(), to, nil)
	b.requireNoError(err, "copy")
	if info.Size != int64(len(data)) || info.Type != "text/plain" {
		b.failf("Copy returned size %d and type %q, want %d and text/plain", info.Size, info.Type, len(data))
	}
	b.requireBytes(stored, data)
	_, seen, err := b.root.Stat(b.ctx, stored)
	b.requireNoError(err, "stat of the copy")
	if seen.Type != "text/plain" {
		b.failf("Stat of the copy returned type %q, want text/plain", seen.Type)
	}
	b.requireError("copy onto an object", b.copyError(old, to, nil), object.ErrExists)
	b.requireError("copy of a missing object", b.copyError(missing, to, overwrite), object.ErrNotFound)
	b.requireError("copy over a stale ETag", b.copyError(old, to, &object.PutOptions{IfMatch: `"stale"`}),
		object.ErrChanged)
	b.requireError("copy of another size", b.copyError(old, to, &object.PutOptions{Overwrite: true, Size: 3}),
		object.ErrSize)
	b.requireError("copy onto itself", b.copyError(old, old.Unpinned(), overwrite), object.ErrInvalid)
	b.requireBytes(stored, data)
	checkCopyOver(b, old, stored, missing)

	empty, _ := b.put("empty.txt", nil, nil)
	blank, _, err := b.root.Copy(b.ctx, empty, b.ref("blank.txt"), nil)
	b.requireNoError(err, "copy of an empty object")
	b.requireBytes(blank, "")
	checkCopyOutside(b, old.Unpinned())
}

// checkCopyOver replaces old, and copies it over its earlier copy, by overwriting and
// by its ETag.
func checkCopyOver(b *bench, old, stored, unused object.Ref) {
	to := stored.Unpinned()
	now, _ := b.put(old.Name(), []byte("new"), &object.PutOptions{Overwrite: true})
	if now.Version() == "" {
		b.requireError("copy of a changed object", b.copyError(old, to, &object.PutOptions{Overwrite: true}),
			object.ErrChanged)
	}
	over, info, err := b.root.Copy(b.ctx, now, to, &object.PutOptions{Overwrite: true, Type: "text/markdown"})
	b.requireNoError(err, "copy over an object")
	if info.Type != "text/markdown" {
		b.failf("copy with another type returned type %q, want text/markdown", info.Type)
	}
	_, current, err := b.root.Stat(b.ctx, over)
	b.requireNoError(err, "stat of the copy")
	swapped, _, err := b.root.Copy(b.ctx, to, unused, nil)
	b.requireNoError(err, "copy to a new name")
	b.requireNoError(b.copyError(swapped, to, &object.PutOptions{IfMatch: current.ETag}), "copy over the current ETag")
	b.requireBytes(to, "new")
}

// checkCopyOutside checks that neither Ref may be outside the root, and that the
// root of a user copies between its sessions.
func checkCopyOutside(b *bench, from object.Ref) {
	sibling, user := b.in(b.newSession()), b.in(b.user)
	to := sibling.ref("stolen.txt")
	b.requireError("copy out of the root", b.copyError(from, to, nil), object.ErrOutside)
	b.requireError("copy into the root", sibling.copyError(from, to, nil), object.ErrOutside)
	b.requireError("stat of the rejected copy", user.statError(to), object.ErrNotFound)
	b.requireNoError(user.copyError(from, to, nil), "copy between sessions of one user")
	sibling.requireBytes(to, "new")
}

// checkCopyByStream is checkCopy without the driver's Copier.
func checkCopyByStream(b *bench) {
	stream := *b
	var err error
	stream.bucket, err = object.New(struct{ object.Driver }{b.driver}, b.bucket.Name(), nil)
	b.requireNoError(err, "new bucket")
	checkCopy(stream.in(b.session))
}
