package objecttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/carrel-go/carrel/scope/object"
)

func checkRanges(b *bench) {
	const data = "0123456789"
	ref, _ := b.put("a.txt", []byte(data), nil)
	empty, _ := b.put("empty.txt", nil, nil)
	for r, want := range map[object.Range]string{
		{}:                           data,
		{Len: 1}:                     "0",
		{Off: 3, Len: 4}:             "3456",
		{Off: 9, Len: 1}:             "9",
		{Off: 7}:                     "789",
		{Off: 7, Len: 100}:           "789",
		{Off: 1, Len: math.MaxInt64}: "123456789",
		{Len: 10}:                    data,
	} {
		b.requireRange(ref, &r, want, len(data))
	}
	b.requireBytes(empty, "")
	for _, r := range []object.Range{{Off: 10}, {Off: 10, Len: 1}, {Off: 11}, {Off: math.MaxInt64, Len: math.MaxInt64},
		{Off: -1}, {Len: -1}} {
		b.requireError(fmt.Sprintf("open %+v", r), b.openError(ref, &r), object.ErrRange)
	}
	b.requireError("open a range of an empty object", b.openError(empty, &object.Range{Len: 1}), object.ErrRange)
}

func checkStat(b *bench) {
	ref := b.ref("a.txt")
	b.requireError("stat of a missing object", b.statError(ref), object.ErrNotFound)
	b.requireError("open of a missing object", b.openError(ref, nil), object.ErrNotFound)
	stored, put := b.put("a.txt", []byte("text"), &object.PutOptions{Type: "text/plain; charset=utf-8"})
	seen, info, err := b.root.Stat(b.ctx, ref)
	b.requireNoError(err, "stat")
	switch {
	case info.Size != 4 || info.Type != "text/plain; charset=utf-8" || info.ETag != put.ETag ||
		info.Version != put.Version:
		b.failf("Stat returned %+v, want size 4, type \"text/plain; charset=utf-8\" and the ETag and version of Put, %+v",
			info, put)
	case time.Since(info.Modified).Abs() > time.Hour:
		b.failf("Stat returned the time %v, want about now", info.Modified)
	case seen != stored:
		b.failf("Stat pinned %v, want the Ref of Put, %v", seen, stored)
	case info.SHA256 != nil && len(info.SHA256) != 32:
		b.failf("Stat returned a SHA-256 of %d bytes, want 32 or none", len(info.SHA256))
	case seen.Version() == "" && seen.ETag() == "":
		b.failf("Stat returned an unpinned Ref, want a version or an ETag")
	}
}

// checkPins checks that a pinned Ref names exactly the bytes that were seen.
func checkPins(b *bench) {
	old, _ := b.put("a.txt", []byte("old"), nil)
	now, _ := b.put("a.txt", []byte("new"), &object.PutOptions{Overwrite: true})
	if now.Version() == "" { // without versions the old bytes do not exist
		b.requireError("open", b.openError(old, nil), object.ErrChanged)
		b.requireError("open a range", b.openError(old, &object.Range{Off: 1}), object.ErrChanged)
		b.requireError("stat", b.statError(old), object.ErrChanged)
		b.requireError("delete", b.root.Delete(b.ctx, old), object.ErrChanged)
	} else {
		b.requireBytes(old, "old")
	}
	b.requireBytes(now, "new")
	b.delete(now)
	b.requireError("open after delete", b.openError(now, nil), object.ErrNotFound)
}

// checkVersionPins checks that a driver does not ignore the version of a Ref.
func checkVersionPins(b *bench) {
	current, _ := b.put("a.txt", []byte("current"), nil)
	stored := fmt.Appendf(nil, `{"bucket":%q,"key":%q,"version":"3HL4kqtJvjVBH40Nrjfkd"}`, current.Bucket(), current.Key())
	other, err := b.root.ParseRef(stored)
	b.requireNoError(err, "parse a Ref")
	b.requirePinError("open", b.openError(other, nil))
	b.requirePinError("open a range", b.openError(other, &object.Range{Off: 1}))
	b.requirePinError("stat", b.statError(other))
	b.requirePinError("copy", b.copyError(other, b.ref("to.txt"), nil))
	if err := b.root.Delete(b.ctx, other); err != nil { // nil if the driver does not know the version
		b.requirePinError("delete", err)
	}
	b.requireBytes(current, "current")

	// In a store that keeps versions, the delete of an old one leaves the current one.
	now, _ := b.put("a.txt", []byte("new"), &object.PutOptions{Overwrite: true})
	if now.Version() == "" {
		return
	}
	b.delete(current)
	b.requireBytes(now.Unpinned(), "new")
	b.requirePinError("open a deleted version", b.openError(current, nil))
}

// requirePinError requires the error for a version that is not the current one.
func (b *bench) requirePinError(op string, err error) {
	if !errors.Is(err, object.ErrNotFound) {
		b.requireError(op+" through the pin of another version", err, object.ErrChanged)
	}
}

func checkDelete(b *bench) {
	ref, _ := b.put("a.txt", []byte("x"), nil)
	b.delete(ref.Unpinned())
	b.delete(ref.Unpinned()) // which does not exist now
	b.requireError("stat after delete", b.statError(ref.Unpinned()), object.ErrNotFound)
	b.put("a.txt", []byte("y"), nil)
}

func checkCancel(b *bench) {
	ref, _ := b.put("a.txt", []byte("data"), nil)
	canceled := *b
	var cancel context.CancelFunc
	canceled.ctx, cancel = context.WithCancel(b.ctx)
	defer cancel()
	r, _, err := b.root.Open(canceled.ctx, ref, nil)
	b.requireNoError(err, "open")
	cancel()
	n, err := r.Read(make([]byte, 1))
	closing := r.Close()
	if n > 0 {
		b.failf("Read returned %d bytes after the cancellation, want none", n)
	}
	var listed error
	for _, listed = range b.root.List(canceled.ctx) {
	}
	b.requireError("read", err, context.Canceled)
	b.requireError("open", canceled.openError(ref, nil), context.Canceled)
	b.requireError("stat", canceled.statError(ref), context.Canceled)
	b.requireError("put", canceled.putError("b.txt", "x", nil), context.Canceled)
	b.requireError("list", listed, context.Canceled)
	b.requireError("delete", b.root.Delete(canceled.ctx, ref), context.Canceled)
	b.requireNoError(closing, "close")
}
