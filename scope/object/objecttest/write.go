package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/carrel-go/carrel/scope/object"
)

func checkWriteOnce(ctx context.Context, b *bench) error {
	ref, info, err := b.put(ctx, "a.txt", []byte("first"), nil)
	if err != nil {
		return err
	}
	if info.Size != 5 || info.ETag == "" {
		return fmt.Errorf("Put returned %+v, want size 5 and an ETag", info)
	}
	_, _, err = b.put(ctx, "a.txt", []byte("second"), nil)
	return errors.Join(
		wantErr("second put", err, object.ErrExists),
		wantBytes(ctx, b.root, ref, nil, []byte("first"), 5),
	)
}

// runRace checks that exactly one of n concurrent writers succeeds, and that its
// bytes are stored. The others must fail with lost or ErrConflict.
func (b *bench) runRace(ctx context.Context, name string, o *object.PutOptions, lost error) error {
	const n = 16
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, _, errs[i] = b.put(ctx, name, fmt.Appendf(nil, "writer %02d", i), o) })
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			return fmt.Errorf("writers %d and %d both succeeded, want one", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, lost) && !errors.Is(err, object.ErrConflict):
			return fmt.Errorf("writer %d: got error %w, want %q", i, err, lost)
		}
	}
	if winner < 0 {
		return errors.New("no writer succeeded, want one")
	}
	ref, err := b.root.Ref(name)
	if err != nil {
		return err
	}
	return wantBytes(ctx, b.root, ref, nil, fmt.Appendf(nil, "writer %02d", winner), 9)
}

func checkWriteOnceRace(ctx context.Context, b *bench) error {
	return b.runRace(ctx, "a.txt", nil, object.ErrExists)
}

func checkIfMatch(ctx context.Context, b *bench) error {
	_, first, err := b.put(ctx, "a.txt", []byte("first"), nil)
	if err != nil {
		return err
	}
	ref, second, err := b.put(ctx, "a.txt", []byte("second"), &object.PutOptions{IfMatch: first.ETag})
	if err != nil {
		return fmt.Errorf("put over the current ETag: %w", err)
	}
	if second.ETag == first.ETag {
		return fmt.Errorf("ETag %s for other bytes, want another one", first.ETag)
	}
	_, _, stale := b.put(ctx, "a.txt", []byte("third"), &object.PutOptions{IfMatch: first.ETag})
	_, _, absent := b.put(ctx, "b.txt", []byte("x"), &object.PutOptions{IfMatch: first.ETag})
	return errors.Join(
		wantErr("put over a stale ETag", stale, object.ErrChanged),
		wantErr("put over the ETag of a missing object", absent, object.ErrNotFound),
		wantBytes(ctx, b.root, ref, nil, []byte("second"), 6),
	)
}

func checkIfMatchRace(ctx context.Context, b *bench) error {
	_, first, err := b.put(ctx, "a.txt", []byte("first"), nil)
	if err != nil {
		return err
	}
	return b.runRace(ctx, "a.txt", &object.PutOptions{IfMatch: first.ETag}, object.ErrChanged)
}

func checkOverwrite(ctx context.Context, b *bench) error {
	o := &object.PutOptions{Overwrite: true}
	_, _, err := b.put(ctx, "a.txt", []byte("first"), o)
	if err != nil {
		return fmt.Errorf("overwrite of a missing object: %w", err)
	}
	ref, _, err := b.put(ctx, "a.txt", []byte("2nd"), o)
	if err != nil {
		return err
	}
	return wantBytes(ctx, b.root, ref, nil, []byte("2nd"), 3)
}

func checkBodies(ctx context.Context, b *bench) error {
	broken := errors.New("the body broke")
	cases := []struct {
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
	}
	for _, c := range cases {
		ref, err := b.root.Ref(c.name)
		if err != nil {
			return err
		}
		_, _, err = b.root.Put(ctx, ref, c.body, &object.PutOptions{Size: c.size})
		if c.want == nil && err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if c.want != nil {
			_, _, gone := b.root.Stat(ctx, ref)
			if err := errors.Join(wantErr(c.name, err, c.want), wantErr("stat after the failed put of "+c.name, gone, object.ErrNotFound)); err != nil {
				return err
			}
		}
	}
	half := strings.NewReader("read already;the rest")
	if _, err := half.Seek(13, io.SeekStart); err != nil {
		return err
	}
	ref, err := b.root.Ref("half.bin")
	if err != nil {
		return err
	}
	if _, _, err := b.root.Put(ctx, ref, half, nil); err != nil {
		return fmt.Errorf("put of a partly read body: %w", err)
	}
	if err := wantBytes(ctx, b.root, ref, nil, []byte("the rest"), 8); err != nil {
		return fmt.Errorf("put of a partly read body: %w", err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	ref, _, err = b.put(ctx, "big.bin", big, nil)
	if err != nil {
		return err
	}
	return wantBytes(ctx, b.root, ref, nil, big, int64(len(big)))
}

// stream hides that a reader can seek.
type stream struct{ io.Reader }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
