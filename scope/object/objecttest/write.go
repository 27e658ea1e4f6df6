package objecttest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/carrel-go/carrel/scope/object"
)

func checkWriteOnce(b *bench) {
	ref, info := b.put("a.txt", []byte("first"), nil)
	if info.Size != 5 || info.ETag == "" {
		b.failf("Put returned %+v, want size 5 and an ETag", info)
	}
	b.requireError("second put", b.putError("a.txt", "second", nil), object.ErrExists)
	b.requireBytes(ref, "first")
}

// runRace checks that exactly one of 16 concurrent writers succeeds, and that its
// bytes are stored. The others must fail with lost or ErrConflict.
func runRace(b *bench, o *object.PutOptions, lost error) {
	ref := b.ref("a.txt")
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, _, errs[i] = b.root.Put(b.ctx, ref, strings.NewReader(fmt.Sprintf("writer %02d", i)), o) })
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			b.failf("writers %d and %d both succeeded, want one", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, lost) && !errors.Is(err, object.ErrConflict):
			b.failf("writer %d: got error %w, want %q", i, err, lost)
		}
	}
	if winner < 0 {
		b.failf("no writer succeeded, want one")
	}
	b.requireBytes(ref, fmt.Sprintf("writer %02d", winner))
}

func checkWriteOnceRace(b *bench) { runRace(b, nil, object.ErrExists) }

func checkIfMatch(b *bench) {
	_, first := b.put("a.txt", []byte("first"), nil)
	ifFirst := &object.PutOptions{IfMatch: first.ETag}
	ref, second := b.put("a.txt", []byte("second"), ifFirst)
	if second.ETag == first.ETag {
		b.failf("ETag %s for other bytes, want another one", first.ETag)
	}
	b.requireError("put over a stale ETag", b.putError("a.txt", "third", ifFirst), object.ErrChanged)
	b.requireError("put over the ETag of a missing object", b.putError("b.txt", "x", ifFirst), object.ErrNotFound)
	b.requireBytes(ref, "second")
}

func checkIfMatchRace(b *bench) {
	_, first := b.put("a.txt", []byte("first"), nil)
	runRace(b, &object.PutOptions{IfMatch: first.ETag}, object.ErrChanged)
}

func checkOverwrite(b *bench) {
	o := &object.PutOptions{Overwrite: true}
	b.put("a.txt", []byte("first"), o)
	ref, _ := b.put("a.txt", []byte("2nd"), o)
	b.requireBytes(ref, "2nd")
}

func checkBodies(b *bench) {
	broken := errors.New("the body broke")
	for _, c := range []struct {
		name string
		body io.Reader
		size int64
		want error
	}{
		{"empty.bin", strings.NewReader(""), 0, nil},
		{"stream.bin", stream{strings.NewReader("12345")}, 0, nil},
		{"sized.bin", strings.NewReader("12345"), 5, nil},
		{"sized-stream.bin", stream{strings.NewReader("12345")}, 5, nil},
		{"short.bin", strings.NewReader("12345"), 6, object.ErrSize},
		{"long.bin", strings.NewReader("12345"), 4, object.ErrSize},
		{"short-stream.bin", stream{strings.NewReader("12345")}, 6, object.ErrSize},
		{"long-stream.bin", stream{strings.NewReader("12345")}, 4, object.ErrSize},
		{"broken.bin", io.MultiReader(strings.NewReader("123"), failing{broken}), 0, broken},
		{"broken-sized.bin", io.MultiReader(strings.NewReader("123"), failing{broken}), 5, broken},
	} {
		ref := b.ref(c.name)
		_, _, err := b.root.Put(b.ctx, ref, c.body, &object.PutOptions{Size: c.size})
		b.requireError("put "+c.name, err, c.want)
		if c.want != nil {
			b.requireError("stat after the failed put of "+c.name, b.statError(ref), object.ErrNotFound)
		}
	}
	half := strings.NewReader("read already;the rest")
	_, err := half.Seek(13, io.SeekStart)
	b.requireNoError(err, "seek")
	ref, _, err := b.root.Put(b.ctx, b.ref("half.bin"), half, nil)
	b.requireNoError(err, "put of a partly read body")
	b.requireBytes(ref, "the rest")
	big := strings.Repeat("0123456789abcdef", 1<<16)
	ref, _ = b.put("big.bin", []byte(big), nil)
	b.requireBytes(ref, big)
}

// stream hides that a reader can seek.
type stream struct{ io.Reader }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
